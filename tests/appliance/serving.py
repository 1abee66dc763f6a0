"""A Quart app behind the real server on a port of its own, and a client that sends what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """The port on 127.0.0.1 where `app` (any ASGI app) is served until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0.2
    config.errorlog = None
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield port
    finally:
        stop.set()
        try:
            await asyncio.wait_for(server, 10)
        except (TimeoutError, asyncio.CancelledError):
            server.cancel()


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    port: int, target: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
) -> Reply:
    """One request on a connection of its own; the body is all that comes until the length or the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request_head(target, headers, method, body) + body)
        await writer.drain()
        return await read_reply(reader, method)
    finally:
        writer.close()


def request_head(
    target: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
) -> bytes:
    lines = {"Host": "127.0.0.1", **(headers or {})}
    if body:
        lines.setdefault("Content-Length", str(len(body)))
    text = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
    return text.encode("latin-1")


async def read_reply(reader: asyncio.StreamReader, method: str = "GET") -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    if method == "HEAD" or status in (204, 304):
        # Whatever comes now would be a body that must not be there.
        try:
            return Reply(status, headers, await asyncio.wait_for(reader.read(1), 0.05))
        except TimeoutError:
            return Reply(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return Reply(status, headers, body)
    return Reply(status, headers, await reader.readexactly(int(headers["content-length"])))


def open_descriptors() -> int:
    """How many descriptors this process holds, those of the store's pool left out."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(".db" not in target for target in found)
