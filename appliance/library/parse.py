"""Running a program on a stranger's file in the parse cell (cell.py), from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from appliance.errors import MantelError
from appliance.units import KIB, MIB, SECONDS

_HERE = Path(__file__).parent
CELL = str(_HERE / "cell.py")
PICTURE = str(_HERE / "picture.py")

PATH = "/usr/bin:/bin:/usr/local/bin"
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


class NoProgram(MantelError):
    """ffmpeg or ffprobe is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed.")
        self.program = program


async def start(fd: int, program: Sequence[str], seconds: int) -> asyncio.subprocess.Process:
    """Start `program` in the cell, with the file `fd` as its standard input; `kill` ends it.

    `seconds` of processor time are its most. Raises NoProgram.
    """
    found = shutil.which(program[0], path=PATH)
    if found is None:
        raise NoProgram(program[0])
    readable = _SYSTEM + (_PYTHON if program[0] == sys.executable else ())
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        CELL,
        ":".join(readable),
        str(seconds),
        str(MEMORY_MIB),
        found,
        *program[1:],
        stdin=fd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )


def kill(child: asyncio.subprocess.Process) -> None:
    """End a program in the cell, with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


async def parse(fd: int, program: Sequence[str], deadline: float = DEADLINE) -> bytes:
    """What `program` writes to its standard output, with the file `fd` as its standard input.

    Raises Unreadable, and NoProgram. The program is killed with all that it started when it is late, says too
    much, or when the caller is cancelled.
    """
    child = await start(fd, program, int(deadline) + 1)
    assert child.stdout is not None
    assert child.stderr is not None
    end = partial(kill, child)
    try:
        async with asyncio.timeout(deadline):
            answer, said = await asyncio.gather(
                _all_of(child.stdout, LARGEST_ANSWER, end), _all_of(child.stderr, 64 * KIB, end)
            )
            code = await child.wait()
    except TimeoutError:
        raise Unreadable(f"it took longer than {deadline:g} s to read") from None
    finally:
        if child.returncode is None:
            end()
            await child.communicate()  # reads what is left, so that the pipes close
    if len(answer) > LARGEST_ANSWER:
        raise Unreadable(f"more than {LARGEST_ANSWER} bytes came out of it")
    if code == 0:
        return answer
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
