"""A TV that nobody knows shows a code; the admin's page lets it in, and shuts it out again."""

from __future__ import annotations

import os
import re

import pytest
from playwright.async_api import Browser, expect

from tests.appliance.lan.television import browse, title, titles
from tests.browser.conftest import open_screen, phone, sign_in
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


async def folders_shown(lan_url: str) -> list[str]:
    """What lies in the view "Folders" of a TV at 127.0.0.1."""
    (view,) = [one for one in await browse(lan_url, "0") if title(one) == "Folders"]
    return await titles(lan_url, str(view.get("id")))


async def test_an_admin_lets_a_tv_in_and_shuts_it_out(chromium: Browser, home: House) -> None:
    (entry,) = await titles(home.lan_url, "0")
    code = entry[-4:]
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/who")
        row = page.get_by_role("listitem").filter(has_text=code)
        await expect(row).to_contain_text("at 127.0.0.1")
        await row.get_by_role("button", name=re.compile("^Allow: ")).click()
        allow = page.get_by_role("button", name=re.compile("^Allow: .*127.0.0.1"))
        await expect(allow).to_be_hidden()
        assert {"Folders", "Videos", "Music", "Photos"} <= set(await titles(home.lan_url, "0"))
        await page.get_by_role("button", name=re.compile("^More.*127.0.0.1")).click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_role("textbox", name="Name").fill("Kitchen TV")
        await sheet.get_by_role("checkbox", name="Films").check()
        if folder := os.environ.get("SHOTS"):
            await page.screenshot(path=f"{folder}/tv-sheet.png")
        await sheet.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("1 folder only")).to_be_visible()
        assert await folders_shown(home.lan_url) == ["Films"]
        await page.get_by_role("button", name="Block: Kitchen TV").click()
        await expect(page.get_by_role("button", name="Allow: Kitchen TV")).to_be_visible()
        assert await titles(home.lan_url, "0") == ["This TV is blocked"]
