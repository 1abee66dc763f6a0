"""Thumbnails of real media, and what the parse cell keeps from hostile ones."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from appliance.errors import Invalid, NotFound
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.library.parse import PICTURE, Unreadable, parse
from appliance.library.thumbnails import read_size
from tests import media
from tests.appliance.library.conftest import EVERYBODY, GUESTS, put, settle


async def picture(library: Library, name: str, size: int = 320) -> Image.Image:
    (file,) = (await library.page(FileQuery(query=name), EVERYBODY)).items
    found = await library.thumbnail(file.id, size, EVERYBODY)
    image = Image.open(io.BytesIO(found.jpeg))
    assert image.format == "JPEG"
    return image.convert("RGB")


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 150 and pixel[2] < 100


async def test_photos_films_and_covers(library: Library, root: Path) -> None:
    put(root, "photo.jpg", media.photo(4000, 3000))
    put(root, "turned.jpg", media.photo(640, 480, orientation=6))
    put(root, "film.mp4", media.film())
    put(root, "upright.mp4", media.upright_film())
    put(root, "song.mp3", media.song())
    await settle(library)
    assert (await picture(library, "photo")).size == (320, 240)
    turned = await picture(library, "turned")
    assert turned.size == (240, 320)
    assert is_red(turned.getpixel((120, 40)))
    assert not is_red(turned.getpixel((120, 280)))
    assert (await picture(library, "film")).size == (320, 180)
    assert (await picture(library, "upright", 160)).size == (90, 160)
    cover = await picture(library, "song", 160)
    assert cover.size == (160, 160)
    assert is_red(cover.getpixel((80, 80)))


async def test_a_thumbnail_is_made_once_and_goes_with_its_file(
    library: Library, root: Path, tmp_path: Path
) -> None:
    put(root, "photo.jpg", media.photo())
    await settle(library)
    (file,) = (await library.page(FileQuery(), EVERYBODY)).items
    first = await library.thumbnail(file.id, 320, GUESTS)
    (kept,) = (tmp_path / "state/thumbnails").rglob("*.jpg")
    written = kept.stat().st_mtime_ns
    assert await library.thumbnail(file.id, 320, GUESTS) == first
    assert kept.stat().st_mtime_ns == written
    put(root, "photo.jpg", media.photo(300, 600))
    await settle(library)
    other = await library.thumbnail(file.id, 320, GUESTS)
    assert other.etag != first.etag
    assert Image.open(io.BytesIO(other.jpeg)).size == (160, 320)
    await library.delete(file.id, EVERYBODY, None)
    assert not list((tmp_path / "state/thumbnails").rglob("*.jpg"))


async def test_an_iphones_photo_stands_upright_and_is_described(library: Library, root: Path) -> None:
    put(root, "IMG_0001.HEIC", media.heic())
    await settle(library)
    turned = await picture(library, "IMG_0001", 160)
    assert turned.size == (120, 160)
    assert is_red(turned.getpixel((110, 80)))
    assert not is_red(turned.getpixel((10, 80)))
    fd = os.open(root / "IMG_0001.HEIC", os.O_RDONLY)
    said = json.loads(await parse(fd, [sys.executable, "-I", PICTURE, "facts"]))
    os.close(fd)
    assert (said["width"], said["height"], said["takenAt"]) == (300, 400, "2024-07-01T12:30:00")


async def test_a_song_without_a_cover_shows_its_folders(library: Library, root: Path) -> None:
    put(root, "Album/01.mp3", media.song(cover=False))
    put(root, "Album/02.mp3", media.song())
    put(root, "Album/Folder.png", as_png("blue"))
    put(root, "Album/cover.jpg", as_png("green"))
    put(root, "Alone/01 alone.mp3", media.song(cover=False))
    await settle(library)
    assert (await picture(library, "02")).getpixel((20, 20))[0] > 150  # type: ignore[index]
    assert (await picture(library, "Album 01")).getpixel((5, 5)) == pytest.approx((0, 128, 0), abs=4)
    (root / "Album/cover.jpg").unlink()
    await library.scan()
    assert (await picture(library, "Album 01")).getpixel((5, 5)) == pytest.approx((0, 0, 255), abs=4)
    with pytest.raises(NotFound):
        await picture(library, "alone")


def as_png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (50, 50), colour).save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 40,000 x 40,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 40_001))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", bomb()),
        ("broken.jpg", media.photo()[:500]),
        ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("bare.mp3", b"\xff\xfb\x90\x64" + b"\0" * 2000),
        ("letter.pdf", b"%PDF-1.4"),
    ],
)
async def test_what_has_no_picture_is_not_found(
    library: Library, root: Path, name: str, content: bytes
) -> None:
    put(root, name, content)
    await settle(library)
    (file,) = (await library.page(FileQuery(), EVERYBODY)).items
    for _ in range(2):
        with pytest.raises(NotFound):
            await library.thumbnail(file.id, 320, EVERYBODY)


def test_sizes() -> None:
    assert [read_size(value) for value in (None, "1", "160", "161", "1280")] == [320, 160, 160, 320, 1280]
    for value in ("0", "1281", "-1", "x", "٣", "9" * 5000):
        with pytest.raises(Invalid):
            read_size(value)


HOSTILE = """
import os, socket, sys
said = []
def attempt(name, do):
    try:
        do()
    except BaseException as error:
        return
    said.append(name)
attempt("reads the library", lambda: open(sys.argv[1] + "/secret").read())
attempt("lists the library", lambda: os.listdir(sys.argv[1]))
attempt("reads passwords", lambda: open("/etc/passwd").read())
attempt("writes", lambda: open(sys.argv[1] + "/new", "w"))
attempt("writes to tmp", lambda: open("/tmp/mantel-hostile", "w"))
attempt("calls out", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2))
attempt("sends", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))
attempt("hoards", lambda: bytearray(3 << 30))
attempt("sees secrets", lambda: os.environ["MANTEL_ADMIN_PASSWORD"])
attempt("has another file", lambda: [os.fstat(n) for n in range(3, 64) if n != 3])
print(said, sys.stdin.read())
"""


async def test_a_hostile_program_in_the_cell_reaches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("MANTEL_ADMIN_PASSWORD", "planted")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "media").write_text("the one file")
    called: list[object] = []
    server = await asyncio.start_server(lambda *peer: called.append(peer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    fd = os.open(tmp_path / "media", os.O_RDONLY)
    try:
        said = await parse(fd, [sys.executable, "-I", "-c", HOSTILE, str(tmp_path), str(port)])
    finally:
        os.close(fd)
        server.close()
    assert said.decode() == "[] the one file\n"
    assert not called


async def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("x")
    fd = os.open(tmp_path / "media", os.O_RDONLY)
    endless = "import os\nos.fork()\nwhile True: pass"
    try:
        with pytest.raises(Unreadable, match="longer than"):
            await parse(fd, [sys.executable, "-I", "-c", endless], deadline=1.5)
        with pytest.raises(Unreadable, match="more than"):
            await parse(fd, [sys.executable, "-I", "-c", "while True: print('x' * 65536)"])
    finally:
        os.close(fd)
    running = [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"os.fork()" in _read(p)]
    assert not running


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
