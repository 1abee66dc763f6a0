"""What is in a file beyond the index: chapters, frames, a photo's EXIF. Read in the parse cell when asked."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from appliance.accounts.caller import Audience
from appliance.errors import NotFound, Unavailable
from appliance.library.items import Kind
from appliance.library.library import Library, OpenFile
from appliance.library.names import display
from appliance.library.parse import PICTURE, NoProgram, Unreadable, parse
from appliance.streaming.ffmpeg import PROBE_TIME, guarded_input, output_of
from appliance.units import MIB, SECONDS

MOST_CHAPTERS = 500
LONGEST_TITLE = 120
FRAME_WIDTH = 240
"""Pixels: what the page shows above a seek bar."""
FRAME_TIME = 8 * SECONDS
FRAMES_AT_ONCE = 2
FRAMES_KEPT = 600
"""In memory; some 6 kB each."""


@dataclass(frozen=True)
class Chapter:
    """`start` and `end` in seconds."""

    start: float
    end: float
    title: str


@dataclass(frozen=True)
class Frame:
    """`etag` is strong and quoted."""

    jpeg: bytes
    etag: str


class Inside:
    def __init__(self, library: Library) -> None:
        self._library = library
        self._free = asyncio.Semaphore(FRAMES_AT_ONCE)
        self._frames: OrderedDict[str, bytes] = OrderedDict()

    async def chapters(self, file_id: str, sees: frozenset[Audience]) -> tuple[Chapter, ...]:
        """() when it has none, or cannot be read. Raises NotFound, Unavailable."""
        opened = await self._library.open(file_id, sees)
        try:
            program = ["ffprobe", "-v", "fatal", "-print_format", "json", "-show_chapters", *guarded_input()]
            said = await output_of(program, opened.fd, time=PROBE_TIME, most=MIB)
        finally:
            opened.close()
        return read_chapters(said)

    async def frame(self, file_id: str, sees: frozenset[Audience], at: float) -> Frame:
        """The key frame of a film nearest before `at` seconds, FRAME_WIDTH pixels wide.

        Raises NotFound, also where no picture is, and Unavailable.
        """
        opened = await self._library.open(file_id, sees)
        try:
            if opened.file.kind is not Kind.VIDEO:
                raise NotFound("frame", file_id)
            second = grid(at, opened.file.duration_sec or 0)
            name = f"{opened.etag[1:-1]}-{second:g}"
            if name not in self._frames:
                self._frames[name] = await self._draw(opened, second)
                while len(self._frames) > FRAMES_KEPT:
                    self._frames.popitem(last=False)
            self._frames.move_to_end(name)
            return Frame(self._frames[name], f'"{name}"')
        finally:
            opened.close()

    async def _draw(self, opened: OpenFile, second: float) -> bytes:
        program = [
            "ffmpeg", "-nostdin", "-v", "fatal", "-threads", "1", "-skip_frame", "nokey", "-noaccurate_seek",
            *guarded_input(second), "-map", "0:v:0", "-frames:v", "1",
            "-vf", f"scale={FRAME_WIDTH}:-2", "-q:v", "6", "-f", "mjpeg", "pipe:1",
        ]  # fmt: skip
        async with self._free:
            jpeg = await output_of(program, opened.fd, time=FRAME_TIME, most=MIB)
        if not jpeg:
            raise NotFound("frame", opened.file.id)
        return jpeg

    async def exif(self, file_id: str, sees: frozenset[Audience]) -> dict[str, str]:
        """Camera, lens and how a photo was taken, never where. Raises NotFound, Unavailable."""
        opened = await self._library.open(file_id, sees)
        try:
            if opened.file.kind is not Kind.IMAGE:
                raise NotFound("exif", file_id)
            return read_exif(await parse(opened.fd, [sys.executable, "-I", PICTURE, "exif"]))
        except Unreadable:
            return {}
        except NoProgram as error:
            raise Unavailable("The photo", str(error)) from error
        finally:
            opened.close()


def grid(at: float, duration: float) -> float:
    """The step that stands for `at`, so that a film has at most some 200 frames to draw.

    A `duration` of 0 is one that nobody knows yet.
    """
    step = max(1.0, math.ceil(duration / 200))
    if not duration:
        return math.floor(max(0.0, at))
    last = max(0.0, duration - 1)
    return min(math.floor(max(0.0, at) / step) * step, math.floor(last))


def read_chapters(said: bytes | None) -> tuple[Chapter, ...]:
    """From ffprobe's JSON; what makes no sense is left out."""
    try:
        found = json.loads(said or b"{}").get("chapters", [])
    except ValueError:
        return ()
    chapters = []
    for number, one in enumerate(found[:MOST_CHAPTERS], 1):
        start, end = _seconds(one.get("start_time")), _seconds(one.get("end_time"))
        if start is None or end is None or end <= start:
            continue
        title = display(str((one.get("tags") or {}).get("title", "")).encode("utf-8", "replace")).strip()
        chapters.append(Chapter(start, end, title[:LONGEST_TITLE] or f"{number}"))
    return tuple(chapters)


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < 1_000_000 else None


EXIF_NAMES = ("camera", "lens", "exposure", "aperture", "iso", "focal")


def read_exif(said: bytes) -> dict[str, str]:
    """From picture.py's JSON: texts of the names that we know, cut."""
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return {
        name: display(str(found[name]).encode("utf-8", "replace"))[:LONGEST_TITLE]
        for name in EXIF_NAMES
        if found.get(name)
    }
