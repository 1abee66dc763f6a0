"""Sending what `answer` says on the LAN listener (aiohttp), for TVs and players alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing

from aiohttp import web

from appliance.errors import Conflict, Unavailable
from appliance.streaming import body
from appliance.streaming.answer import Answer
from appliance.streaming.zero_copy import Wire

log = logging.getLogger(__name__)


async def send(
    request: web.Request,
    said: Answer,
    headers: Mapping[str, str],
    file: body.OpenedFile,
    counter: Callable[[], body.Counter],
    cut: asyncio.Event,
) -> web.StreamResponse:
    """The response, sent. `headers` go beside those of the answer; `counter` is made with the body alone.

    When `cut` is set the connection ends at once.
    """
    response = web.StreamResponse(status=said.status, headers={**said.headers, **headers})
    response.content_length = int(said.headers.get("Content-Length", 0))
    writer = await response.prepare(request)
    if said.pieces and writer and request.transport:
        wire = Wire(request.transport, writer.drain)
        pieces = body.chunks(file, said.pieces, counter, wire=wire)
        task = asyncio.current_task()
        cutting = asyncio.ensure_future(cut.wait())
        cutting.add_done_callback(lambda done: done.cancelled() or (task and task.cancel()))
        try:
            async with aclosing(pieces) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    await response.write(chunk)
        except ConnectionError:
            return response
        except (Conflict, Unavailable) as error:
            log.warning("a stream to %s ended early: %s", request.remote, error)
            wire.transport.abort()
        finally:
            cutting.cancel()
    await response.write_eof()
    return response
