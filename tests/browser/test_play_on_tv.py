"""A phone's browser, the appliance and a TV, each on a host of its own: films, albums, folders, photos."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from appliance.web.page import STATIC
from tests.appliance.casting.serving import serving
from tests.appliance.casting.stage import cast_receiver
from tests.browser.conftest import ask, file_id, open_screen
from tests.browser.in_house import phone_in
from tests.dlna.casting.renderers import clip, gmediarender, rygel
from tests.netns import House

pytestmark = [pytest.mark.netns, pytest.mark.browser]


@pytest.fixture
def house() -> Iterator[House]:
    if not (STATIC / "index.html").exists():
        pytest.fail("the page is not built: `make run` or `make test` builds it")
    with House() as house:
        yield house


async def seconds_at(page: Page) -> float:
    return float(await page.get_by_role("slider", name="Position").input_value())


async def until_at(page: Page, right: Callable[[float], bool]) -> None:
    async with asyncio.timeout(30):
        while not right(await seconds_at(page)):
            await asyncio.sleep(0.2)


async def test_a_film_plays_on_the_tv_from_a_button(house: House, tmp_path: Path) -> None:
    clip(tmp_path / "library", "Desert radio.mp4")
    os.utime(tmp_path / "library" / "Desert radio.mp4", (1_700_000_000, 1_700_000_000))
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    cast_receiver(house, "Kitchen")
    async with serving(house, tmp_path) as url, phone_in(house, url) as (page,):
        await page.get_by_text("Desert radio").first.click()
        for player in ("Living room", "Kitchen"):
            await page.get_by_role("button", name="Play on").first.click()
            await page.get_by_role("button", name=player).filter(has_text="Allow and play").click()
            await expect(page.get_by_text(f"Starting on {player}")).to_be_visible()
            await open_screen(page, "players")
            # In the TV's own remote control: until it is there, the first "Pause" is the phone's film's.
            await page.get_by_role("main").get_by_role("button", name="Pause").click()
            await expect(page.get_by_role("main").get_by_role("button", name="Play")).to_be_visible()
            slider = page.get_by_role("slider", name="Position")
            await slider.fill("15")
            await until_at(page, lambda at: 14 <= at <= 16)
            await page.get_by_role("main").get_by_role("button", name="Play").click()
            await until_at(page, lambda at: at >= 17)
            await page.get_by_role("slider", name="Volume").first.fill("30")
            await page.get_by_role("button", name="Stop").first.click()
            await expect(slider).to_have_count(0)
            await page.go_back()


@pytest.fixture
def shelf(tmp_path: Path, media: Path) -> Path:
    """The samples, and a film in a format that few devices take."""
    folder = tmp_path / "library"
    shutil.copytree(media, folder)
    (folder / "Old film.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    for file in folder.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return tmp_path


async def allow(page: Page, name: str) -> None:
    await open_screen(page, "players")
    await page.get_by_role("group", name=name).get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("group", name=name).get_by_role("button", name="Allow")).to_have_count(0)


async def play_on(page: Page, player: str) -> None:
    """In the sheet that is open."""
    await page.get_by_role("dialog").get_by_role("button", name=player, exact=False).first.click()
    await expect(page.get_by_text(f"Starting on {player}")).to_be_visible()
    await open_screen(page, "players")


async def test_an_album_plays_in_order_and_every_page_shows_it(house: House, shelf: Path) -> None:
    gmediarender(house.tv, shelf / "tv", "Living room")
    async with serving(house, shelf) as url, phone_in(house, url, width=360, pages=2) as (page, other):
        await allow(page, "Living room")
        await open_screen(other, "players")
        await file_id(page, "03 Lights Ashore.mp3")
        await open_screen(page, "/library?type=audio")
        await page.get_by_role("link", name="Slow Ferry Aya Lindqvist").click()
        await page.get_by_role("main").get_by_role("button", name="Play on").click()
        await expect(page.get_by_role("checkbox", name="And the 2 others")).to_be_checked()
        await play_on(page, "Living room")
        for shown in (page, other):
            await expect(shown.get_by_role("main").get_by_text("Harbour")).to_be_visible()
            await expect(shown.get_by_text("1 of 3")).to_be_visible()
        await page.get_by_role("main").get_by_role("button", name="Pause").wait_for()
        await page.get_by_role("main").get_by_role("button", name="Next").click()
        for shown in (page, other):
            await expect(shown.get_by_text("2 of 3")).to_be_visible()
            await expect(shown.get_by_role("main").get_by_text("Slow Ferry")).to_be_visible()
        await page.get_by_role("main").get_by_role("button", name="Pause").click()
        await expect(other.get_by_role("main").get_by_role("button", name="Play")).to_be_visible()
        await other.get_by_role("main").get_by_role("button", name="Repeat: off").click()
        await page.get_by_role("main").get_by_role("button", name="Repeat: all").click()
        await expect(other.get_by_role("main").get_by_role("button", name="Repeat: this one")).to_be_visible()
        await page.get_by_role("main").get_by_role("button", name="Previous").click()
        await expect(other.get_by_text("1 of 3")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_photos_go_round_and_what_is_added_comes_next(house: House, shelf: Path) -> None:
    rygel(house.tv, shelf / "tv", "Study")
    async with serving(house, shelf) as url, phone_in(house, url, width=360) as (page,):
        await allow(page, "Study")
        await file_id(page, "Lake.jpg")
        await open_screen(page, "/library/Photos/2026")
        await page.get_by_role("main").get_by_role("button", name="Play on").click()
        await expect(page.get_by_role("heading", name="Play “2026” on")).to_be_visible()
        await play_on(page, "Study")
        await expect(page.get_by_text(re.compile("^[12] of 6$"))).to_be_visible()
        await expect(page.get_by_text("3 of 6")).to_be_visible()  # by itself
        await open_screen(page, "/library/Photos/2026")
        await page.get_by_role("button", name="Select", exact=True).click()
        for name in ("Dunes", "Lake"):
            await page.get_by_role("checkbox", name=name).click()
        await page.get_by_role("toolbar").get_by_role("button", name="Play on").click()
        await page.get_by_role("button", name="Add to what plays on Study").click()
        await expect(page.get_by_text("Comes next on Study")).to_be_visible()
        await open_screen(page, "players")
        await expect(page.get_by_text(re.compile("^. of 8$"))).to_be_visible()


async def test_the_sheet_says_why_a_device_does_not_take_a_file(house: House, shelf: Path) -> None:
    cast_receiver(house, "Kitchen")
    async with serving(house, shelf) as url, phone_in(house, url) as (page,):
        await allow(page, "Kitchen")
        await open_screen(page, f"/file/{await any_id(page, 'Old film.avi')}")
        await page.get_by_role("main").get_by_role("button", name="Play on").first.click()
        choice = page.get_by_role("dialog").get_by_role("button", name="Kitchen")
        await expect(choice).to_contain_text("Kitchen does not play AVI files.")
        await expect(choice).to_be_disabled()


async def any_id(page: Page, name: str) -> str:
    """Of a file that nobody can describe."""
    async with asyncio.timeout(30):
        while True:
            for one in (await ask(page, "GET", "/files?page_size=200"))["items"]:
                if one["name"] == name:
                    return str(one["id"])
            await asyncio.sleep(0.2)
