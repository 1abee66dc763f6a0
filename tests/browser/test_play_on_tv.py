"""A phone's browser, the appliance and a TV, each on a host of its own: play, pause, seek, stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from appliance.web.page import STATIC
from tests.appliance.casting.serving import serving
from tests.appliance.casting.stage import cast_receiver
from tests.browser.conftest import ARGUMENTS, CHROMIUM, open_screen, sign_in
from tests.dlna.casting.renderers import clip, gmediarender
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
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(house, tmp_path))
        with house.phone.entered():
            playwright = await stack.enter_async_context(async_playwright())
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(base_url=url, viewport={"width": 390, "height": 844}, has_touch=True)
        page.set_default_timeout(20_000)
        await sign_in(page)
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
        await browser.close()
