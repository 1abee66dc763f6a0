"""ffmpeg and ffprobe over one open file, and nothing else that they could reach.

A container may name other files or hosts, and a playlist may call itself film.mp4: every call lists the
formats and protocols it takes, gets the file as a descriptor, writes no file, and is killed with its group.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from appliance.errors import Unavailable
from appliance.units import GIB, KIB, MIB, MINUTES, SECONDS

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg"
"""Containers that are files by themselves: no hls, concat, dash, image2, sdp, lavfi."""
PROTOCOLS = "file,pipe"

PROBE_TIME = 20 * SECONDS
_LONGEST_PROBE = 2 * MIB
_MOST_MEMORY = 2 * GIB
_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


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


def guarded_input(fd: int, start: float = 0) -> list[str]:
    """Arguments for reading the file that is open as `fd`, from `start` seconds on."""
    guards = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS]
    seek = ["-ss", f"{start:.3f}"] if start > 0 else []
    return [*guards, *seek, "-i", f"file:/proc/self/fd/{fd}"]


@asynccontextmanager
async def running(
    program: str, arguments: Sequence[str], fd: int, longest: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child that inherits `fd` and writes to `stdout`; it is gone when the block ends.

    `longest`: seconds of processor time. Raises Unavailable when the program is not installed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=256 * KIB,
            pass_fds=(fd,),
            env=_ENVIRONMENT,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise Unavailable(program, "it is not installed") from None
    try:
        with contextlib.suppress(ProcessLookupError):
            for limit, most in (
                (resource.RLIMIT_CPU, longest),
                (resource.RLIMIT_AS, _MOST_MEMORY),
                (resource.RLIMIT_FSIZE, 0),
            ):
                resource.prlimit(process.pid, limit, (most, most))
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def output_of(
    program: str, arguments: Sequence[str], fd: int, *, time: float, most: int
) -> bytes | None:
    """All that the program writes; None when it fails, takes longer than `time` seconds or writes more."""
    async with running(program, arguments, fd, int(time) + 1) as process:
        assert process.stdout
        try:
            async with asyncio.timeout(time):
                data = bytearray()
                while piece := await process.stdout.read(64 * KIB):
                    data += piece
                    if len(data) > most:
                        return None
                return bytes(data) if await process.wait() == 0 else None
        except TimeoutError:
            return None


async def streams(fd: int) -> tuple[Stream, ...]:
    """The tracks of a container; () when it is none that we take, or is broken."""
    arguments = ["-v", "error", "-print_format", "json", "-show_streams", *guarded_input(fd)]
    said = await output_of("ffprobe", arguments, fd, time=PROBE_TIME, most=_LONGEST_PROBE)
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


LONGEST_READ = 10 * MINUTES
"""Seconds that reading a whole film for its subtitles may take."""
