"""Request bodies at the speed of the disk, not of the network.

The framework's body has none of this: it takes what the network brings and keeps it in memory. So the app is
wrapped: `receive` waits while more than WINDOW bytes are on their way, and `chunks` gives credit back as
the route takes them.

Rules:
1. At most WINDOW bytes of one request wait in memory.
2. A body that is no upload ends at LONGEST_BODY with 413; a route that awaits it whole never hangs.
3. An error that is answered before the body has come lets up to DRAIN bytes of it come first, and drops them:
   a browser that is still sending would see a broken connection instead of the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from appliance.errors import TooSlow
from appliance.units import MIB, SECONDS

WINDOW = 4 * MIB
LONGEST_BODY = 1 * MIB
DRAIN = 32 * MIB
DRAIN_TIME = 10 * SECONDS
IDLE = 60 * SECONDS
"""No byte for so long ends an upload (what came is kept where the protocol can resume)."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
_GATE = "mantel.gate"


class Gate:
    """Counts the bytes of one request body that are on their way from the socket to the route."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._waiting = 0
        self._free = asyncio.Event()
        self._free.set()
        self.discarding = False
        self.dropped = 0
        self.complete = asyncio.Event()

    async def free(self) -> None:
        await self._free.wait()

    def came(self, count: int) -> None:
        self._waiting += count
        if self._waiting > self._window and not self.discarding:
            self._free.clear()

    def taken(self, count: int) -> None:
        self._waiting -= count
        if self._waiting <= self._window:
            self._free.set()

    def discard(self) -> None:
        """Nobody will read the rest."""
        self.discarding = True
        self._free.set()


class BackPressure:
    """ASGI middleware. `is_upload(path)` says whose bodies may be of any size."""

    def __init__(
        self, app: Any, is_upload: Callable[[str], bool], window: int = WINDOW, longest_body: int = LONGEST_BODY
    ) -> None:
        self._app, self._is_upload = app, is_upload
        self._window, self._longest_body = window, longest_body

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gate = Gate(self._window)
        longest = None if self._is_upload(scope["path"]) else self._longest_body
        if longest is not None and _length(scope) > longest:
            gate.discard()
            await _drain_by(receive, gate)
            await _too_large(send, longest)
            return
        total = 0
        began = too_large = False

        async def gated_receive() -> Any:
            nonlocal total, too_large
            await gate.free()
            message = await receive()
            if message["type"] != "http.request":
                gate.complete.set()
                return message
            count = len(message.get("body", b""))
            total += count
            if not message.get("more_body", False):
                gate.complete.set()
            if longest is not None and total > longest and not gate.discarding:
                too_large = True
                gate.discard()
                return {"type": "http.disconnect"}
            if gate.discarding:
                gate.dropped += count
                if gate.dropped > DRAIN:
                    gate.complete.set()
                return {**message, "body": b""}
            gate.came(count)
            return message

        async def watched_send(message: Any) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                if message["status"] >= 400 and not gate.complete.is_set():
                    gate.discard()
                    try:
                        async with asyncio.timeout(DRAIN_TIME):
                            await gate.complete.wait()
                    except TimeoutError:
                        pass
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                gate.discard()

        await self._app({**scope, _GATE: gate}, gated_receive, watched_send)
        if too_large and not began:
            await _drain_by(receive, gate)
            await _too_large(send, self._longest_body)


async def chunks(
    body: AsyncIterator[bytes], scope: Any, idle: float = IDLE
) -> AsyncIterator[bytes]:
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
            raise TooSlow("the upload", idle) from None
        if chunk:
            yield chunk
            if gate:
                gate.taken(len(chunk))


def _length(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


async def _drain_by(receive: Receive, gate: Gate) -> None:
    try:
        async with asyncio.timeout(DRAIN_TIME):
            while gate.dropped <= DRAIN and not gate.complete.is_set():
                message = await receive()
                gate.dropped += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        pass


async def _too_large(send: Send, limit: int) -> None:
    text = (
        b'{"type":"about:blank","title":"Content Too Large","status":413,'
        b'"detail":"A request of at most %d bytes is taken here."}' % limit
    )
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(text)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": False})
