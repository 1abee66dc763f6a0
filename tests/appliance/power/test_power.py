"""Waking for real: packets on the wires of a house with two networks, and a machine that gets up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.accounts.caller import Role
from appliance.database import Database
from appliance.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from appliance.power.command import wake
from appliance.power.machine import Machine, read_times
from appliance.power.power import Power, Seen, State, Waking
from appliance.power.presence import is_awake
from appliance.power.routes import read_changes, shown
from appliance.settings import read_settings
from dlna.interfaces import interfaces
from tests.dlna.casting.renderers import gmediarender, rygel
from tests.netns import Host, House

NAS = Machine(id="", name="Attic NAS", mac="02:77:00:00:01:32")
PASSWORD = "0a:0b:0c:0d:0e:0f"


@pytest.fixture
def house() -> Iterator[House]:
    with House({"lan0": ("server", "tv"), "lan1": ("server", "nas")}) as house, house.server.entered():
        yield house


def ear(host: Host) -> socket.socket:
    """A network card that sleeps and listens: port 9 of a host."""
    with host.entered():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setblocking(False)
    listening.bind(("", 9))
    return listening


async def heard(listening: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(listening, 2000), 10)


def magic(mac: str, secure_on: str = "") -> bytes:
    """AMD's white paper 20213: six bytes of ones, sixteen times the MAC, then the password."""
    return bytes.fromhex("ff" * 6 + mac.replace(":", "") * 16 + secure_on.replace(":", ""))


@pytest.mark.netns
async def test_the_packet_leaves_by_each_interface(house: House, database: Database) -> None:
    power = Power(database, lambda: interfaces(("lan0", "lan1")))
    machine = await power.add(NAS)
    with ear(house["nas"]) as nas, ear(house.tv) as tv:
        waking = await power.wake(machine.id)
        assert waking.interfaces == ("lan0", "lan1")
        assert await heard(nas) == magic(NAS.mac)
        assert await heard(tv) == magic(NAS.mac)
        assert await heard(nas) == magic(NAS.mac), "it is repeated"
    await power.stop()


@pytest.mark.netns
async def test_tcpdump_sees_the_secure_on_password(house: House, database: Database, tmp_path: Path) -> None:
    power = Power(database, lambda: interfaces(("lan1",)))
    machine = await power.add(Machine(id="", name="PC", mac=house["nas"].mac, secure_on=PASSWORD))
    capture = tmp_path / "wire.pcap"
    with capture.open("wb") as out:
        seeing = house["nas"].popen(
            *("tcpdump", "-Uni", "lan1", "-c", "1", "-w", "-", "udp port 9"), stdout=out, stderr=-3
        )
        async with asyncio.timeout(10):
            while capture.stat().st_size == 0:  # the file's header is there: it listens
                await asyncio.sleep(0.05)
        await power.wake(machine.id)
        await asyncio.to_thread(seeing.wait, 10)
    assert magic(machine.mac, PASSWORD) in capture.read_bytes()
    assert PASSWORD not in repr(machine)
    assert PASSWORD not in str(shown(machine, Waking(), Role.ADMIN))
    await power.stop()


@pytest.mark.netns
async def test_a_machine_that_gets_up_is_seen(house: House, database: Database) -> None:
    told: list[State] = []
    power = Power(database, lambda: interfaces(("lan0", "lan1")), lambda _, waking: told.append(waking.state))
    nas = house["nas"]
    # It sleeps behind a wall that drops all, as a machine does that is off.
    machine = await power.add(Machine(id="", name="NAS", mac=nas.mac, address=nas.address))
    nas.run("ip", "link", "set", "lan1", "arp", "off")
    with ear(nas) as card:
        await power.wake(machine.id)
        assert power.waking(machine.id).state is State.ASKED
        assert await heard(card) == magic(nas.mac)
        nas.run("ip", "link", "set", "lan1", "arp", "on")
        waking = await asyncio.wait_for(power.until_awake(machine.id), 30)
    assert waking.state is State.AWAKE
    assert waking.answered
    assert told == [State.ASKED, State.AWAKE]
    await power.stop()


@pytest.mark.netns
async def test_neighbours_that_are_no_machine_yet_are_offered(house: House, database: Database) -> None:
    power = Power(database, lambda: interfaces(("lan0", "lan1")))
    for host in (house.tv, house["nas"]):
        with socket.socket() as knock:
            knock.settimeout(2)
            assert knock.connect_ex((host.address, 1)) != 0
    assert {n.mac for n in await power.seen()} == {house.tv.mac, house["nas"].mac}
    kept = await power.add(Machine(id="", name="TV", mac=house.tv.mac))
    assert kept.address == house.tv.address
    assert [n.mac for n in await power.seen()] == [house["nas"].mac]


@pytest.mark.netns
async def test_devices_of_the_house_are_offered_by_name_also_while_they_sleep(
    house: House, database: Database
) -> None:
    power = Power(database, lambda: interfaces(("lan0", "lan1")))
    tv = Seen(house.tv.mac, house.tv.address, "Living room")
    asleep = Seen("02:77:00:00:00:99", "10.77.0.99", "Study")
    power.devices = lambda: [tv, asleep]
    with socket.socket() as knock:
        knock.settimeout(2)
        assert knock.connect_ex((house.tv.address, 1)) != 0
    assert await power.seen() == (replace(tv, interface="lan0"), asleep)
    await power.add(Machine(id="", name="Study TV", mac=asleep.mac))
    assert await power.seen() == (replace(tv, interface="lan0"),)


