"""The first evening with Mantel, on a phone: come in, look, play, seek, add."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import VIDEO, open_screen, phone, sign_in, until
from tests.house import House
from tests.house import sign_in as by_bearer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

FILM = "The Long Way to Tromsø"


async def add_film(home: House, name: str) -> None:
    """As another phone adds one."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("folder", "Films")
    film = next((home.library / "Films").glob("*.mp4")).read_bytes() + name.encode()
    form.add_field("file", film, filename=name, content_type="video/mp4")
    async with by_bearer(home) as http, http.post("/files/upload", data=form) as answer:
        assert answer.status == 201


async def test_wrong_password_is_told_and_the_right_one_opens_the_shelf(
    chromium: Browser, home: House
) -> None:
    async with phone(chromium, home) as page:
        await page.goto("/")
        await page.get_by_label("Name").fill("admin")
        await page.get_by_label("Password").fill("not this one")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("Name or password do not fit.")
        await sign_in(page)
        await expect(page.get_by_role("region", name="Just added").get_by_role("link").nth(1)).to_be_visible()


async def test_a_film_plays_and_seeks_by_ranges_and_is_gone_on_with(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as page:
        await sign_in(page)
        await page.get_by_role("link", name="Library").click()
        await page.get_by_role("link", name=re.compile("^Films")).click()
        statuses: list[int] = []
        page.on(
            "response", lambda answer: statuses.append(answer.status) if "/stream" in answer.url else None
        )
        await page.get_by_role("link", name=FILM).click()
        video = page.locator("video")
        await expect(video).to_be_visible()
        await until(page, f"{VIDEO}.currentTime > 0.5")
        assert await page.evaluate(f"{VIDEO}.videoWidth") == 1280

        await page.evaluate(f"{VIDEO}.pause()")
        await page.get_by_role("slider", name="Position").fill("12")
        await until(page, f"{VIDEO}.currentTime >= 12")
        assert set(statuses) == {206}

        # It goes on, small, while one browses; one tap brings it back.
        await page.evaluate(f"{VIDEO}.play()")
        await page.get_by_role("link", name="Home").click()
        await expect(page.get_by_role("region", name="Playing now")).to_contain_text(FILM)
        before = await page.evaluate(f"{VIDEO}.currentTime")
        await until(page, f"{VIDEO}.currentTime > {before}")

    async with by_bearer(home) as http, http.get("/files", params={"query": FILM}) as answer:
        film = (await answer.json())["items"][0]
    async with by_bearer(home) as http, http.get(f"/files/{film['id']}/position") as answer:
        # A clip this short begins anew each time.
        assert (await answer.json())["seconds"] is None


async def test_search_forgives_and_finds(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as page:
        await sign_in(page)
        await page.get_by_role("link", name="Search").click()
        field = page.get_by_role("searchbox")
        await expect(field).to_be_focused()
        await field.fill("tromso")
        await expect(page.get_by_role("link", name=FILM)).to_be_visible()
        await field.fill("zzzzqqq")
        await expect(page.get_by_text("Nothing found")).to_be_visible()


async def test_what_is_added_lies_on_the_disk_and_in_the_list(
    chromium: Browser, home: House, tmp_path: Path
) -> None:
    photo = tmp_path / "Évening.jpg"
    photo.write_bytes(next((home.library / "Photos").rglob("*.jpg")).read_bytes() + b"\0")
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/add/Photos")
        await page.locator("input[type=file]").first.set_input_files(photo)
        await expect(page.get_by_text("On the disk, verified")).to_be_visible()
        assert (home.library / "Photos" / photo.name).read_bytes() == photo.read_bytes()

        await page.locator("input[type=file]").first.set_input_files(photo)
        await expect(page.get_by_text("1 of 2 were already here")).to_be_visible()

        await open_screen(page, "/library/Photos")
        await expect(page.get_by_role("link", name="Évening")).to_be_visible()


async def test_a_file_of_another_phone_appears_by_itself(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/library/Films")
        await expect(page.get_by_role("link", name=FILM)).to_be_visible()
        await add_film(home, "From another phone.mp4")
        await expect(page.get_by_role("link", name="From another phone")).to_be_visible()


async def test_a_container_that_chromium_does_not_open_is_repacked(
    chromium: Browser, home: House, tmp_path: Path
) -> None:
    source = home.library / "Films" / f"{FILM}.mp4"
    stream = tmp_path / "Old camera.ts"
    argv = ["ffmpeg", "-v", "error", "-i", str(source), "-c", "copy", "-f", "mpegts", str(stream)]
    assert await (await asyncio.create_subprocess_exec(*argv)).wait() == 0
    form = aiohttp.FormData()
    form.add_field("folder", "Films")
    form.add_field("file", stream.read_bytes(), filename=stream.name.replace(" ", "-"))
    async with by_bearer(home) as http, http.post("/files/upload", data=form) as answer:
        assert answer.status == 201
        file_id = (await answer.json())["files"][0]["id"]
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, f"/file/{file_id}")
        await expect(page.get_by_text("Repacked on the way.")).to_be_visible()
        await until(page, f"{VIDEO}.currentTime > 0.5 && {VIDEO}.videoWidth === 1280")
        await page.get_by_role("slider", name="Position").fill("10")
        await until(page, f"{VIDEO}.src.endsWith('start=10') && {VIDEO}.currentTime > 0.2")


async def test_what_is_thrown_away_comes_back(chromium: Browser, home: House) -> None:
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/library/Films")
        await page.get_by_role("button", name=f"More: {FILM}").click()
        throw = page.get_by_role("button", name="Move to trash")
        pressed = await throw.element_handle()
        await page.get_by_role("dialog").evaluate(
            "sheet => Promise.all(sheet.getAnimations().map(one => one.finished)).then(() => true)"
        )
        box = await throw.bounding_box()
        assert pressed
        assert box
        # Something arrives while the finger is down: what it is on stays where it is.
        await page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
        await page.mouse.down()
        await add_film(home, "Arrived meanwhile.mp4")
        await expect(page.get_by_text("Arrived meanwhile").first).to_be_attached()
        assert await pressed.evaluate("element => element.isConnected")
        assert await throw.bounding_box() == box
        await page.mouse.up()
        await expect(page.get_by_role("link", name=FILM)).to_have_count(0)
        assert not (home.library / "Films" / f"{FILM}.mp4").exists()
        await open_screen(page, "/trash")
        await page.get_by_role("button", name=f"Bring back: {FILM}").click()
        await expect(page.get_by_text("The trash is empty")).to_be_visible()
        assert (home.library / "Films" / f"{FILM}.mp4").exists()
