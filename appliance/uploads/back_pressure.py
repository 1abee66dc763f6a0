"""Request bodies at the speed of the disk, not of the network.

The framework's body has none of this: it takes what the network brings and keeps it in memory, 1.2 GB of it
for an upload of 1 GB onto a slow disk. So the app is wrapped: `receive` waits while more than WINDOW bytes
are on their way, and `chunks` gives credit back as the route takes them.

Rules:
1. At most WINDOW bytes of one request wait in memory (and one message of the server's).
2. Once the answer has ended, the rest of the body is dropped as it comes.
3. An error that is answered early lets up to DRAIN bytes come first: a browser that is still sending would
   see a broken connection instead of the answer.
4. A route may end its own request for good: the `HANG_UP` of its scope. Cancelling the task that runs the
   route would leave the connection open and silent under Quart 0.23.
5. A route that awaits its body whole needs a limit below WINDOW; `web/guard.py` sets one for JSON.
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
HANG_UP = "mantel.hang_up"
"""Key of the scope: a function without arguments, after which the app sees the client as gone."""


class Gate:
    """Counts the bytes of one request body that are on their way from the socket to the route."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._waiting = self._dropped = 0
        self._discarding = False
        self._free = asyncio.Event()
        self._free.set()
        self._receiver: asyncio.Task[Any] | None = None
        self._hung_up = False
        self.complete = asyncio.Event()
        """The whole body was received, or the client has gone, or DRAIN bytes were dropped."""

    async def next(self, receive: Receive) -> Any:
        """What the app receives next."""
        self._receiver = asyncio.current_task()
        if self._hung_up:
            return {"type": "http.disconnect"}
        try:
            await self._free.wait()
            return self._came(await receive())
        except asyncio.CancelledError:
            if not self._hung_up or self._receiver is None:
                raise
            self._receiver.uncancel()
            return {"type": "http.disconnect"}
        finally:
            self._receiver = None

    def hang_up(self) -> None:
        """Tell the app that the client has gone."""
        self._hung_up = True
        self.complete.set()
        if self._receiver:
            self._receiver.cancel()

    def _came(self, message: Any) -> Any:
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
            return await gate.next(receive)

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

        await self._app({**scope, _GATE: gate, HANG_UP: gate.hang_up}, gated_receive, watched_send)


def hang_up_of(scope: Any) -> Callable[[], None] | None:
    """How a route ends its own request; None where the app is not wrapped."""
    found: Callable[[], None] | None = scope.get(HANG_UP)
    return found


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
