"""Uploads that go on: after a reload at their offset, a whole folder, what is here already, undo."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import ask, open_screen
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

MIB = 1 << 20
PIECE = 8 * MIB


@pytest.fixture(scope="module")
def shelf(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "library"
    shutil.copytree(media / "Photos", folder / "Photos")
    return folder


async def test_after_a_reload_the_same_file_goes_on_where_it_stopped(
    page: Page, shared_home: House, tmp_path: Path
) -> None:
    film = tmp_path / "Long evening.mp4"
    film.write_bytes(os.urandom(PIECE * 2 + 5))
    offsets: list[int] = []
    lost = asyncio.Event()

    async def second_piece_is_lost(route: Route) -> None:
        if route.request.method != "PATCH":
            await route.continue_()
            return
        offsets.append(int(route.request.headers["upload-offset"]))
        if offsets[-1] and not lost.is_set():
            lost.set()
            await route.fulfill(status=503)
        else:
            await route.continue_()

    await page.route("**/files/tus/*", second_piece_is_lost)
    await open_screen(page, "/add/Evenings")
    await page.locator("input[type=file]").first.set_input_files(film)
    async with asyncio.timeout(30):
        await lost.wait()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.reload()
    note = page.get_by_role("status").filter(has_text="1 upload unfinished")
    await expect(note).to_contain_text(film.name)
    offsets.clear()
    await page.locator("input[type=file]").first.set_input_files(film)
    await expect(page.get_by_text("On the disk, verified")).to_be_visible(timeout=30_000)
    assert offsets[0] == PIECE
    assert (shared_home.library / "Evenings" / film.name).read_bytes() == film.read_bytes()
    await expect(note).to_have_count(0)

    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("Taken back")).to_be_visible()
    assert not (shared_home.library / "Evenings" / film.name).exists()


async def test_a_whole_folder_comes_with_its_folders_and_without_what_is_here(
    page: Page, shared_home: House, tmp_path: Path
) -> None:
    trip = tmp_path / "Trip"
    for name in ("day 1/a.jpg", "day 2/b.jpg"):
        (trip / name).parent.mkdir(parents=True, exist_ok=True)
        (trip / name).write_bytes(next(shared_home.library.rglob("*.jpg")).read_bytes() + name.encode())
    lake = next(shared_home.library.rglob("Lake.jpg"))
    shutil.copy(lake, trip / "day 2" / "Lake.jpg")
    await open_screen(page, "/add/Photos")
    await page.locator("input[webkitdirectory]").set_input_files(trip)
    await expect(page.get_by_text("1 of 3 were already here")).to_be_visible()
    await expect(page.get_by_text("On the disk, verified")).to_have_count(2)
    assert (shared_home.library / "Photos/Trip/day 1/a.jpg").exists()
    assert (shared_home.library / "Photos/Trip/day 2/b.jpg").exists()
    folders = await ask(page, "GET", "/folders?path=Photos/Trip")
    assert [one["name"] for one in folders["items"]] == ["day 1", "day 2"]
