"""Bytes from a file to a TCP socket without passing through this process. Both listeners use it.

Rules:
1. What the page cache holds is sent in the loop; what the disk must be asked for, in a thread. So one stream
   from a sleeping disk holds up nobody else, and a stream from the cache costs no change of thread.
2. One callback per turn of the loop and connection, and no task: 200 slow readers cost 200 short calls.
3. The socket stays the listener's. We write through a duplicate of its descriptor, which nobody can close
   and give to another connection behind our back; a thread at the disk holds duplicates of its own.
4. What the transport has not sent yet goes first, and a closing transport ends the sending.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from appliance.errors import Conflict, Unavailable
from appliance.units import KIB, MIB, SECONDS

WINDOW = 1 * MIB
"""At most so much in one call: a quarter of a millisecond of the loop on a small PC."""

SAMPLE = 256 * KIB
"""How far apart the pages are that `in_cache` looks at; twice the kernel's usual read-ahead."""

LAST_WORD = 0.5 * SECONDS
"""How long a stream that is cancelled waits for its disk to say what it has sent."""

WIRE = "mantel.wire"
"""Key of an ASGI scope's `state`: a function without arguments that gives this connection's Wire, or None."""

_DISK = ThreadPoolExecutor(16, thread_name_prefix="disk")
"""Its threads wait for disks, and for nothing else."""
_OF_THE_DISK = (errno.EIO, errno.ESTALE, errno.EREMOTEIO, errno.ENXIO, errno.ENODEV)
"""Errors of sendfile that are the file's; the others are the socket's."""
_ONE_BYTE = [bytearray(1)]


@dataclass(frozen=True)
class Wire:
    """A plain TCP connection on which a response's headers are sent and its body is due.

    `drain` waits until the transport's buffer is below its limit. `passed(count)` tells the HTTP framing,
    before they leave, of body bytes that it will not see.
    """

    transport: asyncio.WriteTransport
    drain: Callable[[], Awaitable[None]]
    passed: Callable[[int], None] = lambda count: None

    async def send(self, fd: int, offset: int, count: int, sent: Callable[[int], None]) -> None:
        """`count` bytes of the file from `offset` on; `sent(n)` is called as they leave.

        Raises Conflict when the file ends before them, Unavailable when its disk fails, ConnectionError when
        the peer has gone.
        """
        self.passed(count)
        if self.transport.get_write_buffer_size():
            self.transport.set_write_buffer_limits(0)
            try:
                await self.drain()
            finally:
                self.transport.set_write_buffer_limits()
        sending = _Sending(self.transport, fd, offset, count, sent)
        try:
            sending.turn()
            await sending.done
        except asyncio.CancelledError:
            await sending.last_word()
            raise
        finally:
            sending.close()


def wire_of(scope: Any) -> Wire | None:
    """The wire of an ASGI request; None under TLS, HTTP/2 and servers that offer none."""
    find: Callable[[], Wire | None] | None = (scope.get("state") or {}).get(WIRE)
    return find() if find else None


def in_cache(fd: int, offset: int, count: int) -> bool:
    """Whether reading these bytes would not wait for a disk, by samples; the end first, where it fails first.

    False also on filesystems that cannot tell.
    """
    position = offset + count - 1
    try:
        while position > offset:
            if not os.preadv(fd, _ONE_BYTE, position, os.RWF_NOWAIT):
                return False
            position -= SAMPLE
        os.preadv(fd, _ONE_BYTE, offset, os.RWF_NOWAIT)
    except OSError:
        return False
    return True


class _Sending:
    """One file's part on its way. `done` has no result but its end; `close()` in any case."""

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        fd: int,
        offset: int,
        count: int,
        sent: Callable[[int], None],
    ) -> None:
        self._transport, self._fd, self._offset, self._left, self._sent = transport, fd, offset, count, sent
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        if transport.is_closing():
            raise ConnectionResetError("the peer has gone")
        self._socket = os.dup(transport.get_extra_info("socket").fileno())
        self._watched = False
        self._reading: asyncio.Future[int] | None = None
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._watch(False)
        os.close(self._socket)

    async def last_word(self) -> None:
        """Count what the disk's thread sends while we are told to stop: a peer closes once it has it all."""
        if self._reading and not self._reading.done():
            await asyncio.wait({self._reading}, timeout=LAST_WORD)

    def turn(self) -> None:
        """The socket may take more."""
        if self.done.done():
            return
        if self._transport.is_closing():
            self._end(ConnectionResetError("the peer has gone"))
            return
        window = min(self._left, WINDOW)
        if not in_cache(self._fd, self._offset, window):
            self._watch(False)
            # The thread goes on when we are cancelled: what it works on must be its own.
            self._reading = self._loop.run_in_executor(
                _DISK, _send_and_close, os.dup(self._socket), os.dup(self._fd), self._offset, window
            )
            self._reading.add_done_callback(self._disk_answered)
            return
        try:
            self._went(os.sendfile(self._socket, self._fd, self._offset, window))
        except OSError as error:
            self._failed(error)

    def _disk_answered(self, reading: asyncio.Future[int]) -> None:
        if self.done.done():
            if reading.exception() is None and not self._closed:
                self._sent(reading.result())
            return
        try:
            self._went(reading.result())
        except OSError as error:
            self._failed(error)

    def _went(self, count: int) -> None:
        if not count:
            self._end(Conflict("The file became shorter while it was sent."))
            return
        self._offset += count
        self._left -= count
        self._sent(count)
        if self._left:
            self._watch(True)
        else:
            self._end(None)

    def _failed(self, error: OSError) -> None:
        if isinstance(error, (BlockingIOError, InterruptedError)):
            self._watch(True)
        elif error.errno in _OF_THE_DISK:
            self._end(Unavailable("The file", error.strerror or str(error)))
        else:
            self._end(ConnectionResetError(error.errno, error.strerror))

    def _end(self, error: Exception | None) -> None:
        self._watch(False)
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)

    def _watch(self, on: bool) -> None:
        if on and not self._watched:
            self._loop.add_writer(self._socket, self.turn)
        elif self._watched and not on:
            self._loop.remove_writer(self._socket)
        self._watched = on


def _send_and_close(socket: int, fd: int, offset: int, count: int) -> int:
    try:
        return os.sendfile(socket, fd, offset, count)
    finally:
        os.close(socket)
        os.close(fd)
