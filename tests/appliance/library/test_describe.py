"""What the appliance itself finds in real media, in the parse cell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.describe import FEW
from appliance.library.items import File, FileQuery, Kind
from appliance.library.library import Library
from appliance.library.probe import probe
from tests import media
from tests.appliance.library.conftest import EVERYBODY, put


@pytest.fixture
async def running(database: Database, root: Path, tmp_path: Path) -> AsyncIterator[Library]:
    made = Library(database, Journal(database), [root], state=tmp_path / "state")
    await made.start()
    yield made
    await made.stop()


async def until(library: Library, true: Callable[[dict[str, File]], bool]) -> dict[str, File]:
    """The files, by name, once `true` of them; a failure shows them."""
    files: dict[str, File] = {}
    for _ in range(150):
        page = await library.page(FileQuery(limit=200), EVERYBODY)
        files = {file.name: file for file in page.items}
        if true(files):
            return files
        await asyncio.sleep(0.1)
    raise AssertionError(files)


async def test_real_media_are_described(running: Library, root: Path) -> None:
    put(root, "film.mp4", media.film())
    put(root, "film.mkv", media.matroska())
    put(root, "upright.mp4", media.upright_film())
    put(root, "song.mp3", media.song())
    put(root, "flat.flac", media.flac())
    put(root, "photo.jpg", media.photo(orientation=6, taken="2024:07:01 12:30:00"))
    files = await until(
        running, lambda files: len(files) == 6 and all(f.facts.get("codecs") for f in files.values())
    )
    film = files["film.mp4"]
    assert film.duration_sec == pytest.approx(4, abs=0.1)
    assert (film.resolution, film.title) == ("320x180", "A film")
    assert (
        film.facts["codecs"] | {"container": "mp4", "video": "h264", "audio": "aac"} == film.facts["codecs"]
    )
    assert files["film.mkv"].facts["codecs"]["container"] == "matroska"
    assert (files["upright.mp4"].resolution, files["upright.mp4"].facts["rotation"]) == ("180x320", 90)
    song = files["song.mp3"]
    assert (song.artist, song.album, song.title) == ("Sigrún", "Tromsø", "Long Song")
    assert song.facts["hasCover"] is True
    assert song.resolution is None
    assert files["flat.flac"].artist == "Band"
    photo = files["photo.jpg"]
    assert (photo.resolution, photo.facts["takenAt"]) == ("480x640", "2024-07-01T12:30:00")
    found = await running.page(FileQuery(query="sigrun tromso"), EVERYBODY)
    assert [file.name for file in found.items] == ["song.mp3"]


async def test_a_broken_file_is_noted_once(running: Library, root: Path, database: Database) -> None:
    put(root, "broken.mp4", b"no film at all")
    put(root, "cut.mp4", media.film()[:3000])
    put(root, "empty.mp3", b"")
    put(root, "not.jpg", b"GIF89a but not really")

    async def noted() -> list[str]:
        from sqlalchemy import select

        from appliance.library.tables import files

        async with database.read() as connection:
            return [row.facts_from for row in await connection.execute(select(files.c.facts_from))]

    for _ in range(100):
        if await noted() == ["broken"] * 4:
            break
        await asyncio.sleep(0.1)
    assert await noted() == ["broken"] * 4
    assert await running.undescribed(10) == []
    put(root, "broken.mp4", media.film())
    await until(running, lambda files: files["broken.mp4"].resolution == "320x180")


async def test_a_file_dropped_into_a_folder_made_just_now_is_listed_and_described(
    running: Library, root: Path
) -> None:
    (root / "New/deep").mkdir(parents=True)
    (root / "New/deep/film.mp4").write_bytes(media.film())
    await until(running, lambda files: "film.mp4" in files and files["film.mp4"].resolution == "320x180")
    (root / "New/deep/film.mp4").rename(root / "New/other.mp4")
    await until(running, lambda files: set(files) == {"other.mp4"})
    (root / "New/other.mp4").unlink()
    await until(running, lambda files: not files)


async def test_a_playlist_that_calls_itself_a_film_opens_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(media.film("Secret"))
    for text in (
        f"#EXTM3U\n#EXTINF:4,\nfile:{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{tmp_path}/secret.mp4'\n",
    ):
        (tmp_path / "film.mp4").write_text(text)
        fd = os.open(tmp_path / "film.mp4", os.O_RDONLY)
        facts = await probe(fd, Kind.VIDEO, "a" * 16, 1, 1)
        os.close(fd)
        assert facts.broken
        assert facts.tags is None


async def test_what_the_daemon_left_is_described_once_it_is_away(
    database: Database, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.library.describe.ASK_AGAIN", 0.05)
    for number in range(FEW + 1):
        put(root, f"{number}.jpg", media.photo())
    away = False
    made = Library(database, Journal(database), [root], state=tmp_path / "state", describe_all=lambda: away)
    await made.start()
    try:
        await until(made, lambda files: len(files) == FEW + 1)
        await asyncio.sleep(1)
        assert len(await made.undescribed(100)) == FEW + 1
        away = True
        await until(made, lambda files: all(file.resolution for file in files.values()))
    finally:
        await made.stop()
