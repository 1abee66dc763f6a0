"""The one function that sends bytes of files. Both listeners use it.

Given the connection's wire it sends the file's parts itself (zero_copy.py) and yields the bytes between them;
without one, as under TLS, it yields all of them.

Rules:
1. The file is open before anything is promised of it, and is the one that is sent, whatever takes its name.
2. It is closed when the generator ends, is closed, or its task is cancelled; and by itself when the generator
   is dropped before its first chunk.
3. A stream may take as long as it likes; only standing still has a limit.
4. A file that shrank meanwhile ends the connection: no byte is invented.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from appliance.errors import Conflict
from appliance.streaming.byte_range import Part
from appliance.streaming.zero_copy import Wire, in_cache
from appliance.units import KIB, MINUTES

CHUNK = 512 * KIB
"""Read at once, where nothing is sent past us: over TLS 256 KiB costs a quarter more CPU, 64 KiB 80 % more;
8 KiB, the framework's own, thirty times as much."""

STALL_LIMIT = 15 * MINUTES
"""Seconds that a peer may take no byte. Paused players do; dead ones must not hold a descriptor for ever."""

_READERS = ThreadPoolExecutor(16, thread_name_prefix="read")
"""A pool of its own: streams from a sleeping disk hold up other streams at most, never the rest."""


class OpenedFile(Protocol):
    """What is needed of an open file: `appliance.library.opened.OpenFile` is one."""

    @property
    def fd(self) -> int: ...
    def close(self) -> None: ...


class Counter(Protocol):
    """Told of bytes as they leave; the journal's spans are such."""

    def sent(self, count: int) -> None: ...
    def close(self) -> None: ...


async def chunks(
    file: OpenedFile,
    pieces: Iterable[bytes | Part],
    counter: Callable[[], Counter] | None = None,
    stall_limit: float = STALL_LIMIT,
    hang_up: Callable[[], None] | None = None,
    wire: Wire | None = None,
) -> AsyncIterator[bytes]:
    """The body made of `pieces`, in chunks of at most CHUNK bytes.

    `file` is closed at the end; `counter` is made at the first chunk. If the consumer does not come back
    within `stall_limit` seconds, `hang_up` is called, or the task that iterates is cancelled where there is
    none. Close the generator when done (`contextlib.aclosing`; Quart does).

    Raises Conflict when the file ends before what was promised, Unavailable when its disk fails,
    ConnectionError when the peer has gone.
    """
    count = counter() if counter else None
    stall = Stall(stall_limit, hang_up)

    def sent(part: int) -> None:
        stall.moved()
        if count:
            count.sent(part)

    try:
        for piece in pieces:
            if isinstance(piece, bytes):
                stall.begin()
                yield piece
                stall.end()
                continue
            if wire:
                stall.begin()
                try:
                    await wire.send(file.fd, piece.first, piece.length, sent)
                except ConnectionError:
                    # The framing has counted bytes that never left: no other answer may follow on this one.
                    wire.transport.abort()
                    raise
                stall.end()
                continue
            position, end = piece.first, piece.last + 1
            while position < end:
                data = await read(file.fd, position, min(CHUNK, end - position))
                if not data:
                    raise Conflict("The file became shorter while it was sent.")
                position += len(data)
                stall.begin()
                yield data
                stall.end()
                sent(len(data))
                # Writes to a peer that has gone return at once, and reads from the cache do too: without
                # this turn of the loop nobody could tell this task to stop before the file's end.
                await asyncio.sleep(0)
    finally:
        stall.close()
        file.close()
        if count:
            count.close()


async def read(fd: int, offset: int, count: int) -> bytes:
    """Up to `count` bytes at `offset`; empty only at the end of the file.

    Read in the loop what the page cache holds, and in a thread what the disk must be asked for: one
    slow disk holds up nobody else.
    """
    if in_cache(fd, offset, count):
        return os.pread(fd, count, offset)
    return await asyncio.get_running_loop().run_in_executor(_READERS, os.pread, fd, count, offset)


def hang_up_of(scope: Any) -> Callable[[], None] | None:
    """How a route ends its own request for good, from its ASGI scope (set by uploads/back_pressure.py)."""
    found: Callable[[], None] | None = scope.get("mantel.hang_up")
    return found


class Stall:
    """Calls `hang_up`, or cancels the task that called `begin()`, unless `end()` comes within the limit.

    `moved()` begins the limit anew. One timer serves a body: run out, it looks at the last move.
    """

    def __init__(self, limit: float, hang_up: Callable[[], None] | None = None) -> None:
        self._limit, self._hang_up = limit, hang_up
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._since: float | None = None

    def begin(self) -> None:
        self._task = asyncio.current_task()
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._since + self._limit, self._look)

    def moved(self) -> None:
        if self._since is not None:
            self._since = self._loop.time()

    def end(self) -> None:
        """The wait is over; `close()` when the body is."""
        self._since = None

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self._since is None or now < self._since + self._limit:
            self._timer = self._loop.call_at((self._since or now) + self._limit, self._look)
        elif self._hang_up:
            self._hang_up()
        elif self._task:
            self._task.cancel()
