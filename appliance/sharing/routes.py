"""/shares for who makes links, /s/{token}/… for who holds one. Access stands in `web/access.py`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import segno
from quart import Blueprint, Response, request
from quart_schema import validate_request

from appliance.accounts.caller import Audience, calling
from appliance.accounts.client import knocking
from appliance.errors import Forbidden, NotFound, Unavailable
from appliance.journal.journal import Journal
from appliance.library.items import File, Kind
from appliance.library.kinds import HEAD, UNKNOWN, inline_type
from appliance.library.library import Library
from appliance.library.thumbnails import read_size
from appliance.sharing.share import Share
from appliance.sharing.shares import USUAL, Opened, Shares
from appliance.sharing.without_place import SUPPORTED, without_place
from appliance.sharing.zipped import zipped
from appliance.streaming import body
from appliance.streaming.answer import answer
from appliance.streaming.disposition import disposition
from appliance.streaming.subtitles import Subtitles
from appliance.streaming.zero_copy import wire_of
from appliance.units import MIB, iso

COOKIE = "mantel_share"
LARGEST_PHOTO = 64 * MIB
"""Bytes; a photo is held in memory while its place is taken out."""
SANDBOX = "sandbox; default-src 'none'"


@dataclass
class NewShare:
    file_ids: list[str] = field(default_factory=list)
    folder_id: str | None = None
    title: str = ""
    seconds: int = USUAL
    password: str | None = None
    one_time: bool = False
    download: bool = True
    with_place: bool = False


@dataclass
class Open:
    password: str | None = None


def share_json(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "title": share.title,
        "created_at": iso(share.created_at),
        "expires_at": iso(share.expires_at),
        "has_password": share.password_hash is not None,
        "one_time": share.one_time,
        "used": share.bound_to is not None,
        "download": share.download,
        "with_place": share.with_place,
        "owner_id": share.owner_id,
    }


def blueprint(shares: Shares, library: Library, journal: Journal, subtitles: Subtitles) -> Blueprint:
    routes = Blueprint("sharing", __name__)

    def with_link(share: Share) -> dict[str, Any]:
        link = f"{knocking().base()}/s/{shares.token(share)}"
        return share_json(share) | {"link": link, "qr_svg": segno.make(link).svg_inline(scale=8, border=2)}

    @routes.post("/shares")
    @validate_request(NewShare)
    async def make(data: NewShare) -> tuple[dict[str, Any], int]:
        """A link to files, or to what lies in a folder now; with its QR code."""
        return with_link(await shares.make(calling(), **vars(data))), 201

    @routes.get("/shares")
    async def list_shares() -> dict[str, Any]:
        """One's own links that are not over; an admin with `?all=1` sees everybody's."""
        found = await shares.list(calling(), request.args.get("all") == "1")
        owners = await shares.owners()
        items = [share_json(s) | {"owner": owners.get(s.owner_id), "opens": opens} for s, opens in found]
        return {"items": items}

    @routes.get("/shares/<share_id>")
    async def one(share_id: str) -> dict[str, Any]:
        """A link, its QR code, and who opened it."""
        share, openings = await shares.details(share_id, calling())
        opens = [
            {"opened_at": iso(o.opened_at), "device": o.device_name, "address": o.address} for o in openings
        ]
        return with_link(share) | {"opens": opens}

    @routes.delete("/shares/<share_id>")
    async def take_back(share_id: str) -> tuple[str, int]:
        """Take a link back: it and whatever it opened are over at once."""
        await shares.take_back(share_id, calling())
        return "", 204

    @routes.get("/s/<token>/about")
    async def about(token: str) -> dict[str, Any]:
        """What the landing page says before the link is opened: nothing of what is behind it."""
        share = await shares.look(token)
        return {"has_password": share.password_hash is not None, "one_time": share.one_time}

    @routes.post("/s/<token>/open")
    @validate_request(Open)
    async def open_link(token: str, data: Open) -> Response:
        """Open the link on this browser; a one-time link is then used up for every other."""
        cookie, seconds = await shares.open(token, data.password, request.cookies.get(COOKIE), knocking())
        response = Response("", 204)
        response.set_cookie(
            COOKIE,
            cookie,
            path=f"/s/{token}",
            max_age=seconds,
            httponly=True,
            samesite="Lax",
            secure=knocking().channel == "tls",
        )
        return response

    async def opened(token: str) -> Opened:
        return await shares.opened(token, request.cookies.get(COOKIE), knocking())

    @routes.get("/s/<token>/files")
    async def files(token: str) -> dict[str, Any]:
        """What the link leads to."""
        link = await opened(token)
        found = [_file_json(file, token, link.share) for file in await shares.files(link)]
        return {"title": link.share.title, "expires_at": iso(link.share.expires_at), "items": found}

    @routes.get("/s/<token>/files/<file_id>/stream")
    async def stream(token: str, file_id: str) -> Response:
        """A file's bytes, to look at or listen to."""
        return await send(await opened(token), file_id, download=False)

    @routes.get("/s/<token>/files/<file_id>/download")
    async def download(token: str, file_id: str) -> Response:
        """A file's bytes, to keep."""
        link = await opened(token)
        if not link.share.download:
            raise Forbidden("This link is for looking, not for keeping.")
        return await send(link, file_id, download=True)

    @routes.get("/s/<token>/files/<file_id>/thumbnail")
    async def thumbnail(token: str, file_id: str) -> Response:
        """A small picture of a file."""
        file = await shares.file(await opened(token), file_id)
        found = await library.thumbnail(file.id, read_size(request.args.get("size")), frozenset(Audience))
        return Response(found.jpeg, content_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})

    @routes.get("/s/<token>/files/<file_id>/subtitles")
    async def tracks(token: str, file_id: str) -> dict[str, Any]:
        """Which subtitles a film has."""
        file = await shares.file(await opened(token), file_id)
        found = await subtitles.tracks(file.id, frozenset(Audience))
        path = f"/s/{token}/files/{file.id}/subtitles"
        return {
            "tracks": [
                {"n": one.n, "label": one.label, "language": one.language, "url": f"{path}/{one.n}.vtt"}
                for one in found
            ]
        }

    @routes.get("/s/<token>/files/<file_id>/subtitles/<int:number>.vtt")
    async def subtitle(token: str, file_id: str, number: int) -> Response:
        """Subtitles as WebVTT."""
        file = await shares.file(await opened(token), file_id)
        text = await subtitles.vtt(file.id, frozenset(Audience), number)
        headers = {"Cache-Control": "private, no-cache"}
        return Response(text, content_type="text/vtt; charset=utf-8", headers=headers)

    @routes.get("/s/<token>/zip")
    async def all_files(token: str) -> Response:
        """All that the link leads to, in one zip."""
        link = await opened(token)
        if not link.share.download:
            raise Forbidden("This link is for looking, not for keeping.")
        found = await shares.files(link)
        kept = [file for file in found if link.share.with_place or can_be_cleaned(file)]
        parts = [(file.name, content(link, file)) for file in kept]
        if missing := [file.name for file in found if file not in kept]:
            parts.append(("Not in this zip.txt", _left_out(missing)))
        response = Response(
            zipped(parts),
            content_type="application/zip",
            headers={
                "Content-Disposition": disposition("attachment", f"{link.share.title}.zip"),
                "Content-Security-Policy": SANDBOX,
            },
        )
        response.timeout = None
        return response

    async def content(link: Opened, file: File) -> AsyncIterator[bytes]:
        """A file's bytes as this link gives them, whole."""
        file_opened = await library.open(file.id, frozenset(Audience))
        try:
            if file.kind is Kind.IMAGE and not link.share.with_place:
                # A broken picture is an empty file there: the others must still arrive.
                with contextlib.suppress(Unavailable):
                    photo = await _photo(file_opened.fd, file_opened.size, file.mime_type)
                    kept = partial(journal.download, link.viewer, file.id, len(photo), 0)
                    async for part in counted([photo], kept):
                        yield part
                return
            span = journal.download(link.viewer, file.id, file.size_bytes, 0)
            try:
                position = 0
                while part := await body.read(file_opened.fd, position, body.CHUNK):
                    yield part
                    position += len(part)
                    span.sent(len(part))
            finally:
                span.close()
        finally:
            file_opened.close()

    async def counted(pieces: list[bytes], begin: Callable[[], body.Counter]) -> AsyncIterator[bytes]:
        count = begin()
        try:
            for piece in pieces:
                yield piece
                count.sent(len(piece))
        finally:
            count.close()

    def counter(link: Opened, file: File, size: int, first: int, download: bool) -> body.Counter:
        if download:
            return journal.download(link.viewer, file.id, size, first)
        return journal.span(link.viewer, file.id, size, first, "web")

    async def send(link: Opened, file_id: str, download: bool) -> Response:
        file = await shares.file(link, file_id)
        opened = await library.open(file.id, frozenset(Audience))
        if (opened.size, opened.mtime_ns) != (file.size_bytes, file.mtime_ns):
            raise NotFound("file", file_id)
        head = await body.read(opened.fd, 0, HEAD)
        shown = None if download else inline_type(file.mime_type, head)
        photo = None
        if file.kind is Kind.IMAGE and not link.share.with_place:
            photo = await _photo(opened.fd, opened.size, file.mime_type)
        said = answer(
            request.method,
            request.headers,
            size=opened.size if photo is None else len(photo),
            etag=opened.etag if photo is None else f'{opened.etag[:-1]}-p"',
            mtime_ns=opened.mtime_ns,
            content_type=shown or UNKNOWN,
        )
        if photo is None:
            count = partial(counter, link, file, file.size_bytes, said.first_byte, download)
            sent = body.chunks(opened, said.pieces, count, wire=wire_of(request.scope))
        else:
            parts = [p if isinstance(p, bytes) else photo[p.first : p.last + 1] for p in said.pieces]
            sent = counted(parts, partial(counter, link, file, len(photo), said.first_byte, download))
        response = Response(sent if said.pieces else b"", said.status)
        response.timeout = None
        del response.headers["Content-Type"]
        response.headers.update(said.headers)
        response.headers["Content-Disposition"] = disposition("inline" if shown else "attachment", file.name)
        response.headers["Content-Security-Policy"] = SANDBOX
        return response

    return routes


