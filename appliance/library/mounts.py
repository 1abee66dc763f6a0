"""The kernel's word of disks that come and go: proc(5), /proc/PID/mountinfo can be polled."""

from __future__ import annotations

import asyncio
import logging
import os
import select
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

MOUNTINFO = "/proc/self/mountinfo"
_ESCAPED = {rb"\040": b" ", rb"\011": b"\t", rb"\012": b"\n", rb"\134": b"\\"}


class Mounts:
    """Calls `changed()` when something is mounted or unmounted on, in or above one of the folders."""

    def __init__(self, folders: Callable[[], Iterable[Path]], changed: Callable[[], None]) -> None:
        self._folders, self._changed = folders, changed
        self._file: BinaryIO | None = None
        self._epoll: select.epoll | None = None
        self._known: frozenset[bytes] = frozenset()

    def start(self) -> None:
        try:
            self._file = open(MOUNTINFO, "rb")
        except OSError as error:
            log.warning("the kernel does not tell of disks that come and go: %s", error.strerror)
            return
        # The file is always readable and says what changed as an exceptional condition, which asyncio does
        # not wait for: an epoll of its own turns that into something to read.
        self._epoll = select.epoll()
        self._epoll.register(self._file, select.EPOLLPRI)
        self._known = self._of_concern()
        asyncio.get_running_loop().add_reader(self._epoll, self._heard)

    def stop(self) -> None:
        if self._epoll and self._file:
            asyncio.get_running_loop().remove_reader(self._epoll)
            self._epoll.close()
            self._file.close()
        self._epoll = self._file = None

    def _heard(self) -> None:
        assert self._epoll
        self._epoll.poll(0)
        now = self._of_concern()
        if now != self._known:
            self._known = now
            self._changed()

    def _of_concern(self) -> frozenset[bytes]:
        folders = [os.fsencode(os.path.realpath(folder)) for folder in self._folders()]
        try:
            lines = Path(MOUNTINFO).read_bytes().splitlines()
        except OSError:
            return frozenset()
        return frozenset(line for line in lines if any(concerns(line, folder) for folder in folders))


def concerns(line: bytes, folder: bytes) -> bool:
    """Whether a line of mountinfo tells of a mount on, in or above a folder (an absolute path)."""
    point = line.split()[4]
    for escaped, plain in _ESCAPED.items():
        point = point.replace(escaped, plain)
    on, folder = point.rstrip(b"/") + b"/", folder.rstrip(b"/") + b"/"
    return on.startswith(folder) or folder.startswith(on)
