"""Names on a network: announced, found by others' programs, and given way to."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import AddressResolverIPv4, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from appliance.lan.mdns import Mdns, host_label
from dlna.interfaces import interfaces
from tests.appliance.casting.serving import serving
from tests.lines import next_line
from tests.netns import Host, House

ROOT = Path(__file__).parents[3]
ANOTHER = """
import asyncio, json, sys
from appliance.lan.mdns import Mdns
from dlna.interfaces import interfaces
async def main():
    say = lambda host: print(json.dumps(host), flush=True)
    mdns = Mdns("Mantel", 8000, lambda: interfaces(("lan0",)), say)
    await mdns.start()
    await asyncio.to_thread(sys.stdin.read)
    await mdns.stop()
asyncio.run(main())
"""


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house, house.phone.entered():
        yield house


def appliance(host: Host) -> subprocess.Popen[Any]:
    return host.popen(
        sys.executable, "-c", ANOTHER, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def name_of(process: subprocess.Popen[Any]) -> str:
    assert process.stdout is not None
    return str(json.loads(await next_line(process.stdout)))


async def resolve(mdns: AsyncZeroconf, host: str) -> list[str]:
    resolver = AddressResolverIPv4(host + ".")
    await resolver.async_request(mdns.zeroconf, 3000)
    return resolver.parsed_addresses()


@pytest.mark.parametrize(
    ("name", "label"),
    [("Mantel", "mantel"), ("Öl & Gas", "ol-gas"), ("名前", "mantel"), ("a" * 90, "a" * 48)],
)
def test_a_name_becomes_a_host_name(name: str, label: str) -> None:
    assert host_label(name) == label


@given(st.text())
def test_any_name_becomes_a_host_name(name: str) -> None:
    label = host_label(name)
    assert label.isascii()
    assert 0 < len(label) <= 48
    assert all(c.isalnum() or c == "-" for c in label)
    assert label.strip("-") == label


@pytest.mark.netns
async def test_the_page_is_found_and_the_second_appliance_takes_another_name(house: House) -> None:
    first = appliance(house.server)
    assert await name_of(first) == "mantel.local"
    second = appliance(house.tv)
    assert await name_of(second) == "mantel-2.local"
    phone = AsyncZeroconf(interfaces=[house.phone.address])
    assert await resolve(phone, "mantel.local") == [house.server.address]
    assert await resolve(phone, "mantel-2.local") == [house.tv.address]
    found = AsyncServiceInfo("_http._tcp.local.", "Mantel (2)._http._tcp.local.")
    assert await found.async_request(phone.zeroconf, 3000)
    assert (found.port, found.server) == (8000, "mantel-2.local.")
    assert found.parsed_addresses(IPVersion.V4Only) == [house.tv.address]
    assert first.stdin is not None
    first.stdin.close()  # it says goodbye
    await asyncio.to_thread(first.wait, 10)
    again = AsyncZeroconf(interfaces=[house.phone.address])
    assert await resolve(again, "mantel.local") == []
    await phone.async_close()
    await again.async_close()


@pytest.mark.netns
async def test_two_that_start_at_once_end_with_two_names(house: House) -> None:
    both = [appliance(host) for host in (house.server, house.tv)]
    names = [await name_of(process) for process in both]
    if names[0] == names[1]:
        names[1] = await name_of(both[1])  # the higher address gives way
    assert set(names) == {"mantel.local", "mantel-2.local"}


@pytest.mark.netns
async def test_addresses_follow_the_interfaces(house: House) -> None:
    named: list[str] = []
    mdns = Mdns("Shelf", 8000, lambda: interfaces(("lan0",)), named.append)
    await mdns.start()
    async with asyncio.timeout(20):
        while not named:
            await asyncio.sleep(0.1)
    house.phone.run("ip", "addr", "add", "10.77.0.77/24", "dev", "lan0")
    async with asyncio.timeout(30):
        while len(named) < 2:
            await asyncio.sleep(0.1)
    with house.tv.entered():
        asking = AsyncZeroconf(interfaces=[house.tv.address])
    assert set(await resolve(asking, "shelf.local")) == {house.phone.address, "10.77.0.77"}
    await asking.async_close()
    await mdns.stop()


@pytest.mark.netns
async def test_two_appliances_answer_to_the_names_that_they_took(house: House, tmp_path: Path) -> None:
    for one in ("first", "second"):
        (tmp_path / one / "library").mkdir(parents=True)
    asking = AsyncZeroconf(interfaces=[house.phone.address])
    async with serving(house, tmp_path / "first") as first:
        async with asyncio.timeout(20):
            while not await resolve(asking, "mantel.local"):
                pass
        async with serving(house, tmp_path / "second", on="tv") as second:
            async with asyncio.timeout(20):
                while await resolve(asking, "mantel-2.local") != [house.tv.address]:
                    pass

            async def status(url: str, host: str) -> str:
                asked = ("-so", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {host}:8000")
                curl = house.phone.run, "curl", *asked, f"{url}/healthz"
                return str((await asyncio.to_thread(*curl)).stdout)

            # It is announced a moment before it is told to the door.
            async with asyncio.timeout(20):
                while await status(second, "mantel-2.local") != "200":
                    pass
            assert await status(first, "mantel.local") == "200"
            assert await status(first, "mantel-2.local") == "421"
    await asking.async_close()
