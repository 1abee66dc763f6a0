"""A phone-sized Chromium in front of the real appliance over real media."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from appliance.web.page import STATIC
from tests.house import ADMIN, PASSWORD, House, house

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
PHONE = {"width": 390, "height": 844}
EXPECTED = ("401", "404", "503")
"""Statuses that the page meets in ordinary life: nobody is signed in, no picture yet, no reports."""


@pytest.fixture
async def home(tmp_path: Path, media: Path) -> AsyncIterator[House]:
    if not (STATIC / "index.html").exists():
        pytest.fail("the page is not built: `make run` or `make test` builds it")
    async with house(tmp_path, media) as found:
        yield found


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def phone(
    browser: Browser, home: House, scheme: str = "light", width: int = 390
) -> AsyncIterator[Page]:
    """A page that nobody has signed in on. Fails at its end if a script failed or the policy was broken."""
    context = await browser.new_context(
        base_url=home.url,
        viewport={"width": width, "height": PHONE["height"]},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    try:
        yield page
    finally:
        await context.close()
    unexpected = [text for text in wrong if not any(f"status of {code}" in text for code in EXPECTED)]
    assert not unexpected, unexpected


async def sign_in(page: Page, username: str = ADMIN, password: str = PASSWORD) -> None:
    await page.goto("/")
    await page.get_by_label("Name").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def open_screen(page: Page, place: str) -> None:
    """`place`: what stands behind the `#`."""
    await page.evaluate("place => { location.hash = place }", place)