@pytest.mark.netns
@pytest.mark.parametrize("start", [gmediarender, rygel], ids=["gmediarender", "rygel"])
async def test_a_tv_that_answers_ssdp_alone_is_awake(
    house: House, tmp_path: Path, start: Callable[[Host, Path], object]
) -> None:
    house.tv.run("sysctl", "-w", "net.ipv4.icmp_echo_ignore_all=1")
    assert await is_awake(house.tv.address, ports=()) is None
    start(house.tv, tmp_path)
    async with asyncio.timeout(30):
        while (how := await is_awake(house.tv.address, ports=())) is None:
            pass
    assert how == "SSDP"


@pytest.mark.netns
async def test_the_command_wakes_by_name_and_says_what_happened(house: House, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    environ = {"MANTEL_STATE": str(tmp_path / "var"), "MANTEL_LIBRARY": str(tmp_path / "library")}
    settings = read_settings({**environ, "MANTEL_INTERFACES": "lan0,lan1"})
    database = Database(settings.appliance_database_url)
    await database.migrate()
    nas = house["nas"]
    await Power(database, tuple).add(Machine(id="", name="Attic NAS", mac=nas.mac, address=nas.address))
    await database.close()
    said: list[str] = []
    with ear(nas) as card:
        assert await wake(settings, "attic nas", said.append)
        assert await heard(card) == magic(nas.mac)
    assert said[0] == "Asked Attic NAS to wake, by lan0, lan1."
    assert said[1].startswith("Attic NAS is awake: it answered after 0 s")
    with pytest.raises(TooMany):
        await wake(settings, "Attic NAS", said.append)
    with pytest.raises(NotFound, match="cellar"):
        await wake(settings, "cellar", said.append)
    assert said[-1] == "Known machines: Attic NAS"


async def test_no_second_packet_within_half_a_minute(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def send(mac: str, *_: object) -> tuple[str, ...]:
        sent.append(mac)
        return ("lan0",)

    monkeypatch.setattr("appliance.power.packet.send", send)
    power = Power(database, tuple)
    machine = await power.add(NAS)
    results = await asyncio.gather(*(power.wake(machine.id) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(r, Waking) for r in results) == 1
    assert sum(isinstance(r, TooMany) for r in results) == 4
    await power.wake_mac("02:77:00:00:00:99", "TV")
    with pytest.raises(TooMany):
        await power.wake_mac("02:77:00:00:00:99", "TV")
    with pytest.raises(TooMany):  # the kept machine's own limit
        await power.wake_mac(NAS.mac, "NAS")
    assert sent == [NAS.mac, "02:77:00:00:00:99"]
    await power.stop()


async def test_without_an_interface_it_says_so(database: Database) -> None:
    power = Power(database, tuple)
    machine = await power.add(NAS)
    with pytest.raises(Unavailable, match="Attic NAS"):
        await power.wake(machine.id)


async def test_the_schedule_and_an_open_file_wake(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def send(mac: str, *_: object) -> tuple[str, ...]:
        sent.append(mac)
        return ("lan0",)

    monkeypatch.setattr("appliance.power.packet.send", send)
    power = Power(database, tuple, zone=UTC)
    scheduled = await power.add(
        Machine(id="", name="A", mac="02:00:00:00:00:01", times=read_times([{"at": "07:30"}]))
    )
    holding = await power.add(Machine(id="", name="B", mac="02:00:00:00:00:02", library_root="/mnt/films"))
    await power.wake_due(
        datetime(2026, 11, 23, 7, 29, 55, tzinfo=UTC), datetime(2026, 11, 23, 7, 30, 5, tzinfo=UTC)
    )
    assert sent == [scheduled.mac]
    assert await power.wake_for_root("/mnt/songs") is None
    for _ in range(2):
        woken = await power.wake_for_root("/mnt/films")
        assert woken is not None
        assert woken.name == "B"
    assert sent == [scheduled.mac, holding.mac]
    await power.stop()


async def test_names_and_macs_are_kept_once(database: Database) -> None:
    power = Power(database, tuple)
    kept = await power.add(NAS)
    for other in (
        Machine(id="", name="ATTIC nas", mac="02:77:00:00:01:33"),
        Machine(id="", name="X", mac=NAS.mac),
    ):
        with pytest.raises(Conflict):
            await power.add(other)
    changed = await power.change(kept.id, name="Cellar NAS", secure_on=PASSWORD)
    assert await power.named("cellar nas") == await power.named(NAS.mac) == changed
    await power.remove(kept.id)
    with pytest.raises(NotFound):
        await power.wake(kept.id)
    with pytest.raises(NotFound):
        await power.remove(kept.id)


@pytest.mark.parametrize(
    "body",
    [None, [], {"mac": "x"}, {"colour": "red"}, {"secureOn": "1"}, {"libraryRoot": "films"}, {"name": ""}],
)
def test_a_bad_body_is_named(body: object) -> None:
    with pytest.raises(Invalid):
        read_changes(body)
