"""A household whose library is full of hostile files: nobody else's byte comes out, nobody is called, and the
box goes on. The whole box is at work on them: server, parse cell, the daemon and its readers, the TVs' list.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests import media
from tests.bench import lan
from tests.fakes.zoo import zoo
from tests.house import House, files_when, house, sign_in
from tests.ports import free_port

SECRET = b"THE-SECRET-OF-THE-HOUSE"
DESCRIBED_WITHIN = 180
ASKED = (
    *("", "/thumbnail?size=320", "/subtitles", "/subtitles/0.vtt", "/subtitles/1.vtt", "/chapters"),
    *("/frame?at=1", "/exif", "/remux", "/phone"),
)
"""Everything that is made of a file's content."""

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
async def called() -> AsyncIterator[tuple[str, list[object]]]:
    """An address where somebody listens, and who came."""
    came: list[object] = []
    server = await asyncio.start_server(lambda _reader, writer: came.append(writer), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", came
    server.close()


async def test_an_unguarded_reader_takes_the_bait(tmp_path: Path, called: tuple[str, list[object]]) -> None:
    """What the rest of this is worth: ffmpeg as it comes calls whoever a playlist names."""
    bait = tmp_path / "hls.mp4"
    bait.write_bytes(zoo(str(tmp_path / "secret.png"), called[0])["hls.mp4"])
    unguarded = ("-v", "error", "-protocol_whitelist", "file,http,tcp")
    reading = await asyncio.create_subprocess_exec(
        "ffprobe",
        *unguarded,
        "-allowed_extensions",
        "ALL",
        "-f",
        "hls",
        str(bait),
    )
    async with asyncio.timeout(30):
        while not called[1]:
            await asyncio.sleep(0.05)
    reading.kill()
    await reading.wait()


async def test_hostile_files_reach_nothing_and_nobody(
    tmp_path: Path, called: tuple[str, list[object]]
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (64, 64), (255, 0, 255)).save(secret)
    secret.write_bytes(secret.read_bytes() + SECRET)
    library = tmp_path / "library"
    library.mkdir()
    for name, content in zoo(str(secret), called[0]).items():
        (library / name).write_bytes(content)
    (library / "link.mp4").symlink_to(secret)
    (library / "link to a folder").symlink_to(tmp_path)
    os.mkfifo(library / "pipe.mp4")
    os.mknod(library / "zero.mp4", 0o666 | 0o20000, os.makedev(1, 5))
    expected = sum(path.is_file() and not path.is_symlink() for path in library.iterdir())
    settings = {"analytics": "on", "analytics_port": str(free_port()), "tv_access": "open"}
    async with house(tmp_path, None, "appliance.run", **settings) as home, sign_in(home) as http:
        files = await files_when(home, http, expected)
        assert len(files) == expected, "links, pipes and devices are no files"
        answers = [await everything_of(http, one["id"]) for one in files]
        await everything_is_read(home)
        answers += [await everything_of(http, one["id"]) for one in files]
        answers.append(await every_list(home))
        for answer in answers:
            assert SECRET not in answer
            assert b"\xff\x00\xff" * 8 not in answer, "the secret picture's pixels"
        await is_well(home, http)
        assert "Traceback" not in "".join(home.output)
    for store in (tmp_path / "state").rglob("*"):
        assert not store.is_file() or SECRET not in store.read_bytes(), store
    assert not called[1], "somebody was called"


async def everything_of(http: aiohttp.ClientSession, file_id: str) -> bytes:
    found = []
    for part in ASKED:
        async with http.get(f"/files/{file_id}{part}") as answer:
            assert answer.status in (200, 400, 404, 409, 429, 503), f"{part}: {answer.status}"
            body = await answer.read()
            found.append(body)
            if answer.status == 200 and part.startswith("/thumbnail"):
                found.append(pixels(body))
    return b"".join(found)


def pixels(jpeg: bytes) -> bytes:
    """As exact colours, where the picture is nearly of one."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        colours = picture.convert("RGB").resize((4, 4))
    red, green, blue = (colours.getchannel(band).getextrema() for band in "RGB")
    is_the_secret = red[0] > 243 and green[1] < 12 and blue[0] > 243
    return b"\xff\x00\xff" * 8 if is_the_secret else b""


async def everything_is_read(home: House) -> None:
    """Each file is described, or said to be broken; nothing is tried for ever."""
    async with asyncio.timeout(DESCRIBED_WITHIN):
        while True:
            with contextlib.closing(sqlite3.connect(home.state / "mantel.db")) as index:
                kinds = "kind in ('video', 'audio', 'image')"
                left = index.execute(
                    f"select name from files where facts_from is null and {kinds}"
                ).fetchall()
            if not left:
                return
            await asyncio.sleep(0.5)


async def every_list(home: House) -> bytes:
    """What a TV is told of all folders."""
    found, todo = [], ["0"]
    async with aiohttp.ClientSession() as tv:
        while todo and len(found) < 200:
            said = (await lan.browse(tv, home.lan_url + lan.CONTROL["Mantel"], todo.pop()))["Result"]
            found.append(said)
            todo += [part.split('"')[1] for part in said.split("<container ")[1:]]
    return "".join(found).encode()


async def is_well(home: House, http: aiohttp.ClientSession) -> None:
    """A good film that comes now is listed, described and drawn."""
    (home.library / "afterwards.mp4").write_bytes(media.film())
    async with asyncio.timeout(60):
        while True:
            async with http.get("/files", params={"query": "afterwards"}) as answer:
                items = (await answer.json())["items"]
            if items and items[0].get("duration_sec"):
                break
            await asyncio.sleep(0.3)
    async with http.get(f"/files/{items[0]['id']}/thumbnail") as answer:
        assert answer.status == 200
