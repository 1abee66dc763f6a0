"""Files to sockets past this process: the cache, the disk, peers that stop, go or come back."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.errors import Conflict
from appliance.streaming import zero_copy
from appliance.streaming.zero_copy import Wire, in_cache, wire_of

FILM = os.urandom(5_000_000)


@pytest.fixture
def film(tmp_path: Path) -> AsyncIterator[int]:
    (tmp_path / "film").write_bytes(FILM)
    fd = os.open(tmp_path / "film", os.O_RDONLY)
    yield fd
    os.close(fd)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamWriter, socket.socket]]:
    """A server's writer, and the peer's blocking socket."""
    got: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: got.put_nowait(writer), "127.0.0.1", 0)
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    peer.connect(server.sockets[0].getsockname())
    writer = await got.get()
    yield writer, peer
    peer.close()
    writer.close()
    server.close()


def read_exactly(peer: socket.socket, count: int) -> bytes:
    return peer.recv(count, socket.MSG_WAITALL)


@pytest.mark.parametrize("cached", [True, False])
async def test_every_byte_in_its_place(film: int, cached: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not cached:
        monkeypatch.setattr(zero_copy, "in_cache", lambda fd, offset, count: False)
    seen: list[int] = []
    async with connected() as (writer, peer):
        passed: list[int] = []
        wire = Wire(writer.transport, writer.drain, passed.append)
        # More than the socket takes waits in the transport's own buffer: it goes first.
        before = os.urandom(3_000_000)
        writer.write(before)
        reading = asyncio.create_task(asyncio.to_thread(read_exactly, peer, len(before) + 4_000_000))
        await wire.send(film, 500_000, 4_000_000, seen.append)
        assert await reading == before + FILM[500_000:4_500_000]
        assert (passed, sum(seen)) == ([4_000_000], 4_000_000)
        writer.write(b"after")
        assert await asyncio.to_thread(read_exactly, peer, 5) == b"after"


async def test_a_disk_that_does_not_answer_holds_up_nobody_else(
    film: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    awake = threading.Event()
    really = os.sendfile

    def sleeping(*given: int) -> int:
        if threading.current_thread() is not threading.main_thread():
            awake.wait(20)
        return really(*given)

    monkeypatch.setattr(os, "sendfile", sleeping)
    async with connected() as (cold, cold_peer), connected() as (warm, warm_peer):
        monkeypatch.setattr(zero_copy, "in_cache", lambda fd, offset, count: offset != 0)
        slow = asyncio.create_task(Wire(cold.transport, cold.drain).send(film, 0, 10, lambda count: None))
        await Wire(warm.transport, warm.drain).send(film, 5, 10, lambda count: None)
        assert await asyncio.to_thread(read_exactly, warm_peer, 10) == FILM[5:15]
        assert not slow.done()
        awake.set()
        await slow
        assert await asyncio.to_thread(read_exactly, cold_peer, 10) == FILM[:10]


async def test_who_is_cancelled_at_the_disk_leaves_nothing(
    film: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, awake, answered = threading.Event(), threading.Event(), threading.Event()
    really = zero_copy._send_and_close

    def sleeping(*given: int) -> int:
        asked.set()
        awake.wait(20)
        try:
            return really(*given)
        finally:
            answered.set()

    monkeypatch.setattr(zero_copy, "in_cache", lambda fd, offset, count: False)
    monkeypatch.setattr(zero_copy, "_send_and_close", sleeping)
    async with connected() as (writer, _):
        before = len(os.listdir("/proc/self/fd"))
        sending = asyncio.create_task(Wire(writer.transport, writer.drain).send(film, 0, 10, lambda n: None))
        await asyncio.to_thread(asked.wait, 20)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        awake.set()
        await asyncio.to_thread(answered.wait, 20)
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == before


async def test_what_left_while_we_were_told_to_stop_counts(
    film: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    left, heard = threading.Event(), threading.Event()
    really = zero_copy._send_and_close

    def sending_first(*given: int) -> int:
        count = really(*given)
        left.set()
        heard.wait(20)
        return count

    monkeypatch.setattr(zero_copy, "in_cache", lambda fd, offset, count: False)
    monkeypatch.setattr(zero_copy, "_send_and_close", sending_first)
    async with connected() as (writer, peer):
        sending = asyncio.create_task(Wire(writer.transport, writer.drain).send(film, 0, 10, seen.append))
        await asyncio.to_thread(left.wait, 20)
        assert await asyncio.to_thread(read_exactly, peer, 10) == FILM[:10]
        sending.cancel()
        await asyncio.sleep(0)
        heard.set()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert seen == [10]


async def test_a_peer_that_goes_is_an_error(film: int) -> None:
    async with connected() as (writer, peer):
        sending = asyncio.create_task(
            Wire(writer.transport, writer.drain).send(film, 0, len(FILM), lambda count: None)
        )
        await asyncio.to_thread(peer.recv, 1000)
        peer.close()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(sending, 10)
        with pytest.raises(ConnectionError):
            await Wire(writer.transport, writer.drain).send(film, 0, 10, lambda count: None)


async def test_a_file_that_ends_too_early_is_an_error(film: int) -> None:
    async with connected() as (writer, peer):
        sending = Wire(writer.transport, writer.drain).send(film, len(FILM) - 10, 20, lambda count: None)
        with pytest.raises(Conflict, match="shorter"):
            await asyncio.wait_for(sending, 10)
        assert await asyncio.to_thread(read_exactly, peer, 10) == FILM[-10:]


def test_the_cache_is_asked_at_both_ends(tmp_path: Path, film: int) -> None:
    assert in_cache(film, 0, len(FILM))
    assert in_cache(film, len(FILM) - 1, 1)
    assert not in_cache(film, len(FILM) - 10, 11)
    os.fsync(film)
    os.posix_fadvise(film, 0, 0, os.POSIX_FADV_DONTNEED)
    assert not in_cache(film, 0, len(FILM))


def test_other_servers_offer_no_wire() -> None:
    assert wire_of({"type": "http"}) is None
    assert wire_of({"type": "http", "state": {}}) is None
