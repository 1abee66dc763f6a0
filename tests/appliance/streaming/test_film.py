"""Subtitles and remuxing on real films, made by ffmpeg."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from appliance.accounts.caller import Audience, Caller, Role, Via, set_calling
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.cell import ENVIRONMENT
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.streaming.phone_copies import PhoneCopies
from appliance.streaming.routes import blueprint
from appliance.streaming.subtitles import Subtitles
from appliance.web.errors import answer_errors
from tests.appliance.serving import ask, open_descriptors, request_head, serving

GUEST = Caller("g", "guest", Role.GUEST, Via.COOKIE, address="127.0.0.1")
SRT = "1\n00:00:00,500 --> 00:00:01,500\nGrüße aus Tromsø\n"


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """film.mkv: H.264, AC-3, two text subtitles; strange.avi: pictures that no browser plays."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "in.srt").write_text(SRT)
    picture = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=24:duration=6"]
    sound = ["-f", "lavfi", "-i", "sine=duration=6"]
    ffmpeg(
        *picture, *sound, "-i", str(folder / "in.srt"), "-map", "0", "-map", "1", "-map", "2", "-map", "2",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "24", "-c:a", "ac3", "-c:s:0", "srt", "-c:s:1", "ass",
        "-metadata:s:s:0", "language=ger", "-metadata:s:s:1", "title=Signs", str(folder / "film.mkv"),
    )  # fmt: skip
    ffmpeg(*picture, "-c:v", "msmpeg4v2", str(folder / "strange.avi"))
    (folder / "in.srt").unlink()
    return folder


@dataclass
class House:
    port: int
    root: Path
    library: Library
    ids: dict[str, str]

    async def get(self, name: str, rest: str) -> Any:
        return await ask(self.port, f"/files/{self.ids[name]}/{rest}")


