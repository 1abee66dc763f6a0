"""A film as fragmented MP4, which browsers play, made on the fly without touching the pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from appliance.errors import Conflict, Unavailable
from appliance.streaming.body import STALL_LIMIT, OpenedFile, Stall
from appliance.streaming.ffmpeg import Stream, guarded_input, running
from appliance.units import HOURS, KIB

VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
"""Codecs that MP4 carries and some browser plays."""
AUDIO = frozenset({"aac", "mp3", "flac", "opus", "alac"})
"""Carried over as they are; any other sound (AC-3, DTS …) becomes AAC, which every browser plays."""

CHUNK = 64 * KIB
LONGEST = 12 * HOURS
"""Of processor time, in seconds."""


def program(tracks: Sequence[Stream], start: float) -> list[str]:
    """What to run. Raises Conflict where the pictures would have to be made anew."""
    video = next((one for one in tracks if one.kind == "video" and not one.is_picture), None)
    audio = next((one for one in tracks if one.kind == "audio"), None)
    if video is None and audio is None:
        raise Conflict("There is no film in this file that we can read.")
    if video is not None and video.codec not in VIDEO:
        raise Conflict(f"No browser plays pictures in {video.codec}; download the file to play it.")
    chosen: list[str] = []
    if video is not None:
        chosen += ["-map", f"0:{video.index}", "-c:v", "copy"]
        # Safari plays HEVC by this name alone.
        chosen += ["-tag:v", "hvc1"] if video.codec == "hevc" else []
    if audio is not None:
        sound = ["copy"] if audio.codec in AUDIO else ["aac", "-ac", "2", "-b:a", "192k"]
        # Transport streams carry AAC with ADTS heads, which MP4 does not; others pass this as they are.
        sound += ["-bsf:a", "aac_adtstoasc"] if audio.codec == "aac" else []
        chosen += ["-map", f"0:{audio.index}", "-c:a", *sound]
    return [
        "ffmpeg", "-nostdin", "-v", "fatal", "-threads", "1", *guarded_input(start), *chosen,
        "-sn", "-dn", "-map_metadata", "-1", "-strict", "experimental", "-avoid_negative_ts", "make_zero",
        "-movflags", "frag_keyframe+empty_moov+default_base_moof+delay_moov", "-f", "mp4", "pipe:1",
    ]  # fmt: skip


async def chunks(
    open_file: Callable[[], Awaitable[OpenedFile]],
    tracks: Sequence[Stream],
    start: float,
    stall_limit: float = STALL_LIMIT,
    hang_up: Callable[[], None] | None = None,
) -> AsyncIterator[bytes]:
    """The film from `start` seconds on. ffmpeg runs as fast as it is read, and ends with this generator."""
    file = await open_file()
    stall = Stall(stall_limit, hang_up)
    try:
        async with running(program(tracks, start), file.fd, LONGEST) as child:
            while data := await child.stdout.read(CHUNK):
                stall.begin()
                yield data
                stall.end()
                # As in body.chunks: a peer that has gone must not be written to until the film's end.
                await asyncio.sleep(0)
            if await child.wait() != 0:
                raise Unavailable("The film", "it cannot be read to its end")
    finally:
        stall.close()
        file.close()
