"""The wrapper around the app, with an app and a server made of a few lines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from appliance.errors import TooSlow
from appliance.uploads.back_pressure import DRAIN, BackPressure, chunks

KIB = 1024


class Body:
    """A request body without any limit of its own, as the framework's."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.most = 0

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        data = await self.queue.get()
        if data is None:
            raise StopAsyncIteration
        return data

    @property
    def waiting(self) -> int:
        return sum(len(data or b"") for data in self.queue._queue)  # type: ignore[attr-defined]


class App:
    """Takes what comes beside the handler, as the framework does."""

    def __init__(self, handler: Any) -> None:
        self.body = Body()
        self.handler = handler

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def take() -> None:
            while (message := await receive())["type"] == "http.request":
                self.body.queue.put_nowait(message["body"])
                self.body.most = max(self.body.most, self.body.waiting)
                if not message["more_body"]:
                    self.body.queue.put_nowait(None)

        taking = asyncio.create_task(take())
        try:
            await self.handler(self.body, scope, send)
        finally:
            taking.cancel()


class Server:
    """Sends `pieces` of 64 KiB as fast as they are taken."""

    def __init__(self, pieces: int) -> None:
        self.left, self.sent = pieces, list[Any]()

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        if self.left == 0:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": bytes(64 * KIB), "more_body": self.left > 0}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


async def answer(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def test_a_slow_route_holds_the_network_back() -> None:
    got = 0

    async def handler(body: Body, scope: Any, send: Any) -> None:
        nonlocal got
        async for chunk in chunks(body, scope):
            got += len(chunk)
            await asyncio.sleep(0.001)
        await answer(send, 200)

    app, server = App(handler), Server(200)
    await BackPressure(app, window=512 * KIB)({"type": "http"}, server.receive, server.send)
    assert got == 200 * 64 * KIB
    assert app.body.most <= 512 * KIB + 64 * KIB


async def test_an_answer_without_reading_is_not_held_up() -> None:
    async def handler(body: Body, scope: Any, send: Any) -> None:
        await asyncio.sleep(0.05)
        await answer(send, 200)

    app, server = App(handler), Server(10_000)
    await BackPressure(app, window=512 * KIB)({"type": "http"}, server.receive, server.send)
    assert server.sent[0]["status"] == 200
    assert app.body.most <= 512 * KIB + 64 * KIB


@pytest.mark.parametrize("pieces", [100, DRAIN // (64 * KIB) + 500])
async def test_an_early_error_lets_the_body_come_and_keeps_none_of_it(pieces: int) -> None:
    async def handler(body: Body, scope: Any, send: Any) -> None:
        await answer(send, 401)

    app, server = App(handler), Server(pieces)
    await BackPressure(app, window=512 * KIB)({"type": "http"}, server.receive, server.send)
    assert server.sent[0]["status"] == 401
    assert app.body.most == 0
    assert server.left == 0 if pieces == 100 else server.left > 0


async def test_a_client_that_stands_still_is_an_error() -> None:
    async def handler(body: Body, scope: Any, send: Any) -> None:
        with pytest.raises(TooSlow):
            async for _ in chunks(body, scope, idle=0.05):
                pass
        await answer(send, 200)

    server = Server(3)
    server.left = 3

    async def never_ends() -> Any:
        if server.left == 1:
            await asyncio.Event().wait()
        return await server.receive()

    await BackPressure(App(handler))({"type": "http"}, never_ends, server.send)


async def test_other_scopes_pass() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await BackPressure(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
