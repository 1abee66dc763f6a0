"""Finding one's way: chips, albums, photos by month, documents, and several files at once."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import ask, file_id, open_screen, until
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

HOSTILE = "<script>document.title = 'mine'</script>\nMilk & bread\n"


@pytest.fixture(scope="module")
def shelf(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf") / "library"
    shutil.copytree(media, folder)
    papers = folder / "Papers"
    papers.mkdir()
    (papers / "Notes.txt").write_text(HOSTILE)
    (papers / "page.html").write_text(HOSTILE)
    (papers / "drawing.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{HOSTILE}</svg>')
    leaves = [Image.new("RGB", (300, 420), colour) for colour in ("red", "blue")]
    leaves[0].save(papers / "Lease.pdf", save_all=True, append_images=leaves[1:])
    return folder


async def test_chips_narrow_by_kind_size_and_tag(page: Page) -> None:
    photo = await file_id(page, "Lake.jpg")
    await ask(page, "PATCH", f"/files/{photo}", {"tags": ["summer"]})
    await open_screen(page, "/library")
    await page.get_by_role("button", name="#tag").click()
    await page.get_by_role("button", name="#summer · 1 file").click()
    await expect(page.get_by_role("link", name="Lake")).to_be_visible()
    await expect(page.get_by_role("listitem")).to_have_count(1)
    await page.get_by_role("button", name="#summer").click()
    await page.get_by_role("button", name="Any tag").click()

    await page.get_by_role("button", name="Videos").click()
    await expect(page.get_by_role("link", name=re.compile("Tromsø"))).to_be_visible()
    await page.get_by_role("button", name="Size").click()
    await page.get_by_role("button", name="Over 1 GB").click()
    await expect(page.get_by_text("Nothing found")).to_be_visible()


async def test_a_folder_is_not_called_empty_before_its_answer_is_there(page: Page) -> None:
    answered = asyncio.Event()

    async def slow(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await open_screen(page, "/library")
    films = page.get_by_role("link", name=re.compile("^Films"))
    await expect(films).to_be_visible()
    await page.route(re.compile(r"/files\?.*folder=Films"), slow)
    await films.click()
    await expect(page.get_by_role("heading", name="Films")).to_be_visible()
    await expect(films).to_have_count(0)
    await expect(page.get_by_text("This folder is empty")).to_have_count(0)
    answered.set()
    await expect(page.get_by_role("link", name=re.compile("Tromsø"))).to_be_visible()


async def test_music_by_album_goes_on_while_one_browses(page: Page) -> None:
    await file_id(page, "01 Harbour.mp3")
    await open_screen(page, "/library?type=audio")
    await page.get_by_role("link", name="Slow Ferry Aya Lindqvist").click()
    songs = page.get_by_role("listitem").get_by_role("button", name=re.compile("Harbour|Slow Ferry|Lights"))
    await expect(songs.first).to_contain_text("Harbour")
    await page.get_by_role("button", name="Play all").click()
    sound = "document.querySelector('audio')"
    await until(page, f"{sound} && {sound}.currentTime > 0.3")
    assert await page.evaluate("navigator.mediaSession.metadata.title") == "Harbour"
    assert await page.evaluate("navigator.mediaSession.metadata.album") == "Slow Ferry"

    # Another screen, and the next song of the album begins by itself.
    await page.get_by_role("link", name="Players").click()
    await page.evaluate(f"{sound}.currentTime = {sound}.duration - 0.3")
    await until(page, "navigator.mediaSession.metadata.title === 'Slow Ferry'")
    await expect(page.get_by_role("region", name="Playing now")).to_contain_text("Slow Ferry")
    await page.get_by_role("region", name="Playing now").get_by_role("button").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("Lights Ashore")
    await page.get_by_role("button", name="Close").click()

    await open_screen(page, "/library?type=audio&view=artists")
    await page.get_by_role("link", name=re.compile("Aya Lindqvist")).click()
    await expect(page.get_by_role("heading", name="Aya Lindqvist")).to_be_visible()


async def test_photos_by_month_are_swiped_enlarged_and_shown_one_after_another(page: Page) -> None:
    await open_screen(page, "/library?type=image")
    months = page.locator("main").get_by_role("heading", level=2)
    await expect(months.first).to_have_text(re.compile(r"^\w+ 20\d\d$"))
    assert await months.count() > 1
    await page.locator("a.tile").nth(1).click()
    photo = page.locator(".photo img")
    await until(page, "document.querySelector('.photo img')?.naturalWidth > 100")
    first = await photo.get_attribute("src")

    box = await photo.bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.dblclick(*middle)
    await until(page, "document.querySelector('.photo img').style.transform.includes('scale(2.5)')")
    await page.mouse.dblclick(*middle)
    await until(page, "document.querySelector('.photo img').style.transform.includes('scale(1)')")
    await page.mouse.move(*middle)
    await page.mouse.down()
    await page.mouse.move(middle[0] - 120, middle[1], steps=4)
    await page.mouse.up()
    await expect(photo).not_to_have_attribute("src", first or "")

    second = await photo.get_attribute("src")
    await page.get_by_role("button", name="Slideshow").click()
    await expect(photo).not_to_have_attribute("src", second or "")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Slideshow", exact=True)).to_be_visible()
    await page.get_by_text("Details").click()
    await expect(page.get_by_text("Taken")).to_be_visible()


async def test_documents_are_shown_and_nothing_in_them_runs(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, 'Notes.txt')}")
    await expect(page.get_by_label("What is in it")).to_contain_text(
        "<script>document.title = 'mine'</script>"
    )
    assert await page.title() == "Notes · Mantel"

    await open_screen(page, f"/file/{await file_id(page, 'Lease.pdf')}")
    await expect(page.locator("canvas")).to_have_count(2)
    await until(page, "document.querySelector('canvas').dataset.drawn === 'yes'")
    red = await page.evaluate(
        "[...document.querySelector('canvas').getContext('2d').getImageData(90, 90, 1, 1).data]"
    )
    assert red[0] > 200 > red[2]

    for name in ("page.html", "drawing.svg"):
        found = await page.request.get(f"/files/{await file_id(page, name)}/stream")
        assert found.headers["content-disposition"].startswith("attachment")
        assert found.headers["content-security-policy"].startswith("sandbox")


async def test_several_at_once_are_tagged_shared_and_thrown_away(page: Page, shared_home: House) -> None:
    await open_screen(page, "/library/Photos/2026")
    dunes = page.get_by_role("link", name="Dunes")
    box = await dunes.bounding_box()
    assert box
    # A finger that rests begins it.
    await page.mouse.move(box["x"] + 60, box["y"] + 20)
    await page.mouse.down()
    await expect(page.get_by_role("heading", name="1 selected")).to_be_visible()
    await page.mouse.up()
    await page.get_by_role("checkbox", name="Evening").click()
    await page.get_by_role("button", name="Tag", exact=True).click()
    await page.get_by_label("Tags to add").fill("dusk, 2026")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("2 files tagged")).to_be_visible()
    found = await ask(page, "GET", "/files?tag=dusk")
    assert {one["name"] for one in found["items"]} == {"Dunes.jpg", "Evening.jpg"}

    await page.get_by_role("button", name="Select", exact=True).click()
    for name in ("Dunes", "Evening"):
        await page.get_by_role("checkbox", name=name).click()
    await page.get_by_role("toolbar").get_by_role("button", name="Share").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make a link").click()
    await expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    await page.get_by_role("button", name="Close").click()

    await page.get_by_role("button", name="Select", exact=True).click()
    for name in ("Dunes", "Evening"):
        await page.get_by_role("checkbox", name=name).click()
    await page.get_by_role("button", name="Trash").click()
    await page.get_by_role("dialog").get_by_role("button", name="Move to trash").click()
    await expect(page.get_by_text("2 files in the trash for 30 days")).to_be_visible()
    await expect(page.get_by_role("link", name="Dunes")).to_have_count(0)
    assert not (shared_home.library / "Photos/2026/Dunes.jpg").exists()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Dunes")).to_be_visible()
    assert (shared_home.library / "Photos/2026/Evening.jpg").exists()


async def test_a_folder_is_shared_and_its_maker_sees_who_opened_it(page: Page) -> None:
    await open_screen(page, "/library/Films")
    await page.get_by_role("button", name="Share this folder").click()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_role("textbox", name="Address of the link").input_value()
    await page.get_by_role("button", name="Close").click()
    token = link.rsplit("/s/", 1)[1]
    await ask(page, "POST", f"/s/{token}/open", {"password": None})
    await open_screen(page, "/links")
    await expect(page.get_by_text("opened by 1 browser")).to_be_visible()
    await page.get_by_role("button", name="More: Films").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.get_by_role("group", name=re.compile("Chrom"))).to_be_visible()
    await sheet.get_by_role("button", name="Take back").click()
    await expect(page.get_by_role("button", name="More: Films")).to_have_count(0)
