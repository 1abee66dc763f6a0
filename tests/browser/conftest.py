"""A phone-sized Chromium in front of the real appliance over real media.

A test that changes nothing for others shares the module's house and its signed-in phone (`page`); one that
stops the house, or wants it empty, has its own (`home`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

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
EXPECTED = ("401", "404", "409", "503")
"""Statuses of ordinary life: nobody is signed in, no picture yet, no repacking helps, no reports."""
VIDEO = "document.querySelector('video')"
expect.set_options(timeout=20_000)


@pytest.fixture
async def home(tmp_path: Path, media: Path) -> AsyncIterator[House]:
    _built()
    async with house(tmp_path, media) as found:
        yield found


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


def _built() -> None:
    if not (STATIC / "index.html").exists():
        pytest.fail("the page is not built: `make run` or `make test` builds it")


@pytest.fixture(scope="module")
def shelf(media: Path) -> Path:
    """What stands on the shelf of the module's house; a module may give another."""
    return media


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_home(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> AsyncIterator[House]:
    """One house for all tests of a module."""
    _built()
    async with house(tmp_path_factory.mktemp("house"), shelf) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(shared_chromium: Browser, shared_home: House) -> AsyncIterator[BrowserContext]:
    """The module's phone, on which the admin is signed in."""
    context = await new_phone(shared_chromium, shared_home)
    page = await context.new_page()
    await sign_in(page)
    await page.close()
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(signed_in: BrowserContext) -> AsyncIterator[Page]:
    """A page of the module's phone, at home. Fails at its end if a script failed or the policy was broken."""
    opened = await signed_in.new_page()
    async with watched(opened):
        await opened.goto("/")
        await expect(opened.get_by_role("navigation", name="Main")).to_be_visible()
        yield opened
        await opened.close()


async def new_phone(browser: Browser, home: House, scheme: str = "light", width: int = 390) -> BrowserContext:
    context = await browser.new_context(
        base_url=home.url,
        viewport={"width": width, "height": PHONE["height"] if width == PHONE["width"] else 740},
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
    )
    context.set_default_timeout(30_000)
    return context


@asynccontextmanager
async def watched(page: Page) -> AsyncIterator[None]:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield
    unexpected = [text for text in wrong if not any(f"status of {code}" in text for code in EXPECTED)]
    assert not unexpected, unexpected


@asynccontextmanager
async def phone(
    browser: Browser, home: House, scheme: str = "light", width: int = 390
) -> AsyncIterator[Page]:
    """A page that nobody has signed in on, checked as `page` is."""
    context = await new_phone(browser, home, scheme, width)
    page = await context.new_page()
    async with watched(page):
        try:
            yield page
        finally:
            await context.close()


async def sign_in(page: Page, username: str = ADMIN, password: str = PASSWORD) -> None:
    await page.goto("/")
    await page.get_by_label("Name").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


async def open_screen(page: Page, place: str) -> None:
    """`place`: what stands behind the `#`."""
    await page.evaluate("place => { location.hash = place }", place)


async def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Waits for a condition in the page. Playwright's own way needs eval, which the page's policy forbids."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(condition):
            await asyncio.sleep(0.05)


async def ask(page: Page, method: str, path: str, body: Any = None) -> Any:
    """What the appliance answers to the page itself, with its cookies."""
    found = await page.evaluate(
        """async ([method, path, body]) => {
          const init = { method }
          if (body !== null) {
            init.body = JSON.stringify(body)
            init.headers = { "content-type": "application/json" }
          }
          const answer = await fetch(path, init)
          return [answer.status, await answer.text()]
        }""",
        [method, path, body],
    )
    status, text = found
    assert status < 300, (status, text)
    return json.loads(text) if text else None


async def file_id(page: Page, name: str) -> str:
    """Of a file on the shelf, once it is described."""
    async with asyncio.timeout(30):
        while True:
            for one in (await ask(page, "GET", "/files?page_size=200"))["items"]:
                described = one["type"] not in ("video", "audio") or one["duration_sec"]
                if one["name"] == name and described:
                    return str(one["id"])
            await asyncio.sleep(0.2)
