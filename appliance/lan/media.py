"""What a signed path leads to, and sending it: films, music, photos, their pictures and captions."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from appliance.accounts.caller import Audience, Caller, Role, Via
from appliance.errors import NotFound, Unavailable
from appliance.journal.journal import Journal
from appliance.lan.captions import as_smi, as_srt, numbers
from appliance.lan.media_urls import Grant, MediaUrls
from appliance.lan.shelf.objects import ORIGINAL, RENDITIONS, codec_names, extension_of
from appliance.lan.shelf.store import MEDIA, NOT_FOR_TVS
from appliance.lan.tv import Tv
from appliance.lan.tvs import Tvs
from appliance.library.items import File, Kind
from appliance.library.library import Library
from appliance.library.opened import OpenFile
from appliance.streaming import body, lan_body
from appliance.streaming.answer import answer
from appliance.streaming.subtitles import BESIDE, Subtitles
from dlna.catalog import Away, MediaKind, NoSuchObject, NotAllowed, Resource, Viewer
from dlna.media_profiles import Streams, profile

Pictures = Callable[[str, frozenset[Audience], int, int], Awaitable[bytes]]
"""(file id, sees, width, height) → a JPEG that fits. Raises NotFound."""

_CAPTIONS = {"srt": "text/srt", "smi": "smi/caption", "vtt": "text/vtt"}


class Media:
    """Opens the paths that TVs were given."""

    def __init__(
        self,
        library: Library,
        journal: Journal,
        tvs: Tvs,
        urls: MediaUrls,
        subtitles: Subtitles,
        pictures: Pictures,
        is_within: Callable[[tuple[str, ...], str], Awaitable[bool]],
    ) -> None:
        """`is_within(folders, file_id)`: whether a file lies in one of the folders, or below."""
        self._library, self._journal, self._tvs, self._urls = library, journal, tvs, urls
        self._subtitles, self._pictures, self._is_within = subtitles, pictures, is_within

    async def open(self, viewer: Viewer, token: str) -> Sent | Made:
        """Raises NoSuchObject, NotAllowed, Away."""
        grant = self._urls.read(token)
        if grant is None:
            raise NotAllowed("This address has run out.")
        tv = self._tv(grant)
        cut = self._tvs.cut_off(tv.id)
        if tv.folders and not await self._is_within(tv.folders, grant.item):
            raise NotAllowed("This TV may not open that folder.")
        caller = Caller(
            None, tv.name, Role.GUEST, Via.TV, None, f"tv-{tv.id}", viewer.address, viewer.user_agent
        )
        sees = caller.sees
        try:
            if grant.rendition == ORIGINAL:
                return await self._original(grant.item, caller, cut)
            file = _for_tvs(await self._library.file(grant.item, sees))
            return await self._made(file, grant.rendition, sees)
        except NotFound as error:
            raise NoSuchObject(grant.item) from error
        except Unavailable as error:
            raise Away(str(error)) from error

    def _tv(self, grant: Grant) -> Tv:
        if grant.purpose != "tv":
            raise NotAllowed("This address is not for TVs.")
        try:
            tv = self._tvs.by_id(grant.grantor)
        except NotFound:
            raise NotAllowed("This TV is not known any more.") from None
        if not self._tvs.may(tv):
            raise NotAllowed("This TV is not allowed.")
        return tv

    async def _original(self, file_id: str, caller: Caller, cut: asyncio.Event) -> Sent:
        opened = await self._library.open(file_id, caller.sees)
        file = _for_tvs(opened.file)
        codecs = file.facts.get("codecs") or {}
        resource = Resource(
            path=f"/media.{extension_of(file)}",
            mime_type=file.mime_type,
            size=opened.size,
            codecs=codec_names(codecs),
            duration=None if file.kind is Kind.IMAGE else file.duration_sec,
            profile=profile(Streams.of(file.mime_type, codecs, file.resolution, file.facts.get("bitrate"))),
            kind=MediaKind(file.kind.value),
        )
        caption = None
        if file.kind is Kind.VIDEO and caller.device:
            names = await self._library.beside(file.id, caller.sees, BESIDE)
            if names:
                first = numbers(names, os.fsencode(file.name))[0]
                caption = self._urls.for_tv(file.id, f"srt{first}", caller.device.removeprefix("tv-"), "srt")
        return Sent(
            resource,
            caption,
            opened,
            partial(self._journal.span, caller, file.id, opened.size),
            cut,
        )

    async def _made(self, file: File, rendition: str, sees: frozenset[Audience]) -> Made:
        if rendition in RENDITIONS:
            name, width, height = RENDITIONS[rendition]
            data = await self._pictures(file.id, sees, width, height)
            resource = Resource(
                "", "image/jpeg", len(data), profile=name, converted=True, kind=MediaKind.IMAGE
            )
            return Made(resource, data, file.mtime_ns)
        match = re.fullmatch(r"(srt|smi|vtt)(\d{1,2})", rendition)
        if not match:
            raise NoSuchObject(rendition)
        vtt = await self._subtitles.vtt(file.id, sees, int(match[2]))
        text = as_srt(vtt) if match[1] == "srt" else as_smi(vtt) if match[1] == "smi" else vtt
        data = text.encode("utf-8")
        return Made(
            Resource("", _CAPTIONS[match[1]], len(data), converted=True),
            data,
            file.mtime_ns,
        )


def _for_tvs(file: File) -> File:
    if file.kind.value not in MEDIA or file.mime_type in NOT_FOR_TVS:
        raise NoSuchObject(file.id)
    return file


@dataclass
class Sent:
    """A file itself. `span(first_byte, source)` is opened with the body alone, never for HEAD."""

    resource: Resource
    caption_path: str | None
    opened: OpenFile
    span: Callable[[int, str], body.Counter]
    cut: asyncio.Event
    cross_origin: bool = False

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        said = answer(
            request.method,
            request.headers,
            size=self.opened.size,
            etag=self.opened.etag,
            mtime_ns=self.opened.mtime_ns,
            content_type=self.resource.mime_type,
        )
        told = {**headers, "X-Content-Type-Options": "nosniff"}
        span = partial(self.span, said.first_byte, "tv")
        return await lan_body.send(request, said, told, self.opened, span, self.cut)

    def close(self) -> None:
        self.opened.close()


@dataclass
class Made:
    """A picture or caption, small and whole in memory; no span: nobody has watched anything."""

    resource: Resource
    data: bytes = field(repr=False)
    mtime_ns: int
    caption_path: str | None = None
    cross_origin: bool = False

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        kind = self.resource.mime_type
        said = answer(
            request.method,
            request.headers,
            size=len(self.data),
            etag=f'"{hashlib.sha256(self.data).hexdigest()[:24]}"',
            mtime_ns=self.mtime_ns,
            content_type=kind if kind.startswith("image/") else f"{kind}; charset=utf-8",
        )
        sent = b"".join(
            piece if isinstance(piece, bytes) else self.data[piece.first : piece.last + 1]
            for piece in said.pieces
        )
        response = web.Response(status=said.status, body=sent, headers={**headers})
        for name, value in said.headers.items():
            if name != "Content-Length" or request.method == "HEAD":
                response.headers[name] = value
        return response

    def close(self) -> None:
        pass
