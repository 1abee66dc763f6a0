"""A film with chapters, a text track and pictures on its seek bar; and one that no browser plays."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests import media
from tests.browser.conftest import VIDEO, file_id, open_screen, phone, sign_in, until
from tests.house import house

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SECONDS = 60
CHAPTERS = ";FFMETADATA1\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={start + 30}\ntitle={title}\n"
    for start, title in ((0, "Departure"), (30, "The ferry"))
)
CURVE = [0.1] * 70 + [1.0] + [0.2] * 29


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    films = folder / "library" / "Films"
    films.mkdir(parents=True)
    (folder / "chapters.txt").write_text(CHAPTERS)
    (folder / "words.srt").write_text("1\n00:00:01,000 --> 00:00:59,000\nAll aboard\n")
    colours = f"color=red:size=320x180:rate=5:duration={SECONDS // 2}[a];"
    colours += f"color=blue:size=320x180:rate=5:duration={SECONDS // 2}[b];[a][b]concat[v]"
    source = ["-f", "lavfi", "-i", f"sine=duration={SECONDS}", "-filter_complex", colours]
    texts = ["-i", str(folder / "chapters.txt"), "-i", str(folder / "words.srt")]
    subprocess.run(
        ["ffmpeg", "-v", "error", *source[:4], *texts, *source[4:],
         "-map", "[v]", "-map", "0:a", "-map", "2:s", "-map_chapters", "1",
         "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "5",
         "-c:a", "aac", "-c:s", "mov_text", "-metadata:s:s:0", "language=nor", str(films / "A ferry.mp4")],
        check=True,
    )  # fmt: skip
    shutil.copy(films / "A ferry.mp4", films / "B ferry.mp4")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=5:duration=4",
         "-f", "lavfi", "-i", "sine=duration=4", "-c:v", "msmpeg4v2", "-c:a", "ac3", str(films / "Tape.avi")],
        check=True,
    )  # fmt: skip
    return folder / "library"


async def test_chapters_texts_speed_and_two_taps(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, 'A ferry.mp4')}")
    await until(page, f"{VIDEO}?.currentTime > 0.2")
    await page.evaluate(f"{VIDEO}.pause()")
    await page.get_by_role("button", name="Subtitles").click()
    await until(page, f"{VIDEO}.textTracks[0].mode === 'showing' && {VIDEO}.textTracks[0].cues?.length === 1")
    assert await page.evaluate(f"{VIDEO}.textTracks[0].cues[0].text") == "All aboard"

    stage = page.get_by_role("region", name="A ferry")
    await stage.get_by_role("button", name="More", exact=True).click()
    menu = page.get_by_role("dialog")
    await menu.get_by_role("button", name="1.5×").click()
    assert await page.evaluate(f"{VIDEO}.playbackRate") == 1.5
    await expect(menu.get_by_role("button", name="Picture in picture")).to_be_visible()
    await menu.get_by_role("button", name="0:30 · The ferry").click()
    await until(page, f"{VIDEO}.currentTime >= 29.9 && !{VIDEO}.seeking")
    await expect(stage.get_by_text("The ferry")).to_be_visible()

    box = await page.locator("video").bounding_box()
    assert box
    for side, at in ((0.9, 40), (0.1, 30)):
        await page.mouse.dblclick(box["x"] + box["width"] * side, box["y"] + box["height"] * 0.7)
        await until(page, f"Math.abs({VIDEO}.currentTime - {at}) < 1")


async def test_the_seek_bar_shows_the_film_and_where_people_look_again(page: Page) -> None:
    async def curve(route: Route) -> None:
        told = {"segments": CURVE, "enoughData": True, "precision": "exact"}
        await route.fulfill(body=json.dumps(told), content_type="application/json")

    await page.route("**/api/analytics/heatmap**", curve)
    # Without chapters the line between the times is free to tell.
    await page.route("**/chapters", lambda route: route.fulfill(body='{"items": []}'))
    await open_screen(page, f"/file/{await file_id(page, 'A ferry.mp4')}")
    await until(page, f"{VIDEO}?.currentTime > 0.2")
    await page.evaluate(f"{VIDEO}.pause()")
    bar = page.get_by_role("slider", name="Position")
    await expect(page.locator(".bar svg path")).to_have_count(1)

    # As a finger drags: the picture under it comes from the film.
    for at, colour in ((10, 0), (50, 2)):
        await bar.evaluate(
            "(bar, at) => { bar.value = at; bar.dispatchEvent(new Event('input', { bubbles: true })) }", at
        )
        picture = page.locator(f".look img.ready[src$='at={at}']")
        await expect(picture).to_be_visible()
        pixel = await picture.evaluate("""image => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 10, height: 10 })
          const ink = canvas.getContext('2d')
          ink.drawImage(image, 0, 0, 10, 10)
          return [...ink.getImageData(5, 5, 1, 1).data]
        }""")
        assert pixel[colour] > 200
    await bar.evaluate("bar => bar.dispatchEvent(new Event('change', { bubbles: true }))")
    await until(page, f"{VIDEO}.currentTime >= 49")
    await page.get_by_role("button", name="most replayed 0:42").click()
    await until(page, f"Math.abs({VIDEO}.currentTime - 42) < 1")


async def test_after_the_end_the_next_one_is_offered(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, 'A ferry.mp4')}")
    await expect(page.get_by_role("heading", name="Next in Films")).to_be_visible()
    await until(page, f"{VIDEO}?.currentTime > 0.1")
    await page.evaluate(f"{VIDEO}.currentTime = {SECONDS - 0.4}; {VIDEO}.play()")
    await page.get_by_role("button", name="Play next").click()
    await expect(page.get_by_role("heading", name="B ferry")).to_be_visible()
    await until(page, f"{VIDEO}?.currentTime > 0.1")


async def test_it_says_why_a_film_does_not_play_and_what_works(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, 'Tape.avi')}")
    note = page.get_by_role("status").filter(has_text="This browser cannot play it.")
    await expect(note).to_contain_text("It has no decoder for MSMPEG4V2 pictures.")
    await expect(note).to_contain_text("AC-3")
    await note.get_by_role("button", name="Play it on a TV").click()
    await expect(page.get_by_role("dialog", name="Play on")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(note.get_by_role("link", name="Download it")).to_have_attribute(
        "href", re.compile(r"/files/\w+/download")
    )


async def test_its_copy_for_phones_plays_where_the_film_does_not(
    shared_chromium: Browser, shelf: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    async with (
        house(tmp_path, shelf, phone_copies=str(copies)) as home,
        phone(shared_chromium, home) as page,
    ):
        await sign_in(page)
        tape = await file_id(page, "Tape.avi")
        found = (home.library / "Films" / "Tape.avi").stat()
        (copies / f"{tape}-{found.st_size}-{found.st_mtime_ns}.mp4").write_bytes(media.film())
        await open_screen(page, f"/file/{tape}")
        await until(page, f"{VIDEO}?.currentTime > 0.2 && {VIDEO}.currentSrc.endsWith('/files/{tape}/phone')")
        await expect(page.get_by_role("status").filter(has_text="Plays its copy for phones.")).to_be_visible()
