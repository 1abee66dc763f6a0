"""Revoking ends what is running, over a real Hypercorn on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Blueprint, Response

from appliance.accounts import command_line
from appliance.accounts.caller import Role
from appliance.web.access import ACCESS
from tests.appliance.entrance import House, entrance


@asynccontextmanager
async def served(house: House) -> AsyncIterator[int]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = None
    stop = asyncio.Event()
    task = asyncio.create_task(serve(house.app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
    try:
        yield port
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(task, 10)


async def open_stream(port: int, path: str, bearer: str) -> tuple[Any, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\n\r\n".encode())
    assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
    return reader, writer


async def until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@pytest.mark.parametrize("path", ["/events/live", "/endless"])
@pytest.mark.parametrize("how", ["revoke", "lockdown", "other process", "role"])
async def test_revoking_cuts_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, how: str
) -> None:
    ended = asyncio.Event()
    endless = Blueprint("endless", __name__)

    @endless.get("/endless")
    async def bytes_without_end() -> Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 1024
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return Response(body())

    monkeypatch.setitem(ACCESS, ("GET", "/endless"), Role.GUEST)
    async with entrance(tmp_path, endless) as house:
        mira, other = await house.sign_in("mira", Role.EDITOR), await house.sign_in("ben", Role.EDITOR)
        async with served(house) as port:
            cut, cut_writer = await open_stream(port, path, mira.headers["Authorization"])
            kept, kept_writer = await open_stream(port, path, other.headers["Authorization"])
            (session,) = [s for s in await house.accounts.sessions.list() if s.username == "mira"]
            if how == "revoke":
                await house.accounts.sessions.end(session.id)
            elif how == "lockdown":
                await house.accounts.lockdown()
            elif how == "other process":
                await command_line.reset_user(house.settings, "mira", "another password")
            else:
                await house.accounts.users.change(str(session.user_id), role=Role.VIEWER)
            await asyncio.wait_for(until_closed(cut), 10)
            if path == "/endless":
                await asyncio.wait_for(ended.wait(), 5)
            if how != "lockdown":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(until_closed(kept), 0.3)
            cut_writer.close()
            kept_writer.close()
            await asyncio.sleep(0)
        assert not house.accounts.sessions.running.sessions()
