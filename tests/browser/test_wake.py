"""Machines to wake, from a phone: added, mended, woken, and what came of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from appliance.web.page import STATIC
from tests.appliance.casting.serving import serving
from tests.browser.conftest import VIDEO, ask, file_id, open_screen, until
from tests.browser.in_house import phone_in
from tests.netns import House

pytestmark = [pytest.mark.netns, pytest.mark.browser]
SECURE_ON = "0a:0b:0c:0d:0e:0f"


@pytest.fixture
def house() -> Iterator[House]:
    if not (STATIC / "index.html").exists():
        pytest.fail("the page is not built: `make run` or `make test` builds it")
    with House() as house:
        yield house


def card(house: House) -> socket.socket:
    """The network card of the host `tv`, which sleeps and listens."""
    with house.tv.entered():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setblocking(False)
    listening.bind(("", 9))
    return listening


def magic(mac: str, secure_on: str = "") -> bytes:
    return bytes.fromhex("ff" * 6 + mac.replace(":", "") * 16 + secure_on.replace(":", ""))


async def woken(listening: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(listening, 2000), 10)


async def save(page: Page) -> None:
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()


async def test_a_machine_is_added_woken_and_told_of(house: House, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    mac = house.tv.mac
    with card(house) as listening:
        async with serving(house, tmp_path) as url, phone_in(house, url, width=360) as (page,):
            # The neighbour table knows it from now on.
            house.server.run("ping", "-c", "1", "-W", "2", house.tv.address)
            house.tv.run("sysctl", "-w", "net.ipv4.icmp_echo_ignore_all=1")
            house.tv.run("ip", "link", "set", "lan0", "arp", "off")
            await open_screen(page, "/who")
            await page.get_by_role("button", name="Add a machine").click()
            sheet = page.get_by_role("dialog")
            await sheet.get_by_role("textbox", name="Name").fill("Attic NAS")
            await sheet.get_by_role("textbox", name="Hardware address").fill("02:77:00:xx")
            await save(page)
            await expect(page.get_by_role("status").get_by_text("twelve hexadecimal digits")).to_be_visible()
            await sheet.get_by_role("button", name=mac).click()
            assert await sheet.get_by_role("textbox", name="Hardware address").input_value() == mac
            await sheet.get_by_role("textbox", name="Password").fill("1")
            await save(page)
            await expect(page.get_by_role("status").get_by_text("secureOn")).to_be_visible()
            await sheet.get_by_role("textbox", name="Password").fill(SECURE_ON)
            await sheet.get_by_role("button", name="Add a time").click()
            await sheet.get_by_label("At", exact=True).fill("06:45")
            for day in ("Sat", "Sun"):
                await sheet.get_by_text(day, exact=True).click()
            await save(page)
            await expect(sheet).to_have_count(0)
            line = page.get_by_role("group", name="Attic NAS")
            await expect(line).to_contain_text(mac)

            await page.get_by_role("button", name="More: Attic NAS").click()
            await expect(sheet.get_by_text("One is kept.")).to_be_visible()
            assert await sheet.get_by_label("At", exact=True).input_value() == "06:45"
            assert not await sheet.get_by_role("checkbox", name="Sat").is_checked()
            assert await sheet.get_by_role("checkbox", name="Fri").is_checked()
            await save(page)
            await expect(sheet).to_have_count(0)

            await open_screen(page, "/players")
            await expect(page.get_by_role("group", name="Attic NAS")).to_contain_text("Wakes on a tap")
            await page.get_by_role("button", name="Wake: Attic NAS").click()
            assert await woken(listening) == magic(mac, SECURE_ON)
            await expect(page.get_by_role("group", name="Attic NAS")).to_contain_text(
                "Waiting for it to answer"
            )
            house.tv.run("ip", "link", "set", "lan0", "arp", "on")  # it gets up
            await expect(page.get_by_role("group", name="Attic NAS")).to_contain_text("Awake")
            await open_screen(page, "/who")
            await page.get_by_role("button", name="More: Attic NAS").click()
            await sheet.get_by_role("button", name="Remove", exact=True).click()
            await expect(page.get_by_role("group", name="Attic NAS")).to_have_count(0)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_page_says_that_the_machine_with_the_file_wakes(
    house: House, tmp_path: Path, media: Path
) -> None:
    library, asleep = tmp_path / "library", tmp_path / "asleep"
    shutil.copytree(media, library)
    for file in library.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    mac = house.tv.mac
    with card(house) as listening:
        async with (
            serving(house, tmp_path, rescan_seconds="5") as url,
            phone_in(house, url, width=360) as (page,),
        ):
            film = await file_id(page, "Garden party.mp4")
            machine = {"name": "Attic NAS", "mac": mac, "libraryRoot": str(library)}
            await ask(page, "POST", "/devices", machine)
            library.rename(asleep)
            async with asyncio.timeout(30):
                while all(root["online"] for root in (await ask(page, "GET", "/health"))["roots"]):
                    await asyncio.sleep(0.2)
            await open_screen(page, f"/file/{film}")
            await expect(page.get_by_text("Attic NAS was asleep and is waking.")).to_be_visible()
            assert await woken(listening) == magic(mac)
            asleep.rename(library)
            async with asyncio.timeout(30):
                while not all(root["online"] for root in (await ask(page, "GET", "/health"))["roots"]):
                    await asyncio.sleep(0.2)
            await page.reload()
            await until(page, f"{VIDEO} && {VIDEO}.currentTime > 0.3")
