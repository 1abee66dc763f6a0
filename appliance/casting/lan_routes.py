"""What the LAN listener serves for casting besides media: the events that renderers send us."""

from __future__ import annotations

from aiohttp import web

from dlna.casting.events import LARGEST_EVENT, PATH, Events


def cast_routes(events: Events) -> list[web.RouteDef]:
    """For `dlna.server.MediaServer(…, routes=…)`."""

    async def notify(request: web.Request) -> web.Response:
        if (request.content_length or 0) > LARGEST_EVENT:
            return web.Response(status=413)
        body = await request.content.read(LARGEST_EVENT + 1)
        while len(body) <= LARGEST_EVENT and (more := await request.content.readany()):
            body += more
        if len(body) > LARGEST_EVENT:
            return web.Response(status=413)
        sender = request.transport.get_extra_info("peername")[0] if request.transport else ""
        word = request.match_info["word"]
        return web.Response(status=await events.notify(word, sender, request.headers, body))

    return [web.route("NOTIFY", PATH + "{word}", notify)]
