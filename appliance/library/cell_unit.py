"""mantel-parse: the parse cell of an installed machine, a unit and a user of its own behind a socket.

`python -I -m appliance.library.cell_unit`, started by systemd when somebody connects (sd_listen_fds(3)).

Rule 1: one connection is one program. Its one message is cell.py's arguments, with NUL between them, and
three descriptors: the file that the program may read, where its answer goes, where its complaints go.
Rule 2: the one answer is the program's exit status as text, negative for a signal.
Rule 3: who hangs up has the program killed, with all that it started; and so has a program that ends.
Rule 4: this process opens no file of a stranger and reads none. It ends when nobody has asked for a while,
and whatever is left then goes with its control group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import socket
import sys
from collections.abc import Collection
from dataclasses import dataclass

from appliance.library import cell

IDLE = 60.0
"""Seconds without a program after which the process ends; the socket stays."""
LONGEST_REQUEST = 64 * 1024
PATIENCE = 2.0
"""Seconds in which a connection has to say what it wants."""
LOOKS = 100
NOT_BEGUN = 127
"""Exit status of a program that could not be begun, as a shell has it."""
_LISTENER = 3  # SD_LISTEN_FDS_START of sd_listen_fds(3)
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36  # linux/prctl.h


@dataclass(frozen=True)
class _Program:
    pid: int
    asked_by: socket.socket
    ended: int
    """A pidfd: readable when the program has ended."""


def serve(listener: socket.socket, idle: float = IDLE) -> None:
    """Runs programs for whoever connects; returns when none has run for `idle` seconds."""
    running: dict[int, _Program] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        while events := ready.select(None if running else idle):
            for key, _ in events:
                program: _Program | None = key.data
                if program is None:
                    _accept(listener, ready, running)
                elif running.get(program.pid) is not program:
                    continue  # it ended and was hung up on at once; its end was met first
                elif key.fileobj is program.asked_by:
                    ready.unregister(program.asked_by)
                    _kill(program.pid)
                else:
                    _end(program, ready)
                    del running[program.pid]
                    _kill_strays(running)


def _accept(listener: socket.socket, ready: selectors.BaseSelector, running: dict[int, _Program]) -> None:
    asking, _ = listener.accept()
    asking.settimeout(PATIENCE)
    try:
        pid = _begin(asking)
    except (OSError, ValueError) as error:
        print(f"not a request: {error}", file=sys.stderr, flush=True)
        asking.close()
        return
    program = running[pid] = _Program(pid, asking, os.pidfd_open(pid))
    ready.register(asking, selectors.EVENT_READ, program)
    ready.register(program.ended, selectors.EVENT_READ, program)


def _begin(asking: socket.socket) -> int:
    """The process id of what is asked for. Raises OSError, and ValueError for a message not of Rule 1."""
    request, given, flags, _ = socket.recv_fds(asking, LONGEST_REQUEST, 3)
    try:
        if len(given) != 3 or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise ValueError(f"{len(request)} bytes and {len(given)} descriptors")
        pid = os.fork()
        if pid == 0:
            _become(request, given)
        return pid
    finally:
        for fd in given:
            os.close(fd)


def _become(request: bytes, given: list[int]) -> None:
    """In the child: the program, or its end."""
    try:
        os.setsid()
        for number, fd in enumerate(given):
            os.dup2(fd, number)
        readable, seconds, megabytes, *program = os.fsdecode(request).split("\0")
        cell.enter(readable.split(":"), int(seconds), int(megabytes))
        os.execve(program[0], program, cell.ENVIRONMENT)  # noqa: S606 - the appliance's own words, no shell
    except BaseException as error:
        os.write(2, f"{error}\n".encode(errors="replace"))
    finally:
        os._exit(NOT_BEGUN)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _end(program: _Program, ready: selectors.BaseSelector) -> None:
    """What a program that has ended leaves behind in its own session goes too; its status is told."""
    _kill(program.pid)
    _, how = os.waitpid(program.pid, 0)
    ready.unregister(program.ended)
    os.close(program.ended)
    with contextlib.suppress(KeyError):
        ready.unregister(program.asked_by)
    with contextlib.suppress(OSError):
        program.asked_by.send(str(os.waitstatus_to_exitcode(how)).encode())
    program.asked_by.close()


def _kill_strays(leaders: Collection[int]) -> None:
    """What left its program's session, child by child: as its subreaper we are the parent of each orphan.

    One that does not die at once, in a system call on a disk that is away, is met again at the next end.
    """
    for _ in range(LOOKS):
        strays = [pid for pid in _children() if pid not in leaders]
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)


def _children() -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            # proc(5): pid (name) state ppid …; a name may hold blanks and brackets
            if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(name))
    return found


def main() -> None:
    libc = ctypes.CDLL(None)
    # No program of ours may look into this process: the descriptors of the others' files pass through it.
    libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with socket.socket(fileno=_LISTENER) as listener:
        serve(listener)


if __name__ == "__main__":
    main()
