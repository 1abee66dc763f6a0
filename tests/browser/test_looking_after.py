"""An admin's screens: people, the box, settings, who plays now, what was opened; and one's own profile."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import VIDEO, ask, file_id, new_phone, open_screen, sign_in, until
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

PASSWORD, NEW = "a lamp by the door", "another lamp, another door"


async def test_a_person_is_added_and_changes_the_own_password(
    page: Page, shared_chromium: Browser, shared_home: House
) -> None:
    await open_screen(page, "/who")
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_role("textbox", name="Name").fill("Mira")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("radio", name=re.compile("^Viewer")).check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("group", name="Mira")).to_be_visible()
    await page.get_by_role("button", name="More: Mira").click()
    await page.get_by_role("radio", name=re.compile("^Editor")).check()
    await expect(page.get_by_role("group", name="Mira")).to_contain_text("Editor")

    context = await new_phone(shared_chromium, shared_home)
    theirs = await context.new_page()
    await sign_in(theirs, "Mira", PASSWORD)
    await open_screen(theirs, "/me")
    await expect(theirs.get_by_role("link", name="Who can get in")).to_have_count(0)
    await theirs.get_by_role("button", name="Change password").click()
    await theirs.get_by_label("Password now").fill(PASSWORD)
    await theirs.get_by_label("New password").fill(NEW)
    await theirs.get_by_role("button", name="Save").click()
    await expect(theirs.get_by_text("The password is changed")).to_be_visible()

    # What is recorded of one is there for the one.
    await open_screen(theirs, f"/file/{await file_id(theirs, 'Lake.jpg')}")
    await expect(theirs.get_by_role("heading", name="Lake")).to_be_visible()
    told = "fetch('/me/log').then(one => one.text()).then(text => text.includes('Lake.jpg'))"
    await until(theirs, told)
    await open_screen(theirs, "/mine")
    await expect(theirs.get_by_role("link", name=re.compile("Lake.jpg Looked at"))).to_be_visible()

    # The admin ends that device: it is at the door at once.
    hers = page.get_by_role("group", name="Chrome on Linux").filter(has_text="Mira")
    await hers.get_by_role("button", name="Sign out").click()
    await expect(theirs.get_by_role("button", name="Sign in")).to_be_visible()
    await context.close()


async def test_who_plays_now_and_what_was_opened(page: Page) -> None:
    film = await file_id(page, "The Long Way to Tromsø.mp4")
    await open_screen(page, f"/file/{film}")
    await until(page, f"{VIDEO}?.currentTime > 0.5")
    await open_screen(page, "/insights")
    now = page.get_by_role("region", name="Playing now").or_(page.locator("section", has_text="Playing now"))
    await expect(now.first).to_contain_text("The Long Way to Tromsø")
    await expect(page.get_by_text("admin plays")).to_be_visible()
    await page.get_by_role("link", name=re.compile("What was opened")).click()
    await page.get_by_label("What", exact=True).select_option("Looked at")
    await expect(
        page.get_by_role("link", name=re.compile("Tromsø.mp4 Looked at · admin")).first
    ).to_be_visible()
    await page.get_by_role("searchbox").fill("nobody of this name")
    await expect(page.get_by_text("Nothing is recorded for this")).to_be_visible()
    await page.get_by_role("searchbox").fill("tromsø")
    sheet = page.get_by_role("link", name="As a table (CSV)")
    await expect(sheet).to_have_attribute("href", re.compile("q=troms"))
    answer = await page.request.get(await sheet.get_attribute("href") or "")
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert {row["file_name"] for row in rows} == {"The Long Way to Tromsø.mp4"}


async def test_the_box_tells_how_it_does_and_takes_settings(page: Page) -> None:
    await open_screen(page, "/box")
    await expect(page.get_by_text(re.compile("free of"))).to_be_visible()
    await expect(page.get_by_text("SQLite")).to_be_visible()
    await page.get_by_label("Visitors without a password").select_option("on")
    await expect(page.get_by_text("Changed", exact=True)).to_be_visible()
    assert (await ask(page, "GET", "/auth/setup"))["guest"] is True
    days = page.get_by_label("Days that the log is kept")
    await days.fill("30")
    await days.press("Tab")
    await until(page, "fetch('/settings').then(one => one.text()).then(text => /\\b30\\b/.test(text))")
    await page.get_by_label("Who sees it: Films").select_option("Household")
    shut = "found.items.some(one => one.name === 'Films' && one.audience === 'household')"
    await until(page, f"fetch('/folders?path=').then(one => one.json()).then(found => {shut})")


async def test_renamed_tagged_and_kept_as_a_favourite(page: Page, shared_home: House) -> None:
    await open_screen(page, f"/file/{await file_id(page, 'Dunes.jpg')}")
    await page.get_by_role("button", name="Favourite").click()
    await page.get_by_role("button", name="More: Dunes").click()
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("Rename").fill("Dunes at dusk.jpg")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Dunes at dusk")).to_be_visible()
    assert (shared_home.library / "Photos/2026/Dunes at dusk.jpg").exists()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("region", name="Favourites").get_by_role("link")).to_have_count(1)