def _file_json(file: File, token: str, share: Share) -> dict[str, Any]:
    """What a stranger needs: no id of people, no folder, no checksum."""
    path = f"/s/{token}/files/{file.id}"
    urls = {"stream": f"{path}/stream", "thumbnail": f"{path}/thumbnail"} | (
        {"download": f"{path}/download"} if share.download else {}
    )
    return {
        "id": file.id,
        "name": file.name,
        "type": file.kind.value,
        "mime_type": file.mime_type,
        "size_bytes": file.size_bytes,
        "duration_sec": file.duration_sec,
        "resolution": file.resolution,
        "urls": urls,
    }


def can_be_cleaned(file: File) -> bool:
    """Whether this goes out where no place may be told."""
    return file.kind is not Kind.IMAGE or file.mime_type in SUPPORTED


async def _left_out(names: list[str]) -> AsyncIterator[bytes]:
    yield (b"These pictures tell where they were taken, and that cannot be removed:\n")
    yield "".join(f"{name}\n" for name in names).encode("utf-8", "replace")


async def _photo(fd: int, size: int, mime_type: str) -> bytes:
    if size > LARGEST_PHOTO:
        raise Unavailable("This picture", "it is too large to take its place out")
    parts, position = [], 0
    while position < size:
        part = await body.read(fd, position, min(body.CHUNK, size - position))
        if not part:
            break
        parts.append(part)
        position += len(part)
    return without_place(b"".join(parts), mime_type)
