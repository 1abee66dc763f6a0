"""Chapters, frames and EXIF of real files, and the steps of the seek bar as a property."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.errors import NotFound
from appliance.journal.journal import Journal
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.streaming.inside import FRAME_WIDTH, Inside, grid, read_chapters, read_exif
from tests.appliance.library.conftest import settle

EVERYBODY = frozenset(Audience)
CHAPTERS = ";FFMETADATA1\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={start + 3}\ntitle={title}\n"
    for start, title in ((0, "Harbour"), (3, ""))
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inside")
    words = folder / "chapters.txt"
    words.write_text(CHAPTERS)
    colours = "color=red:size=320x180:rate=10:duration=3[a];color=blue:size=320x180:rate=10:duration=3[b]"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"{colours};[a][b]concat", "-i", str(words),
         "-map_chapters", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", str(folder / "film.mkv"),
        ],
        check=True,
    )  # fmt: skip
    words.unlink()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "Two"
    exif.get_ifd(0x8769).update({0x829A: 1 / 120, 0x829D: 1.8, 0x8827: 200, 0x920A: 4.2, 0xA434: "Wide"})
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (64, 48)).save(folder / "photo.jpg", exif=exif)
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42 nothing more")
    return folder


@pytest.fixture
async def opened(
    database: Database, tmp_path: Path, files: Path
) -> AsyncIterator[tuple[Inside, dict[str, str]]]:
    shutil.copytree(files, tmp_path / "media")
    for path in (tmp_path / "media").iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    library = Library(database, Journal(database), [tmp_path / "media"], state=tmp_path / "state")
    await library.adopt_roots()
    await settle(library)
    page = await library.page(FileQuery(), EVERYBODY)
    yield Inside(library), {file.name: file.id for file in page.items}
    await library.stop()


async def test_chapters_frames_and_exif(opened: tuple[Inside, dict[str, str]]) -> None:
    inside, ids = opened
    chapters = await inside.chapters(ids["film.mkv"], EVERYBODY)
    assert [(one.start, one.end, one.title) for one in chapters] == [(0, 3, "Harbour"), (3, 6, "2")]
    assert await inside.chapters(ids["broken.mp4"], EVERYBODY) == ()

    for at, colour in ((0, "red"), (5.5, "blue")):
        frame = await inside.frame(ids["film.mkv"], EVERYBODY, at)
        picture = Image.open(io.BytesIO(frame.jpeg)).convert("RGB")
        red, _, blue = picture.getpixel((50, 50))  # type: ignore[misc]
        assert picture.width == FRAME_WIDTH
        assert (red > blue) == (colour == "red")
    assert (await inside.frame(ids["film.mkv"], EVERYBODY, 0.4)).etag == (
        await inside.frame(ids["film.mkv"], EVERYBODY, 0)
    ).etag
    for name in ("broken.mp4", "photo.jpg"):
        with pytest.raises(NotFound):
            await inside.frame(ids[name], EVERYBODY, 0)

    assert await inside.exif(ids["photo.jpg"], EVERYBODY) == {
        "camera": "Acme Two",
        "lens": "Wide",
        "exposure": "1/120 s",
        "aperture": "f/1.8",
        "iso": "ISO 200",
        "focal": "4 mm",
    }
    with pytest.raises(NotFound):
        await inside.exif(ids["film.mkv"], EVERYBODY)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_film_has_few_frames_and_none_behind_its_end(at: float, duration: float) -> None:
    found = grid(at, duration)
    assert 0 <= found <= (max(0, duration - 1) if duration else at)
    assert len({grid(duration * part / 1000, duration) for part in range(1001)}) <= 202


@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_what_makes_no_sense_is_left_out(said: object) -> None:
    for words in (json.dumps({"chapters": [{"start_time": said, "tags": {"title": said}}]}), "[", ""):
        assert read_chapters(words.encode()) == ()
    assert all(len(text) <= 120 for text in read_exif(json.dumps({"lens": said}).encode()).values())
