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

from appliance.errors import Invalid, NotFound, Unavailable
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.library.parse import PICTURE, Killed, parse
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


async def test_a_reader_that_was_killed_says_nothing_of_the_picture(
    library: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "photo.jpg", media.photo())
    await settle(library)

    async def killed(*_: object) -> bytes:
        raise Killed("no memory")

    with monkeypatch.context() as during, pytest.raises(Unavailable):
        during.setattr("appliance.library.thumbnails.draw", killed)
        await picture(library, "photo")
    assert (await picture(library, "photo")).size == (320, 240)


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
