"""What every screen keeps: readable by all, whole on small phones, light to load, strict about scripts."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from appliance.web.page import STATIC
from tests.browser.conftest import file_id, open_screen, phone, sign_in, until
from tests.house import CHECKOUT, House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

AXE = CHECKOUT / "appliance/ui/node_modules/axe-core/axe.min.js"
SCREENS = (
    "/",
    "/library",
    "/library/Films",
    "/library?q=tromso",
    "/library?type=audio",
    "/library?type=audio&view=artists",
    "/library?type=audio&artist=Aya Lindqvist&album=Slow Ferry",
    "/library?type=image",
    "/file/{The Long Way to Tromsø.mp4}",
    "/file/{01 Harbour.mp3}",
    "/file/{Lake.jpg}",
    "/add",
    "/players",
    "/insights",
    "/log",
    "/me",
    "/mine",
    "/kept",
    "/links",
    "/trash",
    "/who",
    "/box",
)
"""Every place of the page; a name in braces stands for the id of that file."""
SCRIPT_LIMIT = 150 * 1024
"""Bytes of script, compressed, before a player opens."""

CUT = """() => [...document.querySelectorAll('h1, h2, button, a, .chip, .pill, label, dt, dd, p')]
  .filter(one => one.offsetParent && !one.closest('.unseen'))
  .filter(one => getComputedStyle(one).textOverflow !== 'ellipsis')
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .filter(one => getComputedStyle(one).overflowX !== 'visible')
  .map(one => one.textContent.trim().slice(0, 60))"""
SMALL = """() => [...document.querySelectorAll('button, a, select, input:not(.unseen)')]
  .filter(one => one.offsetParent && getComputedStyle(one).display !== 'inline' && !one.closest('dialog'))
  .map(one => [one.getBoundingClientRect(), one.ariaLabel || one.textContent.trim()])
  .filter(([box]) => box.width && (box.height < 24 || box.width < 24))
  .map(([box, name]) => `${name} ${Math.round(box.width)}×${Math.round(box.height)}`)"""


SETTLED = "document.getAnimations().every(one => one.playState !== 'running')"
FOCUSED = """() => {
  const one = document.activeElement
  const box = one.getBoundingClientRect()
  const name = one.ariaLabel || one.textContent.trim() || one.name || one.tagName
  return [name, box.width * box.height, one.tabIndex]
}"""


async def address(page: Page, screen: str) -> str:
    name = re.search(r"\{(.*)\}", screen)
    return screen.replace(name[0], await file_id(page, name[1])) if name else screen


async def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is now."""
    if not await page.evaluate("!!window.axe"):
        await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run().then(result => result.violations)")
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_screen_breaks_a_rule_of_accessibility(chromium: Browser, home: House, scheme: str) -> None:
    async with phone(chromium, home, scheme, width=360) as page:
        await page.goto("/")
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert await violations(page) == []
        await sign_in(page)
        wrong: dict[str, list[str]] = {}
        for screen in SCREENS:
            await open_screen(page, await address(page, screen))
            await expect(page.locator("main[tabindex] > *").first).to_be_visible()
            # Skeletons breathe; what is tested is what comes after them.
            await expect(page.locator("main .waiting")).to_have_count(0)
            await until(page, SETTLED)
            found = [f"axe {text}" for text in await violations(page)]
            found += [f"cut: {text}" for text in await page.evaluate(CUT)]
            found += [f"small: {text}" for text in await page.evaluate(SMALL)]
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append("wider than the phone")
            if found:
                wrong[screen] = found
        assert wrong == {}


async def test_the_keyboard_reaches_everything_in_its_order(chromium: Browser, home: House) -> None:
    """Tab goes through what is seen, from the top to the tabs, and through a sheet without leaving it."""
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/library/Films")
        await expect(page.get_by_role("link", name="The Long Way to Tromsø")).to_be_visible()
        met = []
        for _ in range(40):
            await page.keyboard.press("Tab")
            name, area, index = await page.evaluate(FOCUSED)
            met.append(name)
            assert area > 0, name
            assert index == 0, name
            if name == "Insights":
                break
        wanted = ["Back", "Select", "Sort", "Videos", "#tag", "Library",
                  "More: The Long Way to Tromsø", "Home", "Insights"]  # fmt: skip
        places = [next(n for n, name in enumerate(met) if word in name or name == word) for word in wanted]
        assert places == sorted(places), met

        await page.get_by_role("button", name="More: The Long Way to Tromsø").press("Enter")
        for _ in range(14):
            await page.keyboard.press("Tab")
            inside = "!document.activeElement || document.activeElement === document.body"
            assert await page.evaluate(f"{inside} || !!document.activeElement.closest('dialog')")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert await page.evaluate("document.activeElement.ariaLabel") == "More: The Long Way to Tromsø"


async def test_little_script_before_a_player_opens(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as page:
        loaded: set[str] = set()
        page.on("response", lambda answer: loaded.add(answer.url) if answer.url.endswith(".js") else None)
        await sign_in(page)
        await expect(page.get_by_role("heading", name="Just added")).to_be_visible()
        paths = [STATIC / "assets" / Path(url).name for url in loaded]
        assert sum(len(gzip.compress(path.read_bytes())) for path in paths) < SCRIPT_LIMIT
        policy = (await page.request.get("/", headers={"Accept": "text/html"})).headers[
            "content-security-policy"
        ]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


async def test_names_are_text_and_never_markup(chromium: Browser, home: House) -> None:
    name = "<img src=x onerror=alert(1)>&amp; {{7*7}}.jpg"
    source = next((home.library / "Photos").rglob("*.jpg"))
    (home.library / "Photos" / name).write_bytes(source.read_bytes() + b"\0")
    async with phone(chromium, home) as page:
        asked: list[str] = []
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        await sign_in(page)
        await open_screen(page, "/library/Photos")
        await expect(page.get_by_text(name.removesuffix(".jpg"), exact=True)).to_be_visible(timeout=15_000)
        assert asked == []
