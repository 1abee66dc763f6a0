"""A phone's browser on a host of its own, beside the appliance and the TVs of a house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from playwright.async_api import Page, async_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, sign_in
from tests.netns import House


@asynccontextmanager
async def phone_in(
    house: House, url: str, scheme: str = "light", width: int = 390, pages: int = 1
) -> AsyncIterator[list[Page]]:
    """Pages of one signed-in phone; fails at its end if a script failed."""
    async with AsyncExitStack() as stack:
        with house.phone.entered():  # Chromium is a child of Playwright's own process
            playwright = await stack.enter_async_context(async_playwright())
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await browser.new_context(
            base_url=url,
            viewport={"width": width, "height": 844 if width == 390 else 740},
            has_touch=True,
            is_mobile=True,
            color_scheme="dark" if scheme == "dark" else "light",
            locale="en-GB",
        )
        context.set_default_timeout(20_000)
        wrong: list[str] = []
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        opened = [await context.new_page() for _ in range(pages)]
        await sign_in(opened[0])
        for page in opened[1:]:
            await page.goto("/")
        yield opened
        await browser.close()
        assert not wrong, wrong
