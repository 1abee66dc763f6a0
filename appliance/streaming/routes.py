"""`/files/{id}/stream` and `/download`: a file's bytes to the page and to scripts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial

from quart import Blueprint, Response, request

from appliance.accounts.caller import Caller, calling
from appliance.errors import NotFound
from appliance.journal.journal import Journal
from appliance.library.items import File
from appliance.library.kinds import HEAD, UNKNOWN, inline_type
from appliance.library.library import Library
from appliance.library.opened import OpenFile
from appliance.library.roots import RootAway
from appliance.power.power import Power
from appliance.streaming import body, film_routes, inside_routes
from appliance.streaming.answer import Answer, answer
from appliance.streaming.disposition import disposition
from appliance.streaming.inside import Inside
from appliance.streaming.phone_copies import PhoneCopies
from appliance.streaming.subtitles import Subtitles
from appliance.streaming.waking import waking
from appliance.streaming.zero_copy import wire_of

SHOWN = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "object-src 'self'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'none'",
    )
)
"""A picture, film or PDF that is opened by itself: the browser makes a page around it, and no more."""

SANDBOX = "sandbox; default-src 'none'"
"""An attachment that a browser shows all the same runs nothing and belongs to no origin."""


def blueprint(
    library: Library,
    journal: Journal,
    subtitles: Subtitles,
    stall_limit: float = body.STALL_LIMIT,
    power: Power | None = None,
    copies: PhoneCopies | None = None,
) -> Blueprint:
    """`power` wakes the machine that an absent library folder lies on, when a person opens a file there."""
    routes = Blueprint("streaming", __name__)
    film_routes.add_to(routes, library, journal, subtitles, stall_limit)
    inside_routes.add_to(routes, Inside(library))

    @routes.get("/files/<file_id>/stream")
    async def stream(file_id: str) -> Response:
        caller = calling()
        opened, said, is_shown = await look(file_id, caller)
        counter = partial(journal.span, caller, file_id, opened.size, said.first_byte, "web")
        send = body.chunks(
            opened,
            said.pieces,
            counter,
            stall_limit,
            body.hang_up_of(request.scope),
            wire_of(request.scope),
        )
        return _response(said, send, opened.file, is_shown)

    @routes.get("/files/<file_id>/phone")
    async def phone(file_id: str) -> Response:
        """The copy for phones, where the daemon has made one: 720p, H.264 and AAC in MP4."""
        if copies is None:
            raise NotFound("phone copy", file_id)
        caller = calling()
        opened = await copies.open(file_id, caller.sees)
        said = answer(
            request.method,
            request.headers,
            size=opened.size,
            etag=opened.etag,
            mtime_ns=opened.mtime_ns,
            content_type="video/mp4",
        )
        send = body.chunks(
            opened,
            said.pieces,
            stall_limit=stall_limit,
            hang_up=body.hang_up_of(request.scope),
            wire=wire_of(request.scope),
        )
        return _response(said, send, opened.file, is_shown=True)

    @routes.get("/files/<file_id>/download")
    async def download(file_id: str) -> Response:
        caller = calling()
        opened, said, _ = await look(file_id, caller)
        counter = partial(journal.download, caller, file_id, opened.size, said.first_byte)
        send = body.chunks(
            opened,
            said.pieces,
            counter,
            stall_limit,
            body.hang_up_of(request.scope),
            wire_of(request.scope),
        )
        return _response(said, send, opened.file, is_shown=False)

    async def look(file_id: str, caller: Caller) -> tuple[OpenFile, Answer, bool]:
        """The file, open; what this request gets of it; and whether a browser may show it itself."""
        try:
            opened = await library.open(file_id, caller.sees)
        except RootAway as away:
            raise await waking(power, away, caller) from away
        head = await body.read(opened.fd, 0, HEAD)
        shown_as = inline_type(opened.file.mime_type, head)
        said = answer(
            request.method,
            request.headers,
            size=opened.size,
            etag=opened.etag,
            mtime_ns=opened.mtime_ns,
            content_type=shown_as or UNKNOWN,
        )
        return opened, said, shown_as is not None

    return routes


def _response(said: Answer, send: AsyncIterator[bytes], file: File, is_shown: bool) -> Response:
    response = Response(send if said.pieces else b"", said.status)
    # No limit of time on a stream; `body.chunks` has its own, on standing still.
    response.timeout = None
    del response.headers["Content-Type"]
    if said.status in (412, 416):
        response = _problem(said.status)
    response.headers.update(said.headers)
    if said.status in (200, 206):
        response.headers["Content-Disposition"] = disposition(
            "inline" if is_shown else "attachment", file.name
        )
        response.headers["Content-Security-Policy"] = SHOWN if is_shown else SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _problem(status: int) -> Response:
    slug, title = {
        412: ("precondition-failed", "Not what it was"),
        416: ("range-not-satisfiable", "No such range"),
    }[status]
    text = json.dumps({"type": f"urn:mantel:problem:{slug}", "title": title, "status": status})
    return Response(text, status, content_type="application/problem+json")
