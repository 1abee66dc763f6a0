"""A TV that nobody knows shows a code; the admin's page lets it in, and shuts it out again."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.appliance.lan.television import titles
from tests.browser.conftest import open_screen, phone, sign_in
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


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
        await page.get_by_role("button", name=re.compile("^Block: .*127.0.0.1")).click()
        await expect(allow).to_be_visible()
        assert await titles(home.lan_url, "0") == ["This TV is blocked"]
