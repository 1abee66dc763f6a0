"""What players fetch: the media route of the LAN listener for URLs that casting signed.

`WithCasts` is the catalog of the media server and adds this one thing to it: everything else goes through.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial

from aiohttp import web

from appliance.accounts.caller import Caller
from appliance.casting.grants import Grants
from appliance.casting.media import ORIGINAL, PICTURE
from appliance.errors import Forbidden, NotFound, Unavailable
from appliance.journal.journal import Journal
from appliance.lan.captions import as_srt, numbers
from appliance.lan.casts import Admitted
from appliance.lan.media_urls import Grant
from appliance.library.items import Kind as FileKind
from appliance.library.library import Library
from appliance.library.opened import OpenFile
from appliance.streaming import lan_body
from appliance.streaming.answer import answer
from appliance.streaming.subtitles import BESIDE, Subtitles
from dlna.catalog import (
    Away,
    Catalog,
    MediaKind,
    NoSuchObject,
    NotAllowed,
    Object,
    Opened,
    Page,
    Resource,
    SortKey,
    Viewer,
)
from dlna.search_criteria import Criteria

PICTURE_SIZE = 640
"""Pixels of the longer side: JPEG_SM of the DLNA Guidelines, and enough for a Cast device's screen."""
_CAPTION = re.compile(r"(vtt|srt)(\d{1,3})")
_TYPES = {"vtt": "text/vtt; charset=utf-8", "srt": "text/srt; charset=utf-8"}


class WithCasts:
    """A `Catalog`: `shelf`, and the URLs of showings."""

    def __init__(
        self, shelf: Catalog, grants: Grants, library: Library, journal: Journal, subtitles: Subtitles
    ) -> None:
        self._shelf, self._grants, self._library = shelf, grants, library
        self._journal, self._subtitles = journal, subtitles

    @property
    def system_update_id(self) -> int:
        return self._shelf.system_update_id

    async def seen(self, viewer: Viewer) -> None:
        await self._shelf.seen(viewer)

    async def version(self, viewer: Viewer) -> Hashable:
        return await self._shelf.version(viewer)

    async def metadata(self, viewer: Viewer, object_id: str) -> Object:
        return await self._shelf.metadata(viewer, object_id)

    async def children(
        self, viewer: Viewer, container_id: str, start: int, count: int, sort: tuple[SortKey, ...]
    ) -> Page:
        return await self._shelf.children(viewer, container_id, start, count, sort)

    async def search(
        self,
        viewer: Viewer,
        container_id: str,
        criteria: Criteria | None,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        return await self._shelf.search(viewer, container_id, criteria, start, count, sort)

    async def set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        await self._shelf.set_position(viewer, object_id, seconds)

    async def open(self, viewer: Viewer, token: str, name: str) -> Opened:
        grant = self._grants.read(token)
        if grant is None or grant.purpose != "cast":
            return await self._shelf.open(viewer, token, name)
        try:
            admitted = await self._grants.admit(grant, viewer.address)
            if grant.rendition == ORIGINAL:
                return await self._original(grant, admitted, viewer)
            if match := _CAPTION.fullmatch(grant.rendition):
                return await self._caption(grant, admitted, match[1], int(match[2]))
            if grant.rendition == PICTURE:
                made = await self._library.thumbnail(grant.item, PICTURE_SIZE, admitted.caller.sees)
                return CastBytes(made.jpeg, "image/jpeg", MediaKind.IMAGE)
        except Forbidden as error:
            raise NotAllowed(error.what) from error
        except NotFound as error:
            raise NoSuchObject(grant.item) from error
        except Unavailable as error:
            raise Away from error
        raise NoSuchObject(grant.rendition)

    async def _original(self, grant: Grant, admitted: Admitted, viewer: Viewer) -> Opened:
        caller = admitted.caller
        opened = await self._library.open(grant.item, caller.sees)
        file = opened.file
        resource = Resource(
            path="",
            mime_type=file.mime_type,
            size=opened.size,
            duration=file.duration_sec,
            kind=MediaKind(file.kind.value),
        )
        fetching = replace(caller, user_agent=viewer.user_agent[:200])
        caption = None
        if file.kind is FileKind.VIDEO:
            # Samsung TVs ask for them in the head of the film.
            names = await self._library.beside(file.id, caller.sees, BESIDE)
            first = numbers(names, os.fsencode(file.name))[:1]
            caption = self._grants.beside(grant, f"srt{first[0]}", "srt") if first else None
        return CastFile(opened, resource, caption, self._journal, fetching, admitted.cut)

    async def _caption(self, grant: Grant, admitted: Admitted, kind: str, number: int) -> Opened:
        text = await self._subtitles.vtt(grant.item, admitted.caller.sees, number)
        return CastBytes((as_srt(text) if kind == "srt" else text).encode(), _TYPES[kind])


class CastFile:
    """An `Opened`: a file of the library, as whoever cast it may have it."""

    cross_origin = True

    def __init__(
        self,
        opened: OpenFile,
        resource: Resource,
        caption_path: str | None,
        journal: Journal,
        caller: Caller,
        cut: asyncio.Event,
    ) -> None:
        self.resource, self.caption_path = resource, caption_path
        self._opened, self._journal = opened, journal
        self._caller, self._cut = caller, cut

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        opened, caller = self._opened, self._caller
        said = answer(
            request.method,
            request.headers,
            size=opened.size,
            etag=opened.etag,
            mtime_ns=opened.mtime_ns,
            content_type=self.resource.mime_type,
        )
        file = opened.file
        span = partial(self._journal.span, caller, file.id, opened.size, said.first_byte, "cast")
        return await lan_body.send(request, said, headers, opened, span, self._cut)

    def close(self) -> None:
        self._opened.close()


class CastBytes:
    """An `Opened`: subtitles, or a picture."""

    caption_path: str | None = None
    cross_origin = True

    def __init__(self, content: bytes, mime_type: str, kind: MediaKind = MediaKind.VIDEO) -> None:
        self.resource = Resource(path="", mime_type=mime_type, size=len(content), kind=kind)
        self._content = content

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        response = web.Response(
            body=self._content, headers={**headers, "Content-Type": self.resource.mime_type}
        )
        await response.prepare(request)
        return response

    def close(self) -> None:
        pass
