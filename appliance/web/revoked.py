"""A request ends when the session that made it does: downloads, streams, live events, uploads alike.

To the framework it looks as if the client had left, which is the one way out of a running answer that ends
its generators, closes its files and closes the connection on every version of Quart.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

from appliance.accounts.running import Running

_KEY = "mantel.belongs_to"


def belongs_to(scope: Any, session_id: str | None) -> None:
    """State whose request this is, once that is known."""
    scope[_KEY](session_id)


class EndsWhenRevoked:
    """An ASGI application around another."""

    def __init__(self, app: Any, running: Running) -> None:
        self._app, self._running = app, running

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end() -> None:
            if not cut.done():
                cut.set_result(None)

        async def receive_until_cut() -> Any:
            if not cut.done():
                message = asyncio.ensure_future(receive())
                try:
                    await asyncio.wait({message, cut}, return_when=asyncio.FIRST_COMPLETED)
                    if message.done():
                        return message.result()
                finally:
                    message.cancel()
            return {"type": "http.disconnect"}

        with ExitStack() as stack:

            def register(session_id: str | None) -> None:
                stack.enter_context(self._running.register(session_id, end))

            await self._app({**scope, _KEY: register}, receive_until_cut, send)
