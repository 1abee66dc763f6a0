"""Each request has an id: on its answer as X-Request-Id, and in every line of the log that it causes."""

from __future__ import annotations

import secrets
from typing import Any

from appliance.logs import REQUEST

HEADER = "X-Request-Id"
_NAME = HEADER.lower().encode()


class Numbered:
    """An ASGI application around `app`. The id is ours: a client could write into the log by its own."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(4)
        # The server runs each request as a task of its own, with a context of its own.
        REQUEST.set(number)

        async def send_numbered(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], (_NAME, number.encode())]}
            await send(message)

        await self._app(scope, receive, send_numbered)
