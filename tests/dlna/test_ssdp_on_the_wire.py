"""SSDP as the TVs of a house hear it: two networks, a server with a leg on each, links that come and go."""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.dlna import serving
from tests.netns import Host, House

pytestmark = pytest.mark.netns
ROOT = Path(__file__).parents[2]
GROUP = ("239.255.255.250", 1900)
KINDS = 6
"""Messages of one full set: root device, UDN, device type, three services (UDA 1.1 table 1-1)."""
PATIENCE = 10.0
MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"

Message = dict[str, str]
"""Header names in lower case; the first line is `""`."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "film.mp4").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House({"lan0": ("server", "tv", "phone"), "lan1": ("server", "bedroom")}) as house:
        yield house


@contextmanager
def serve(
    house: House, media: Path, interfaces: str = "auto", alive: float = 45
) -> Iterator[subprocess.Popen[str]]:
    process = house.server.popen(
        *(sys.executable, "-m", "tests.dlna.serving", media, interfaces, str(alive)),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "serving\n"
    yield process
    process.terminate()
    assert process.wait(5) == 0


@pytest.fixture(scope="class")
def served(house: House, media: Path) -> Iterator[subprocess.Popen[str]]:
    with serve(house, media) as process:
        yield process


def traffic(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin
    assert process.stdout
    process.stdin.write("traffic\n")
    process.stdin.flush()
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return said


class Ear:
    """Hears what is sent to the group on one LAN of a host."""

    def __init__(self, host: Host, interface: str) -> None:
        with host.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(GROUP)
            own = socket.inet_aton(host.addresses[interface])
            member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), own)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

    def until(self, enough: Callable[[list[Message]], object], patience: float = PATIENCE) -> list[Message]:
        """All notifications, as soon as they are enough."""
        heard: list[Message] = []
        end = time.monotonic() + patience
        while not enough(heard):
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                message = read(self._socket.recv(4096))
            except TimeoutError:
                raise AssertionError(f"not enough heard: {heard}") from None
            if "nts" in message:  # a neighbour's search is none of ours
                heard.append(message)
        return heard

    def sets(self, kind: str, count: int = 1) -> list[Message]:
        """Messages up to the last of `count` full sets of this NTS; other kinds are among them."""
        return self.until(lambda heard: sum(one["nts"] == f"ssdp:{kind}" for one in heard) >= count * KINDS)


def read(data: bytes) -> Message:
    first, *lines = data.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {**headers, "": first}


def of(messages: list[Message], kind: str) -> list[Message]:
    return [one for one in messages if one["nts"] == f"ssdp:{kind}"]


def ask(host: Host, interface: str, *lines: str, source: str = "") -> socket.socket:
    """Sends one M-SEARCH; the answers come to the socket."""
    with host.entered():
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.bind((source or host.addresses[interface], 0))
    own = socket.inet_aton(source or host.addresses[interface])
    asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    asking.sendto("\r\n".join(["M-SEARCH * HTTP/1.1", *lines, "", ""]).encode(), GROUP)
    return asking


def answers(asking: socket.socket, count: int = 1) -> list[Message]:
    asking.settimeout(PATIENCE)
    return [read(asking.recv(4096)) for _ in range(count)]


def good_search(host: Host, interface: str) -> Message:
    """One that is always answered; what was asked before it and got nothing by now gets nothing."""
    (said,) = answers(ask(host, interface, 'MAN: "ssdp:discover"', "MX: 0", f"ST: {MEDIA_SERVER}"))
    return said


def are_silent(*asking: socket.socket) -> bool:
    """Nothing came to any. Answers leave within a second of the question (LONGEST_DELAY)."""
    return not select.select(asking, (), (), 1.2)[0]


MANNERS = [
    ('MAN: "ssdp:discover"', "MX: 1"),
    ("MAN: ssdp:discover", "MX: 1"),
    ("Man: 'SSDP:Discover'", "Mx: 2"),
    ('man:"ssdp:discover"',),
    ('MAN: "ssdp:discover"', "MX: 0"),
    ('MAN: "ssdp:discover"', "MX: -3"),
    ('MAN: "ssdp:discover"', "MX: 99999999999999999999"),
    ('MAN: "ssdp:discover"', "MX: soon"),
]
TARGETS = [
    (MEDIA_SERVER, 1),
    (MEDIA_SERVER.upper(), 1),
    ("upnp:ROOTDEVICE", 1),
    ("ssdp:all", KINDS),
    (serving.UDN, 1),
    ("urn:schemas-upnp-org:service:ContentDirectory:1", 1),
    ("urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1", 1),
]


class TestSearch:
    """One server for all."""

    def test_a_search_is_answered_however_it_is_written(
        self, house: House, served: subprocess.Popen[str]
    ) -> None:
        asked = [ask(house.tv, "lan0", *lines, f"ST: {MEDIA_SERVER}") for lines in MANNERS]
        for asking in asked:
            (said,) = answers(asking)
            assert said[""] == "HTTP/1.1 200 OK"
            assert said["location"] == "http://10.77.0.10:8200/description.xml"
            assert said["st"] == MEDIA_SERVER
            assert said["usn"] == f"{serving.UDN}::{MEDIA_SERVER}"
            assert said["ext"] == ""
            assert said["cache-control"] == "max-age=86400"
            assert int(said["bootid.upnp.org"]) > 0
            assert "date" in said
        targets = [
            (ask(house["bedroom"], "lan1", 'MAN: "ssdp:discover"', "MX: 1", f"ST: {target}"), target, count)
            for target, count in TARGETS
        ]
        for asking, target, count in targets:
            said_all = answers(asking, count)
            assert {one["location"] for one in said_all} == {"http://10.77.1.10:8200/description.xml"}
            if target != "ssdp:all":
                assert said_all[0]["st"] == target
        others = [
            ask(house.phone, "lan0", *lines)
            for lines in (
                ('MAN: "ssdp:other"', "MX: 1", f"ST: {MEDIA_SERVER}"),
                ("MX: 1", f"ST: {MEDIA_SERVER}"),
                ('MAN: "ssdp:discover"', "MX: 1", f"ST: {MEDIA_SERVER[:-1]}2"),
                ('MAN: "ssdp:discover"', "MX: 1", "ST: urn:schemas-upnp-org:device:MediaRenderer:1"),
                ('MAN: "ssdp:discover"', "MX: 1"),
            )
        ]
        assert are_silent(*others)

    def test_a_stranger_and_a_flood_are_not_answered(
        self, house: House, served: subprocess.Popen[str]
    ) -> None:
        # The server could reach the stranger, so an answer would arrive.
        house.tv.run("ip", "addr", "add", "10.99.0.5/24", "dev", "lan0")
        house.server.run("ip", "route", "add", "10.99.0.0/24", "dev", "lan0")
        lines = ('MAN: "ssdp:discover"', "MX: 0", f"ST: {MEDIA_SERVER}")
        stranger = ask(house.tv, "lan0", *lines, source="10.99.0.5")
        assert are_silent(stranger)
        assert good_search(house.tv, "lan0")
        before = traffic(served)["lan0"]
        assert before["refused"] == 1
        flood = [ask(house.phone, "lan0", *lines) for _ in range(60)]
        assert good_search(house.tv, "lan0")
        after = traffic(served)["lan0"]
        for asking in flood:
            asking.close()
        assert after["heard"] == before["heard"] + 61
        # Ten a second each; the flood may run over the edge of a second or two.
        assert 10 <= after["answered"] - before["answered"] - 1 <= 30
        assert list(after["searchers"])[-3:] == ["10.99.0.5", "10.77.0.30", "10.77.0.20"]


def test_each_network_hears_byebye_a_burst_of_alive_and_byebye_at_the_end(house: House, media: Path) -> None:
    ears = {"10.77.0.10": Ear(house.tv, "lan0"), "10.77.1.10": Ear(house["bedroom"], "lan1")}
    heard: dict[str, list[Message]] = {}
    sniffer = house.tv.popen(
        *("tcpdump", "-l", "-n", "-v", "-i", "lan0", "igmp and src host 10.77.0.10"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with serve(house, media, alive=0.9):
        for address, ear in ears.items():
            heard[address] = ear.sets("alive", 5)
        # The group is joined anew with each alive: a switch forgets who was silent.
        assert sniffer.stdout
        reports = (re.search(r"239\.255\.255\.250 to_ex", line) for line in sniffer.stdout)
        assert len(list(islice(filter(None, reports), 3))) == 3
    sniffer.terminate()
    for address, ear in ears.items():
        heard[address] += ear.sets("byebye", 2)
    for address, messages in heard.items():
        kinds = [one["nts"] for one in messages]
        assert kinds[:KINDS] == ["ssdp:byebye"] * KINDS
        assert kinds[KINDS : 4 * KINDS] == ["ssdp:alive"] * 3 * KINDS
        assert kinds[-2 * KINDS :] == ["ssdp:byebye"] * 2 * KINDS
        assert len({one["usn"] for one in messages}) == KINDS
        assert len({(one["bootid.upnp.org"], one["configid.upnp.org"]) for one in messages}) == 1
        for one in of(messages, "alive"):
            assert one[""] == "NOTIFY * HTTP/1.1"
            assert one["location"] == f"http://{address}:8200/description.xml"
            assert one["cache-control"] == "max-age=86400"
            assert "DLNADOC/1.50" in one["server"]


def picked(host: Host) -> list[str]:
    words = "from dlna.interfaces import interfaces; print(*(one.name for one in interfaces()))"
    return host.run(sys.executable, "-c", words, cwd=ROOT).stdout.split()


def test_links_that_come_go_and_change_their_address(house: House, media: Path) -> None:
    server, bedroom = house.server, house["bedroom"]
    for name, address in (("docker0", "172.17.0.1/16"), ("wg0", "10.8.0.1/24"), ("br-1a2b", "172.18.0.1/16")):
        server.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-0")
        server.run("ip", "addr", "add", address, "dev", name)
        for end in (name, f"{name}-0"):
            server.run("ip", "link", "set", end, "up")
    server.run("ip", "tuntap", "add", "dev", "office", "mode", "tun")  # a VPN with a name of its own
    server.run("ip", "addr", "add", "10.9.0.1/24", "dev", "office")
    server.run("ip", "link", "set", "office", "up")
    assert picked(server) == ["lan0", "lan1"]
    upstairs, downstairs = Ear(house.tv, "lan0"), Ear(bedroom, "lan1")
    with serve(house, media) as process:
        first = upstairs.sets("alive", 3)
        downstairs.sets("alive", 3)
        boot = int(first[-1]["bootid.upnp.org"])

        server.run("ip", "link", "set", "lan1", "down")
        heard = upstairs.sets("alive", 3)
        update = of(heard, "update")
        assert {one["bootid.upnp.org"] for one in update} == {str(boot)}
        after_down = int(of(heard, "alive")[-1]["bootid.upnp.org"])
        assert {one["nextbootid.upnp.org"] for one in update} == {str(after_down)}
        assert after_down > boot

        server.run("ip", "link", "set", "lan1", "up")
        heard = downstairs.sets("alive", 3)
        assert heard[0]["nts"] == "ssdp:byebye"
        assert int(heard[-1]["bootid.upnp.org"]) > after_down
        assert good_search(bedroom, "lan1")["location"] == "http://10.77.1.10:8200/description.xml"
        upstairs.sets("alive", 3)

        server.run("ip", "addr", "del", "10.77.1.10/24", "dev", "lan1")
        server.run("ip", "addr", "add", "10.77.1.99/24", "dev", "lan1")
        there = "http://10.77.1.99:8200/description.xml"
        heard = downstairs.until(lambda all_: sum(one.get("location") == there for one in all_) >= KINDS)
        assert of(heard, "byebye")
        assert good_search(bedroom, "lan1")["location"] == there
        assert "MediaServer:1" in bedroom.run("curl", "-sf", "--max-time", "5", there).stdout

        server.run(
            *("ip", "link", "add", "lan2", "type", "veth"),
            *("peer", "name", "lan2", "netns", bedroom.netns),
        )
        bedroom.run("ip", "addr", "add", "10.77.2.60/24", "brd", "+", "dev", "lan2")
        bedroom.run("ip", "link", "set", "lan2", "up")
        bedroom.addresses["lan2"] = "10.77.2.60"
        attic = Ear(bedroom, "lan2")
        server.run("ip", "addr", "add", "10.77.2.10/24", "brd", "+", "dev", "lan2")
        server.run("ip", "link", "set", "lan2", "up")
        attic.until(lambda all_: any("10.77.2.10" in one.get("location", "") for one in all_))
        assert good_search(bedroom, "lan2")["location"] == "http://10.77.2.10:8200/description.xml"

        # A second address of the same network is the same server: TVs hear of one place alone.
        server.run("ip", "addr", "add", "10.77.2.5/24", "dev", "lan2")
        server.run("ip", "link", "del", "lan1")
        heard = upstairs.sets("update", 1)
        assert good_search(bedroom, "lan2")["location"] == "http://10.77.2.10:8200/description.xml"
        assert set(traffic(process)) == {"lan0", "lan1", "lan2"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_alive_comes_every_45_seconds_or_so(house: House, media: Path) -> None:
    """Measured: four minutes at the real pace."""
    ear = Ear(house.tv, "lan0")
    with serve(house, media):
        ear.sets("alive", 3)
        times = [time.monotonic()]
        for _ in range(4):
            ear.until(lambda heard: len(of(heard, "alive")) >= KINDS, 65)
            times.append(time.monotonic())
    gaps = [round(later - earlier, 1) for earlier, later in pairwise(times)]
    print("seconds between alive sets:", gaps)
    assert all(29.5 <= gap <= 61 for gap in gaps), gaps
