"""What a film needs beyond its bytes: subtitles as WebVTT, and another container for browsers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

from quart import Blueprint, Response, jsonify, request

from appliance.accounts.caller import Caller, calling
from appliance.errors import Invalid, TooMany
from appliance.journal.journal import Journal
from appliance.library.items import File
from appliance.library.library import Library
from appliance.streaming import remux
from appliance.streaming.body import hang_up_of
from appliance.streaming.subtitles import Subtitles
from appliance.units import SECONDS

MOST_REMUXES = 4
"""At once; each keeps a disk and a part of a processor busy."""
_AGAIN = 30 * SECONDS


def add_to(
    routes: Blueprint, library: Library, journal: Journal, subtitles: Subtitles, stall_limit: float
) -> None:
    running = 0

    @routes.get("/files/<file_id>/subtitles")
    async def tracks(file_id: str) -> Response:
        found = await subtitles.tracks(file_id, calling().sees)
        shown = [
            {
                "n": one.n,
                "label": one.label,
                "language": one.language,
                "url": f"/files/{file_id}/subtitles/{one.n}.vtt",
            }
            for one in found
        ]
        return jsonify({"tracks": shown})

    @routes.get("/files/<file_id>/subtitles/<int:number>.vtt")
    async def subtitle(file_id: str, number: int) -> Response:
        text = await subtitles.vtt(file_id, calling().sees, number)
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers=headers)
        return Response(text, 200, headers, content_type="text/vtt; charset=utf-8")

    @routes.get("/files/<file_id>/remux")
    async def remuxed(file_id: str) -> Response:
        """`start`: seconds to begin at. No ranges: its length is not known before its end."""
        caller = calling()
        start = _seconds(request.args.get("start", "0"))
        opened = await library.open(file_id, caller.sees)
        try:
            found = await subtitles.streams(opened)
            remux.program(found, start)  # raises before anything is promised
        finally:
            opened.close()
        if running >= MOST_REMUXES:
            raise TooMany("films are being converted", _AGAIN)
        if request.method == "HEAD":
            response = Response(b"", 200)
            response.headers.pop("Content-Length", None)
        else:
            again = partial(library.open, file_id, caller.sees)
            send = remux.chunks(again, found, start, stall_limit, hang_up_of(request.scope))
            response = Response(counted(send, caller, opened.file, start), 200)
        response.timeout = None
        response.headers["Content-Type"] = "video/mp4"
        response.headers["Accept-Ranges"] = "none"
        response.headers["Cache-Control"] = "no-store"
        return response

    async def counted(
        send: AsyncIterator[bytes], caller: Caller, file: File, start: float
    ) -> AsyncIterator[bytes]:
        """The same bytes, told to the journal as if they were the file's own: they nearly are."""
        nonlocal running
        running += 1
        share = min(1.0, start / file.duration_sec) if file.duration_sec else 0.0
        rest = file.size_bytes - (first := int(share * file.size_bytes))
        span = journal.span(caller, file.id, file.size_bytes, first, "web")
        try:
            async with aclosing(send) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    yield chunk
                    span.sent(told := min(len(chunk), rest))
                    rest -= told
        finally:
            span.close()
            running -= 1


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 1_000_000:
        raise Invalid("start", value, "seconds from 0 on are allowed")
    return seconds
