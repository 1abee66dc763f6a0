"""The subtitles of a film: files beside it, then the text tracks inside it, each as WebVTT."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from appliance.accounts.caller import Audience
from appliance.errors import NotFound, Unavailable
from appliance.library.library import Library, OpenFile
from appliance.streaming import webvtt
from appliance.streaming.ffmpeg import LONGEST_READ, Stream, guarded_input, output_of, streams
from appliance.units import MIB

BESIDE = frozenset({"srt", "vtt", "ass", "ssa"})
TEXT_CODECS = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
"""Tracks of letters; PGS and VobSub are pictures, which no browser shows."""
LONGEST_FILE = 10 * MIB
_REMEMBERED = 500
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,4})?")


@dataclass(frozen=True)
class Track:
    """Number `n` of a film's subtitles, as long as neither film nor folder changes."""

    n: int
    label: str
    language: str | None
    """BCP 47, as far as the name or the track tells."""
    name: bytes | None
    """The file beside the film; None for a track inside it."""
    stream: int | None


class Subtitles:
    """`cache` keeps what was taken out of films, since that means reading them whole."""

    def __init__(self, library: Library, cache: Path) -> None:
        self._library, self._cache = library, cache
        self._streams: OrderedDict[str, tuple[Stream, ...]] = OrderedDict()
        """By ETag: what ffprobe said."""
        self._taking: dict[str, asyncio.Lock] = {}

    async def streams(self, opened: OpenFile) -> tuple[Stream, ...]:
        """The tracks inside a file."""
        if opened.etag not in self._streams:
            self._streams[opened.etag] = await streams(opened.fd)
            if len(self._streams) > _REMEMBERED:
                self._streams.popitem(last=False)
        return self._streams[opened.etag]

    async def tracks(self, file_id: str, sees: frozenset[Audience]) -> tuple[Track, ...]:
        """Raises NotFound, Unavailable. Without ffmpeg only those beside the film."""
        opened = await self._library.open(file_id, sees)
        try:
            names = await self._library.beside(file_id, sees, BESIDE)
            inside: tuple[Stream, ...] = ()
            with contextlib.suppress(Unavailable):
                inside = await self.streams(opened)
        finally:
            opened.close()
        found = [_beside(n, name, opened.file.name) for n, name in enumerate(names)]
        found += [
            Track(n, one.title or one.language or f"Track {one.index}", one.language, None, one.index)
            for n, one in enumerate(
                (one for one in inside if one.kind == "subtitle" and one.codec in TEXT_CODECS), len(names)
            )
        ]
        return tuple(found)

    async def vtt(self, file_id: str, sees: frozenset[Audience], n: int) -> str:
        """Raises NotFound, Unavailable."""
        track = next((one for one in await self.tracks(file_id, sees) if one.n == n), None)
        if track is None:
            raise NotFound("subtitle", n)
        if track.name is not None:
            return await self._from_beside(file_id, sees, track.name)
        assert track.stream is not None
        opened = await self._library.open(file_id, sees)
        try:
            return await self._from_inside(opened, track.stream)
        finally:
            opened.close()

    async def _from_beside(self, file_id: str, sees: frozenset[Audience], name: bytes) -> str:
        fd = await self._library.open_beside(file_id, sees, name)
        try:
            data = await asyncio.to_thread(os.pread, fd, LONGEST_FILE, 0)
        finally:
            os.close(fd)
        extension = name.rpartition(b".")[2].lower().decode("ascii", "ignore")
        return await asyncio.to_thread(lambda: webvtt.from_text(extension, webvtt.decode(data)))

    async def _from_inside(self, opened: OpenFile, stream: int) -> str:
        key = hashlib.sha256(f"{opened.etag} {stream}".encode()).hexdigest()[:32]
        kept = self._cache / f"{key}.vtt"
        async with self._taking.setdefault(key, asyncio.Lock()):
            try:
                if not kept.exists():
                    await self._take_out(opened, stream, kept)
                return await asyncio.to_thread(kept.read_text, "utf-8")
            finally:
                self._taking.pop(key, None)

    async def _take_out(self, opened: OpenFile, stream: int, kept: Path) -> None:
        program = [
            "ffmpeg", "-nostdin", "-v", "fatal", *guarded_input(),
            "-map", f"0:{stream}", "-f", "webvtt", "pipe:1",
        ]  # fmt: skip
        data = await output_of(program, opened.fd, time=LONGEST_READ, most=LONGEST_FILE)
        if data is None:
            raise Unavailable("This subtitle", "it cannot be read")
        text = webvtt.from_text("vtt", webvtt.decode(data))
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = kept.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.replace(kept)


def _beside(n: int, name: bytes, film: str) -> Track:
    """`film.en.forced.srt` is English and called `en forced`."""
    middle = os.fsdecode(name).encode("utf-8", "replace").decode()[len(film.rpartition(".")[0]) + 1 :]
    words = [word for word in middle.split(".")[:-1] if word]
    language = next((word for word in words if _LANGUAGE.fullmatch(word)), None)
    return Track(
        n, " ".join(words) or "Subtitles", language.replace("_", "-") if language else None, name, None
    )