@pytest.fixture
async def house(database: Database, tmp_path: Path, films: Path) -> AsyncIterator[House]:
    root = tmp_path / "media"
    shutil.copytree(films, root)
    (root / "film.EN.forced.srt").write_text(SRT.replace("Grüße aus", "Greetings from"), encoding="cp1252")
    (root / "film.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nplain\n")
    (root / "filmed elsewhere.srt").write_text(SRT)
    (root / "liar.mkv").write_text(f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:5,\nfile://{root}/film.mkv\n")
    for path in root.iterdir():
        os.utime(path, (1, 1))
    library = Library(database, Journal(database), [root])
    await library.adopt_roots()
    while (await library.scan()).unsettled:
        await asyncio.sleep(1.05)
    found = await library.page(FileQuery(limit=100), frozenset(Audience))
    app = Quart("films")
    copies = PhoneCopies(library, tmp_path / "copies")
    app.register_blueprint(
        blueprint(library, Journal(database), Subtitles(library, tmp_path / "cache"), copies=copies)
    )
    answer_errors(app)

    @app.before_request
    async def sign_in() -> None:
        set_calling(GUEST)

    async with serving(app) as port:
        yield House(port, root, library, {file.name: file.id for file in found.items})
    await library.stop()


async def test_tracks_beside_and_inside(house: House) -> None:
    told = json.loads((await house.get("film.mkv", "subtitles")).body)["tracks"]
    assert [(one["label"], one["language"]) for one in told] == [
        ("EN forced", "EN"),
        ("Subtitles", None),
        ("ger", "ger"),
        ("Signs", None),
    ]
    for one, words in zip(told, ("Greetings from Tromsø", "plain", "Grüße aus Tromsø", "Grüße"), strict=True):
        reply = await ask(house.port, one["url"])
        assert (reply.status, reply.headers["content-type"]) == (200, "text/vtt; charset=utf-8")
        assert reply.body.startswith(b"WEBVTT\n")
        assert words in reply.body.decode()
        again = await ask(house.port, one["url"], {"If-None-Match": reply.headers["etag"]})
        assert again.status == 304


async def test_what_was_taken_out_of_a_film_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await house.get("film.mkv", "subtitles/2.vtt")
    monkeypatch.setitem(ENVIRONMENT, "PATH", "")
    assert (await house.get("film.mkv", "subtitles/2.vtt")).body == first.body


async def test_no_such_track(house: House) -> None:
    assert (await house.get("film.mkv", "subtitles/99.vtt")).status == 404
    assert json.loads((await house.get("strange.avi", "subtitles")).body) == {"tracks": []}


async def test_a_subtitle_that_is_a_link_is_not_followed(house: House) -> None:
    (house.root / "strange.srt").symlink_to(house.root / "film.EN.forced.srt")
    told = json.loads((await house.get("strange.avi", "subtitles")).body)["tracks"]
    assert (await ask(house.port, told[0]["url"])).status == 404


def probe(data: bytes, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "out.mp4"
    path.write_bytes(data)
    argv = ["ffprobe", "-v", "error", "-print_format", "json", "-show_streams", "-show_format", str(path)]
    return dict(json.loads(subprocess.run(argv, check=True, capture_output=True).stdout))


async def test_remux_plays_in_browsers(house: House, tmp_path: Path) -> None:
    reply = await house.get("film.mkv", "remux")
    assert (reply.status, reply.headers["content-type"]) == (200, "video/mp4")
    assert reply.headers["accept-ranges"] == "none"
    found = probe(reply.body, tmp_path)
    assert [one["codec_name"] for one in found["streams"]] == ["h264", "aac"]
    assert 5.5 < float(found["format"]["duration"]) < 6.5
    assert b"moof" in reply.body


async def test_remux_from_a_moment(house: House, tmp_path: Path) -> None:
    found = probe((await house.get("film.mkv", "remux?start=3")).body, tmp_path)
    # From the key frame before: there is one each second.
    assert 2.9 < float(found["format"]["duration"]) < 4.2
    for bad in ("-1", "x", "nan", "inf"):
        assert (await house.get("film.mkv", f"remux?start={bad}")).status == 400


async def test_a_copy_for_phones_is_sent_in_ranges(house: House, tmp_path: Path) -> None:
    assert (await house.get("strange.avi", "phone")).status == 404
    original = (house.root / "strange.avi").stat()
    (tmp_path / "copies").mkdir()
    name = f"{house.ids['strange.avi']}-{original.st_size}-{original.st_mtime_ns}.mp4"
    (tmp_path / "copies" / name).write_bytes(bytes(range(256)))
    whole = await house.get("strange.avi", "phone")
    assert (whole.status, whole.headers["content-type"], whole.body) == (200, "video/mp4", bytes(range(256)))
    path = f"/files/{house.ids['strange.avi']}/phone"
    part = await ask(house.port, path, {"Range": "bytes=10-19", "If-Range": whole.headers["etag"]})
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/256"
    assert (await house.get("film.mkv", "phone")).status == 404
    # of a content that is no more
    os.utime(house.root / "strange.avi", (5, 5))
    assert (await house.get("strange.avi", "phone")).status == 404


async def test_a_copy_behind_a_link_is_none(house: House, tmp_path: Path) -> None:
    original = (house.root / "strange.avi").stat()
    (tmp_path / "copies").mkdir()
    name = f"{house.ids['strange.avi']}-{original.st_size}-{original.st_mtime_ns}.mp4"
    (tmp_path / "copies" / name).symlink_to(house.root / "film.mkv")
    assert (await house.get("strange.avi", "phone")).status == 404


async def test_remux_head(house: House) -> None:
    reply = await ask(house.port, f"/files/{house.ids['film.mkv']}/remux", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")


async def test_what_cannot_be_remuxed_is_told_before(house: House) -> None:
    reply = await house.get("strange.avi", "remux")
    assert reply.status == 409
    assert "msmpeg4v2" in json.loads(reply.body)["detail"]


async def test_a_playlist_in_disguise_reaches_nothing(house: House) -> None:
    assert (await house.get("liar.mkv", "remux")).status == 409
    assert json.loads((await house.get("liar.mkv", "subtitles")).body) == {"tracks": []}


def children() -> list[str]:
    argv = ["ps", "-o", "comm=", "--ppid", str(os.getpid())]
    return [
        name for name in subprocess.run(argv, capture_output=True, text=True).stdout.split() if "ff" in name
    ]


async def test_ffmpeg_ends_with_its_listener(house: House) -> None:
    await house.get("film.mkv", "remux")
    descriptors = open_descriptors()
    for _ in range(8):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=2**12)
        writer.write(request_head(f"/files/{house.ids['film.mkv']}/remux"))
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    for _ in range(200):
        if not children() and open_descriptors() <= descriptors:
            break
        await asyncio.sleep(0.05)
    assert children() == []
    assert open_descriptors() <= descriptors


async def test_200_aborted_requests_leave_nothing_behind(house: House) -> None:
    """Over the real library: at every moment of a request, opening the file included."""
    target = f"/files/{house.ids['film.mkv']}/stream"
    await ask(house.port, target)
    descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
    for turn in range(200):
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(request_head(target))
        await writer.drain()
        await asyncio.sleep(turn % 10 / 2000)
        writer.transport.abort()
    for _ in range(100):
        if open_descriptors() <= descriptors and len(asyncio.all_tasks()) <= tasks:
            break
        await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors
    assert len(asyncio.all_tasks()) <= tasks
