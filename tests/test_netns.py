"""The household out of namespaces does what tests rely on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import EVERYONE, House

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House({"lan0": EVERYONE, "lan1": ("server", "desk")}) as house:
        yield house


def test_each_host_has_its_address_and_mac(house: House) -> None:
    links = json.loads(house.tv.run("ip", "-j", "addr", "show", "dev", "lan0").stdout)
    assert links[0]["address"] == house.tv.mac == "02:77:00:00:00:14"
    assert house.tv.address == "10.77.0.20"
    assert [a["broadcast"] for a in links[0]["addr_info"] if a["family"] == "inet"] == ["10.77.0.255"]
    assert (house.server.addresses["lan1"], house["desk"].address) == ("10.77.1.10", "10.77.1.50")


def test_a_socket_stays_with_the_host_that_opened_it(house: House) -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    with house.server.entered(), socket.create_server((house.server.address, 0)) as listener:
        port = listener.getsockname()[1]
        house.server.wait_for_port(port)
        with house.tv.entered(), socket.create_connection((house.server.address, port), 5) as client:
            assert client.getsockname()[0] == house.tv.address
        assert os.readlink("/proc/thread-self/ns/net") != before
    assert os.readlink("/proc/thread-self/ns/net") == before
    with house.phone.entered(), pytest.raises(OSError, match="refused"):
        socket.create_connection((house.phone.address, port), 5)


async def test_multicast_reaches_every_host_of_that_lan_only(house: House) -> None:
    group = struct.pack("4s4s", socket.inet_aton("239.255.255.250"), b"\0\0\0\0")
    listeners = {}
    for name in ("tv", "phone", "desk"):
        with house[name].entered():
            listener = listeners[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setblocking(False)
        listener.bind(("239.255.255.250", 1900))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    with house.server.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hello", ("239.255.255.250", 1900))
    loop = asyncio.get_running_loop()
    for name in ("tv", "phone"):
        assert await asyncio.wait_for(loop.sock_recv(listeners[name], 100), 5) == b"hello"
    with pytest.raises(BlockingIOError):
        listeners["desk"].recv(100)
    for listener in listeners.values():
        listener.close()


def test_no_host_has_a_way_out(house: House) -> None:
    for host in house.hosts.values():
        assert "default" not in host.run("ip", "route").stdout


def test_a_failing_command_tells_where_and_why(house: House) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        house.tv.run("sh", "-c", "echo broken >&2; exit 3")
    assert caught.value.returncode == 3
    assert "on tv: broken" in caught.value.__notes__[0]


def test_nothing_is_left() -> None:
    with House({"lan0": ("server",)}) as house:
        stubborn = "trap '' TERM; sleep 1000 & echo ready; wait; sleep 1000"
        children = house.server.popen("sh", "-c", stubborn, stdout=subprocess.PIPE)
        assert children.stdout is not None
        assert children.stdout.readline() == b"ready\n"
        names = {house.switch, house.server.netns}
        assert names <= {p.name for p in Path("/run/netns").iterdir()}
    assert children.returncode is not None
    assert not names & {p.name for p in Path("/run/netns").iterdir()}


def test_what_a_killed_run_left_is_removed() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = f"mantel-{gone.pid}-0-tv"
    subprocess.run(["ip", "netns", "add", left], check=True)
    with House({"lan0": ("server",)}):
        assert left not in {p.name for p in Path("/run/netns").iterdir()}
