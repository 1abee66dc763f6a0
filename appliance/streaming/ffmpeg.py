"""ffmpeg and ffprobe over one open file, in the parse cell: they reach that file and nothing else.

A container may name other files or hosts, and a playlist may call itself film.mp4: every call lists the
formats and protocols that it takes, and is killed with all that it started.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from appliance.errors import Unavailable
from appliance.library.parse import NoProgram, Running, in_cell
from appliance.library.probe import GUARDED, THE_FILE
from appliance.units import KIB, MIB, MINUTES, SECONDS

PROBE_TIME = 20 * SECONDS
_LONGEST_PROBE = 2 * MIB
LONGEST_READ = 10 * MINUTES
"""Seconds that reading a whole film for its subtitles may take."""


@dataclass(frozen=True)
class Stream:
    """One track of a container."""

    index: int
    kind: str
    """`video`, `audio`, `subtitle` …"""
    codec: str
    language: str | None
    title: str | None
    is_picture: bool
    """Cover art that is carried as a video track."""


def guarded_input(begin: float = 0) -> list[str]:
    """Arguments for reading the file from `begin` seconds on."""
    guards = [word for name, value in GUARDED.items() for word in (f"-{name}", value)]
    seek = ["-ss", f"{begin:.3f}"] if begin > 0 else []
    return [*guards, *seek, "-i", THE_FILE]


@asynccontextmanager
async def running(program: Sequence[str], fd: int, longest: int) -> AsyncIterator[Running]:
    """A program in the cell over the file `fd`, its complaints passed over; it is killed when the block ends.

    `longest`: seconds of processor time. Raises Unavailable when the program, or the cell, is not there.
    """
    try:
        async with in_cell(fd, program, longest) as child:
            complaints = asyncio.create_task(_pass_over(child.stderr))
            try:
                yield child
            finally:
                complaints.cancel()
    except NoProgram as error:
        raise Unavailable(error.program, f"it {error.why}") from None


async def _pass_over(stream: asyncio.StreamReader) -> None:
    """A full pipe would stop the program."""
    while await stream.read(64 * KIB):
        pass


async def output_of(program: Sequence[str], fd: int, *, time: float, most: int) -> bytes | None:
    """All that the program writes; None when it fails, takes longer than `time` seconds or writes more.

    Raises Unavailable when it is not installed.
    """
    data = bytearray()
    async with running(program, fd, int(time) + 1) as child:
        try:
            async with asyncio.timeout(time):
                while piece := await child.stdout.read(64 * KIB):
                    data += piece
                    if len(data) > most:
                        return None
                return bytes(data) if await child.wait() == 0 else None
        except TimeoutError:
            return None


async def streams(fd: int) -> tuple[Stream, ...]:
    """The tracks of a container; () when it is none that we take, or is broken."""
    program = ["ffprobe", "-v", "fatal", "-print_format", "json", "-show_streams", *guarded_input()]
    said = await output_of(program, fd, time=PROBE_TIME, most=_LONGEST_PROBE)
    try:
        found = json.loads(said or b"{}").get("streams", [])
    except ValueError:
        return ()
    return tuple(_stream(one) for one in found if isinstance(one, dict))


def _stream(one: dict[str, Any]) -> Stream:
    tags = {key.lower(): str(value)[:80] for key, value in (one.get("tags") or {}).items()}
    language = tags.get("language")
    return Stream(
        index=int(one.get("index", 0)),
        kind=str(one.get("codec_type", "")),
        codec=str(one.get("codec_name", "")),
        language=None if language in (None, "und", "") else language,
        title=tags.get("title") or None,
        is_picture=bool((one.get("disposition") or {}).get("attached_pic")),
    )
