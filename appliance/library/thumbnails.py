"""Small pictures of photos, films and covers, made in the parse cell when somebody first asks.

Kept under the state folder, by id and size; one of another content, or whose file is gone, is dropped.
That a file has none is remembered too, until its content changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from appliance.database import Database
from appliance.errors import Invalid, NotFound, Unavailable
from appliance.library import store
from appliance.library.items import Kind
from appliance.library.opened import OpenFile
from appliance.library.parse import PICTURE, Killed, NoProgram, Unreadable, parse
from appliance.library.probe import GUARDED, THE_FILE
from appliance.units import SECONDS

log = logging.getLogger(__name__)

SIZES = (160, 320, 640, 1280)
"""Pixels of the longer side; 160 and 640 are JPEG_TN and JPEG_SM of DLNA Guidelines 7.4.1.1 part 1-1."""
AT_A_TIME = 2
LATEST_FRAME = 60 * SECONDS
"""Where in a long film its picture is taken at the latest."""


@dataclass(frozen=True)
class Source:
    """What a thumbnail is made of."""

    file_id: str
    kind: Kind
    size: int
    mtime_ns: int
    duration_sec: float | None

    @property
    def stamp(self) -> str:
        """Names the content."""
        return f"{self.size:x}-{self.mtime_ns:x}"


@dataclass(frozen=True)
class Thumbnail:
    """`etag` is strong and quoted."""

    jpeg: bytes
    etag: str


def read_size(value: str | None) -> int:
    """The least of SIZES that is as large as asked. Raises Invalid."""
    if not value:
        return 320
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:6]) <= SIZES[-1]:
        raise Invalid("size", value, f"a number of pixels from 1 to {SIZES[-1]} is allowed")
    return next(size for size in SIZES if size >= int(value))


class Thumbnails:
    def __init__(self, database: Database, state: Path) -> None:
        self._database, self._folder = database, state / "thumbnails"
        self._free = asyncio.Semaphore(AT_A_TIME)
        self._making: dict[tuple[str, int], asyncio.Future[bytes | None]] = {}

    async def of(self, opened: OpenFile, size: int) -> Thumbnail:
        """Of an open file. Raises NotFound when it has no picture, Unavailable when none is drawn now."""
        file = opened.file
        source = Source(file.id, file.kind, opened.size, opened.mtime_ns, file.duration_sec)
        try:
            made = await self.get(opened.fd, source, size)
        except (NoProgram, Killed) as error:
            raise Unavailable("The thumbnail", str(error)) from error
        if made is None:
            raise NotFound("thumbnail", file.id)
        return Thumbnail(made, f'"{file.id}-{size}-{source.stamp}"')

    async def get(self, fd: int, source: Source, size: int) -> bytes | None:
        """A JPEG, kept or made now; None when this file has no picture. `fd` stays the caller's."""
        async with self._database.read() as connection:
            known = await store.thumbnail(connection, source.file_id, size)
        if known is not None and known.stamp == source.stamp:
            if known.thumb_path is None:
                return None
            with contextlib.suppress(FileNotFoundError):
                return await asyncio.to_thread((self._folder / known.thumb_path).read_bytes)
        key = source.file_id, size
        if key not in self._making:
            self._making[key] = asyncio.ensure_future(self._make(os.dup(fd), source, size))
            self._making[key].add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(self._making[key])

    async def _make(self, fd: int, source: Source, size: int) -> bytes | None:
        try:
            async with self._free:
                made = await draw(fd, source, size)
        except Killed as error:
            log.warning("%s has no thumbnail for now: %s", source.file_id, error)
            raise
        except Unreadable as error:
            log.info("%s has no thumbnail: %s", source.file_id, error)
            made = None
        finally:
            os.close(fd)
        path = f"{source.file_id[:2]}/{source.file_id}-{size}.jpg" if made else None
        if made and path:
            await asyncio.to_thread(_write, self._folder / path, made)
        async with self._database.write() as connection:
            await store.save_thumbnail(connection, source.file_id, size, path, source.stamp)
        return made

    async def drop(self, file_ids: Collection[str]) -> None:
        """Those of files that are gone."""
        async with self._database.write() as connection:
            paths = await store.forget_thumbnails(connection, file_ids)
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                await asyncio.to_thread((self._folder / path).unlink)


async def draw(fd: int, source: Source, size: int) -> bytes:
    """The JPEG of an open file. Raises Unreadable, NoProgram."""
    if source.kind is Kind.IMAGE:
        return await parse(fd, [sys.executable, "-I", PICTURE, "thumbnail", str(size)])
    made = await parse(fd, frame_arguments(source, size))
    if not made:
        raise Unreadable("there is no picture in it")
    return made


def frame_arguments(source: Source, size: int) -> list[str]:
    """ffmpeg's words for one key frame of a film a tenth in, or for the cover of a song."""
    options: dict[str, Any] = dict(GUARDED)
    if source.kind is Kind.VIDEO:
        options["skip_frame"] = "nokey"
        options["ss"] = f"{min((source.duration_sec or 0) / 10, LATEST_FRAME):.3f}"
    fitting = ffmpeg.input(THE_FILE, **options).video.filter(
        "scale", f"min({size},iw)", f"min({size},ih)", force_original_aspect_ratio="decrease"
    )
    output = ffmpeg.output(fitting, "pipe:1", vframes=1, format="mjpeg", **{"q:v": 4, "threads": 1})
    words: list[str] = ffmpeg.compile(output.global_args("-nostdin", "-v", "error"))
    return words


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)
