"""Running a program on a stranger's file in the parse cell (cell.py), from the event loop.

The cell is a child of ours, or, where systemd names a socket in PARSE_SOCKET, mantel-parse (cell_unit.py).
Then there is no other way: a machine that has the unit never falls back to a child with more rights.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import MantelError
from appliance.library.cell import ENVIRONMENT
from appliance.units import KIB, MIB, SECONDS

_HERE = Path(__file__).parent
CELL = str(_HERE / "cell.py")
PICTURE = str(_HERE / "picture.py")

PARSE_SOCKET = "PARSE_SOCKET"
"""Name of the environment variable, set by mantel.service alone: between units, as NOTIFY_SOCKET is."""
INSTALLED_SOCKET = "/run/mantel-parse/socket"
UNIT = "mantel-parse"

DEADLINE = 20 * SECONDS
MEMORY_MIB = 1024
"""Address space; ffmpeg maps much that it never touches."""
LARGEST_ANSWER = 4 * MIB

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives", "/dev/null")
_PYTHON = (sys.base_prefix, sys.prefix, PICTURE)


class Unreadable(MantelError):
    """A file that the program could not make sense of, or not in time."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Killed(Unreadable):
    """Somebody else ended the program, the kernel for want of memory: another time it may be read."""


class NoProgram(MantelError):
    """ffmpeg, ffprobe or the cell itself is not there: no fault of the file."""

    def __init__(self, program: str, why: str = "is not installed") -> None:
        super().__init__(f"{program} {why}.")
        self.program, self.why = program, why


@dataclass(frozen=True)
class Running:
    """A program in the cell, and what it says."""

    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    wait: Callable[[], Awaitable[int]]
    """Its exit status, negative for a signal. Raises NoProgram when the cell is gone before it."""
    kill: Callable[[], None]
    """Ends it, with all that it started."""


@asynccontextmanager
async def in_cell(
    fd: int, program: Sequence[str], seconds: int, at: str | None = None
) -> AsyncIterator[Running]:
    """`program` in the cell, with the file `fd` as its standard input; it is killed when the block ends.

    `seconds` of processor time are its most. `at`: the unit's socket, where PARSE_SOCKET does not name it.
    Raises NoProgram.
    """
    found = shutil.which(program[0], path=ENVIRONMENT["PATH"])
    if found is None:
        raise NoProgram(program[0])
    readable = _SYSTEM + (_PYTHON if program[0] == sys.executable else ())
    words = [":".join(readable), str(seconds), str(MEMORY_MIB), found, *program[1:]]
    at = at or os.environ.get(PARSE_SOCKET)
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.ExitStack() as given:
            (stdout, out), (stderr, err) = [await _pipe(stack, given) for _ in range(2)]
            descriptors = (fd, out, err)
            begun = _in_unit(at, words, descriptors) if at else _as_child(words, descriptors)
            wait, kill = await stack.enter_async_context(begun)
        yield Running(stdout, stderr, wait, kill)


async def _pipe(
    stack: contextlib.AsyncExitStack, given: contextlib.ExitStack
) -> tuple[asyncio.StreamReader, int]:
    """A reader that closes with `stack`, and the end to write to, which closes with `given`."""
    read_end, write_end = os.pipe()
    given.callback(os.close, write_end)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    stack.callback(transport.close)
    return reader, write_end


_Begun = tuple[Callable[[], Awaitable[int]], Callable[[], None]]


@asynccontextmanager
async def _as_child(words: Sequence[str], descriptors: tuple[int, int, int]) -> AsyncIterator[_Begun]:
    stdin, stdout, stderr = descriptors
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", CELL, *words),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    try:
        yield child.wait, kill
    finally:
        kill()
        await child.wait()


@asynccontextmanager
async def _in_unit(
    path: str, words: Sequence[str], descriptors: tuple[int, int, int]
) -> AsyncIterator[_Begun]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as asking:
        asking.setblocking(False)
        try:
            await loop.sock_connect(asking, path)
            socket.send_fds(asking, [os.fsencode("\0".join(words))], descriptors)
        except OSError as error:
            raise NoProgram(UNIT, f"does not answer ({error.strerror})") from error

        async def wait() -> int:
            try:
                said = await loop.sock_recv(asking, 16)
            except OSError:
                said = b""
            if not said:
                raise NoProgram(UNIT, "has gone")
            return int(said)

        def kill() -> None:
            # To the unit half a hang-up is one, and its answer can still be read.
            with contextlib.suppress(OSError):
                asking.shutdown(socket.SHUT_WR)

        yield wait, kill


async def parse(fd: int, program: Sequence[str], deadline: float = DEADLINE, at: str | None = None) -> bytes:
    """What `program` writes to its standard output, with the file `fd` as its standard input.

    `at` as in in_cell. Raises Unreadable, and NoProgram. The program is killed with all that it started when
    it is late, says too much, or when the caller is cancelled.
    """
    try:
        async with asyncio.timeout(deadline), in_cell(fd, program, int(deadline) + 1, at) as running:
            answer, said = await asyncio.gather(
                _all_of(running.stdout, LARGEST_ANSWER, running.kill),
                _all_of(running.stderr, 64 * KIB, running.kill),
            )
            code = await running.wait()
    except TimeoutError:
        raise Unreadable(f"it took longer than {deadline:g} s to read") from None
    if len(answer) > LARGEST_ANSWER:
        raise Unreadable(f"more than {LARGEST_ANSWER} bytes came out of it")
    if code == 0:
        return answer
    if code == -signal.SIGKILL:
        raise Killed("its reader was killed, probably for want of memory")
    words = said.decode(errors="replace").strip().splitlines() or [f"ended with {code}"]
    raise Unreadable(words[-1][-200:])


async def _all_of(stream: asyncio.StreamReader, limit: int, kill: Callable[[], None]) -> bytes:
    """All that is said, or a little more than `limit` of it, and then the speaker is killed."""
    parts, size = [], 0
    while part := await stream.read(64 * KIB):
        if size <= limit:
            parts.append(part)
        else:
            kill()
        size += len(part)
    return b"".join(parts)
