"""Who comes in without a password of their own: a phone that scans a code, somebody who was sent a link."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import open_screen, phone, sign_in
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
FILM = "The Long Way to Tromsø"


def here(link: str, home: House) -> str:
    """Links name the address that the household reaches; the house of a test is on loopback alone."""
    return re.sub(r"^https?://[^/]+", home.url, link)


async def test_another_phone_comes_in_by_the_code_and_its_number(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as mine, phone(chromium, home) as other:
        await sign_in(mine)
        await open_screen(mine, "/me")
        await mine.get_by_role("button", name="Let another device in").click()
        await expect(mine.get_by_role("img", name="QR code for signing in")).to_be_visible()
        link = await mine.get_by_role("dialog").get_by_text(re.compile("^http")).inner_text()

        await other.goto(here(link, home))
        shown = other.locator(".number")
        await expect(shown).to_have_text(re.compile(r"^\d+$"))
        number = await shown.inner_text()
        assert "#" not in other.url
        await mine.get_by_role("button", name=number, exact=True).click()
        await expect(other.get_by_role("navigation", name="Main")).to_be_visible()
        await expect(mine.get_by_role("dialog")).to_be_hidden()


async def test_a_link_opens_only_by_a_tap_and_only_what_it_leads_to(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as mine, phone(chromium, home) as theirs:
        await sign_in(mine)
        await open_screen(mine, "/library/Films")
        await mine.get_by_role("link", name=FILM).click()
        await mine.get_by_role("main").get_by_role("button", name="Share").click()
        sheet = mine.get_by_role("dialog")
        await sheet.get_by_role("checkbox", name=re.compile("One browser only")).check()
        await sheet.get_by_role("button", name="Make a link").click()
        link = await sheet.get_by_role("textbox", name="Address of the link").input_value()

        await theirs.goto(here(link, home))
        await expect(theirs.get_by_role("heading", name="Something was shared with you")).to_be_visible()
        assert await theirs.locator("video").count() == 0
        await theirs.get_by_role("button", name="Open").click()
        await expect(theirs.locator("video")).to_be_visible()
        await expect(theirs.get_by_role("link", name=re.compile("^Download"))).to_be_visible()
        # The way into the house itself stays shut.
        assert (await theirs.request.get("/files")).status == 401
