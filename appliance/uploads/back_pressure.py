"""Request bodies at the speed of the disk, not of the network.

The framework's body has none of this: it takes what the network brings and keeps it in memory, 1.2 GB of it
for an upload of 1 GB onto a slow disk. So the app is wrapped: `receive` waits while more than WINDOW bytes
are on their way, and `chunks` gives credit back as the route takes them.

Rules:
1. At most WINDOW bytes of one request wait in memory (and one message of the server's).
2. Once the answer has ended, the rest of the body is dropped as it comes.
3. An error that is answered early lets up to DRAIN bytes come first: a browser that is still sending would
   see a broken connection instead of the answer.
4. A route that awaits its body whole needs a limit below WINDOW; `web/access.py` sets one for JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from appliance.errors import TooSlow
from appliance.units import MIB, SECONDS

WINDOW = 4 * MIB
DRAIN = 32 * MIB
DRAIN_TIME = 10 * SECONDS
IDLE = 60 * SECONDS
"""No byte for so long ends an upload; what came is kept where the protocol can resume."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
_GATE = "mantel.gate"


class Gate:
    """Counts the bytes of one request body that are on their way from the socket to the route."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._waiting = self._dropped = 0
        self._discarding = False
        self._free = asyncio.Event()
        self._free.set()
        self.complete = asyncio.Event()
        """The whole body was received, or the client has gone, or DRAIN bytes were dropped."""

    async def free(self) -> None:
        await self._free.wait()

    def came(self, message: Any) -> Any:
        """Count a message; returns what the app gets of it."""
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.complete.set()
        count = len(message.get("body", b""))
        if self._discarding:
            self._dropped += count
            if self._dropped > DRAIN:
                self.complete.set()
            return {**message, "body": b""} if count else message
        self._waiting += count
        if self._waiting > self._window:
            self._free.clear()
        return message

    def taken(self, count: int) -> None:
        self._waiting -= count
        if self._waiting <= self._window:
            self._free.set()

    def discard(self) -> None:
        """Nobody will read the rest."""
        self._discarding = True
        self._free.set()


class BackPressure:
    """ASGI middleware around the whole app."""

    def __init__(self, app: Any, window: int = WINDOW) -> None:
        self._app, self._window = app, window

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gate = Gate(self._window)

        async def gated_receive() -> Any:
            await gate.free()
            return gate.came(await receive())

        async def watched_send(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                # The framework goes on receiving beside this.
                gate.discard()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_TIME):
                        await gate.complete.wait()
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                gate.discard()

        await self._app({**scope, _GATE: gate}, gated_receive, watched_send)


async def chunks(body: AsyncIterator[bytes], scope: Any, idle: float = IDLE) -> AsyncIterator[bytes]:
    """The request's body as it comes. Credit for a chunk is given back when the next one is asked for.

    Raises TooSlow when nothing came for `idle` seconds.
    """
    gate: Gate | None = scope.get(_GATE)
    iterator = aiter(body)
    while True:
        try:
            async with asyncio.timeout(idle):
                chunk = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow("The upload", idle) from None
        if chunk:
            yield chunk
            if gate:
                gate.taken(len(chunk))
