"""What every screen keeps: readable by all, whole on small phones, light to load, strict about scripts."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from appliance.web.page import STATIC
from tests.browser.conftest import open_screen, phone, sign_in
from tests.house import CHECKOUT, House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

AXE = CHECKOUT / "appliance/ui/node_modules/axe-core/axe.min.js"
SCREENS = (
    "/",
    "/library",
    "/library/Films",
    "/library?q=tromso",
    "/add",
    "/players",
    "/insights",
    "/me",
    "/who",
)
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
            await open_screen(page, screen)
            await expect(page.locator("main[tabindex] > *").first).to_be_visible()
            # Skeletons breathe; what is tested is what comes after them.
            await expect(page.locator("main .waiting")).to_have_count(0)
            await page.wait_for_timeout(300)
            found = [f"axe {text}" for text in await violations(page)]
            found += [f"cut: {text}" for text in await page.evaluate(CUT)]
            found += [f"small: {text}" for text in await page.evaluate(SMALL)]
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append("wider than the phone")
            if found:
                wrong[screen] = found
        assert wrong == {}


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
