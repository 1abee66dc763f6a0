"""The real daemon says of every kind of file what ffprobe and Pillow say of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.library.facts import Facts, read_facts
from appliance.library.items import Kind
from appliance.library.probe import probe
from tests import media
from tests.house import House, house
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(180)]

_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=4")
_PICTURE = ("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=4")
_TAGS = ("-metadata", "title=Long Song", "-metadata", "artist=Sigrún", "-metadata", "album=Tromsø")
_TEN_BIT = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-c:a", "aac")


def _with_subtitles() -> bytes:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".srt", mode="w") as words:
        words.write("1\n00:00:01,000 --> 00:00:02,000\nHei\n\n")
        words.flush()
        texts = ("-i", words.name, "-map", "0", "-map", "1", "-map", "2", "-c:s", "mov_text")
        return media.ffmpeg(
            *_PICTURE, *_TONE, *texts, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
            "-c:a", "aac", "-metadata:s:s:0", "language=nor", format_name="mp4",
        )  # fmt: skip


def files() -> dict[str, bytes]:
    """Every kind that a household has, by name."""
    return {
        "film.mp4": media.film(),
        "upright.mp4": media.upright_film(),
        "subtitled.mp4": _with_subtitles(),
        "ten bit.mp4": media.ffmpeg(*_PICTURE, *_TONE, *_TEN_BIT, format_name="mp4"),
        "new.mp4": media.ffmpeg(
            *_PICTURE, *_TONE, "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
            "-x265-params", "log-level=none", "-tag:v", "hvc1", "-c:a", "aac", format_name="mp4",
        ),
        "fragments.mp4": media.ffmpeg(
            *_PICTURE, *_TONE, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast",
            "-movflags", "frag_keyframe+empty_moov", format_name="mp4",
        ),
        "camera.mov": media.ffmpeg(
            *_PICTURE, *_TONE, "-c:v", "libx264", "-pix_fmt", "yuv420p", format_name="mov"
        ),
        "film.mkv": media.matroska(),
        "film.webm": media.ffmpeg(
            *_PICTURE, *_TONE, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus",
            format_name="webm",
        ),
        "song.mp3": media.song(),
        "flat.flac": media.flac(),
        "song.ogg": media.ffmpeg(*_TONE, *_TAGS, "-c:a", "libvorbis", format_name="ogg"),
        "song.opus": media.ffmpeg(*_TONE, *_TAGS, "-c:a", "libopus", format_name="opus"),
        "song.m4a": media.ffmpeg(*_TONE, *_TAGS, "-c:a", "aac", format_name="m4a"),
        "song.wav": media.ffmpeg(*_TONE, format_name="wav"),
        "photo.jpg": media.camera_photo(),
        "photo.heic": media.heic_photo(),
        "photo.png": media.ffmpeg(*_PICTURE, "-frames:v", "1", format_name="png"),
        "photo.avif": _avif(),
        "torn.mp4": media.film()[:20_000],
        "torn.mp3": b"ID3 and nothing more",
        "torn.jpg": media.camera_photo()[:60],
        "playlist.mkv": b"#EXTM3U\n#EXTINF:1,\nfile:film.mp4\n",
    }  # fmt: skip


def _avif() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "AVIF")
    return out.getvalue()


def rows(database: Path, query: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()


async def until_all_are_hashed(home: House, count: int) -> dict[str, str]:
    """Checksums by name, as the appliance was told them."""
    found: dict[str, str | None] = {}
    for _ in range(600):
        found = {
            row["name"]: row["sha256"]
            for row in rows(home.state / "mantel.db", "select name, sha256 from files")
        }
        told = {name: checksum for name, checksum in found.items() if checksum}
        if len(told) == count:
            return told
        await asyncio.sleep(0.1)
    raise AssertionError(found)


def by_daemon(home: House) -> dict[str, dict[str, Any]]:
    """What the daemon itself found, by name, in the words of the feed."""
    query = "select l.name, f.facts from file_facts f join library_file l on l.file_id = f.file_id"
    return {row["name"]: json.loads(row["facts"]) for row in rows(home.state / "analytics.db", query)}


async def by_probe(path: Path) -> Facts:
    fd = os.open(path, os.O_RDONLY)
    try:
        return await probe(fd, kind_of(path.name), "0" * 16, 0, 0)
    finally:
        os.close(fd)


def kind_of(name: str) -> Kind:
    ending = name.rpartition(".")[2]
    if ending in ("jpg", "heic", "png", "avif"):
        return Kind.IMAGE
    return Kind.AUDIO if ending in ("mp3", "flac", "ogg", "opus", "m4a", "wav") else Kind.VIDEO


def plain(fact: Facts) -> dict[str, Any]:
    """Nothing known and nothing said is the same here; the bitrate each reckons its own way."""
    return {name: value or None for name, value in asdict(replace(fact, bitrate=None)).items()}


async def test_daemon_and_probe_say_the_same(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    made = files()
    for name, content in made.items():
        (library / name).write_bytes(content)
        os.utime(library / name, (time.time() - 60, time.time() - 60))
    async with house(
        tmp_path, module="appliance.run", analytics="on", analytics_port=str(free_port())
    ) as home:
        checksums = await until_all_are_hashed(home, len(made))
        told = by_daemon(home)
        log = (home.state / "analytics.log").read_text()
    assert checksums == {name: hashlib.sha256(content).hexdigest() for name, content in made.items()}
    for name in made:
        said = read_facts({"fileId": "0" * 16, "size": 0, "mtimeNs": "0", **told[name]})
        true = await by_probe(library / name)
        if name == "photo.heic":  # Pillow alone cannot read it
            true = replace(
                true, broken=False, resolution="480x640", codecs={"container": "heif"},
                taken_at="2024-07-01T12:30:00",
            )  # fmt: skip
        if kind_of(name) is Kind.IMAGE:  # Pillow's answer has none
            said = replace(said, rotation=None, tags=None, has_cover=None)
        assert said.duration_sec == pytest.approx(true.duration_sec, abs=0.002), name
        assert plain(replace(said, duration_sec=None)) == plain(replace(true, duration_sec=None)), name
    assert (told["photo.jpg"]["camera"], told["photo.jpg"]["rotation"]) == ("Fairphone FP5", 90)
    assert told["photo.heic"]["camera"] == "Fairphone FP5"
    # noted once each
    assert log.count("set aside") == sum(facts.get("broken", False) for facts in told.values()) == 4


COPIES = 400


@pytest.mark.timeout(400)
async def test_the_queue_outlives_the_daemon(tmp_path: Path) -> None:
    """Killed three times in the middle: every file is read in the end, and none is called broken."""
    library = tmp_path / "library"
    library.mkdir()
    for number in range(COPIES):
        for name, content in (("song.mp3", media.song()), ("photo.jpg", media.camera_photo())):
            path = library / f"{number} {name}"
            path.write_bytes(content)
            os.utime(path, (time.time() - 3600, time.time() - 3600))
    async with house(
        tmp_path, module="appliance.run", analytics="on", analytics_port=str(free_port())
    ) as home:
        store = home.state / "analytics.db"
        killed = 0
        # Files are read at the lowest priority: on a busy machine that takes its time.
        for _ in range(3000):
            await asyncio.sleep(0.1)
            with contextlib.suppress(sqlite3.OperationalError):
                (done,) = rows(store, "select count(*) from file_facts where facts <> '{}'")[0]
                if killed < 3 and done > killed * COPIES / 3 + 50:
                    os.kill(daemon_of(home), signal.SIGKILL)
                    killed += 1
                if done == 2 * COPIES:
                    break
        assert killed == 3
        assert [
            row["failure"] for row in rows(store, "select failure from file_facts") if row["failure"]
        ] == []
        assert rows(store, "select * from analysis_job where kind = 'describe'") == []


def daemon_of(home: House) -> int:
    """The process that `make run` keeps beside the appliance."""
    children = Path(f"/proc/{home.process.pid}/task/{home.process.pid}/children").read_text().split()
    (daemon,) = (int(pid) for pid in children if "-jar" in Path(f"/proc/{pid}/cmdline").read_text())
    return daemon
