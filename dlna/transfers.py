"""Sending media: what a path leads to, by the rules of its DLNA headers, a few at once for each peer."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dlna import protocol_info, transfer_headers
from dlna.catalog import Away, Catalog, NoSuchObject, NotAllowed, Opened, Viewer
from dlna.gate import Turned

STREAMS_PER_PEER = 8


class Transfers:
    """All transfers that run now."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._streams: dict[str, int] = {}

    async def answer(self, request: web.Request, viewer: Viewer) -> web.StreamResponse:
        """GET, HEAD or OPTIONS of `/m/{token}/{name}`. Raises Turned 403 for a web page."""
        try:
            opened = await self._catalog.open(viewer, request.match_info["token"], request.match_info["name"])
        except NoSuchObject:
            raise web.HTTPNotFound from None
        except NotAllowed as error:
            return web.Response(status=403, text=error.why + "\n")
        except Away:
            return web.Response(status=503, headers={"Retry-After": "30"})
        try:
            return await self._send(request, viewer, opened)
        finally:
            opened.close()

    async def _send(self, request: web.Request, viewer: Viewer, opened: Opened) -> web.StreamResponse:
        headers: dict[str, str] = {}
        if "Origin" in request.headers:
            if not opened.cross_origin:
                raise Turned(403, "not for web pages")
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = "Content-Range, Content-Length, Accept-Ranges"
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"}
            return web.Response(status=204, headers=headers | allowed | {"Allow": "GET, HEAD, OPTIONS"})
        asked = {name.lower(): value for name, value in request.headers.items()}
        caption = f"http://{viewer.host}{opened.caption_path}" if opened.caption_path else None
        judged = transfer_headers.judge(asked, opened.resource, viewer.client, caption)
        if isinstance(judged, transfer_headers.Refused):
            return web.Response(status=judged.status, text=judged.why + "\n")
        # The type as the item's res told it: a Samsung that asked for video/x-mkv is given that.
        opened.resource = replace(
            opened.resource, mime_type=protocol_info.mime_type(opened.resource, viewer.client)
        )
        peer = viewer.address
        if self._streams.get(peer, 0) >= STREAMS_PER_PEER:
            return web.Response(status=503, headers={"Retry-After": "5"})
        self._streams[peer] = self._streams.get(peer, 0) + 1
        try:
            return await opened.answer(request, headers | judged.headers)
        finally:
            self._streams[peer] -= 1
            if not self._streams[peer]:
                del self._streams[peer]
