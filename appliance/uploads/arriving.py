"""One file in an inbox while its bytes come: written, summed and synced off the loop."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from appliance.errors import NoRoom, NotFound
from appliance.library.tree import opened
from appliance.threads import in_thread

T = TypeVar("T")

_WRITERS = ThreadPoolExecutor(4, thread_name_prefix="upload")
_PIECE = 1024 * 1024

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def off_loop(
    function: Callable[..., T], *arguments: Any, undo: Callable[[T], object] | None = None
) -> T:
    """In a thread of the uploads' own."""
    return await in_thread(function, *arguments, undo=undo, pool=_WRITERS)


@contextlib.contextmanager
def inbox_of(root: int) -> Iterator[int]:
    """A descriptor of the inbox of the root with this descriptor."""
    with opened(root, b".mantel/inbox", os.O_RDONLY | os.O_DIRECTORY) as fd:
        yield fd


class Arriving:
    """The inbox file of one upload, open for writing at `received`. Close it when done; nothing else does."""

    def __init__(self, fd: int, received: int, sha256: Any | None) -> None:
        self.fd = fd
        self.received = received
        self.synced = received
        self._sha256 = sha256

    @classmethod
    def create(cls, root: int, upload_id: str) -> Arriving:
        """A new, empty file; it is there for good when this returns. Raises OSError."""
        with inbox_of(root) as inbox:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            # 0664 below the umask: what is published is read by other programs too; the inbox itself is 0700.
            fd = os.open(upload_id, flags, 0o664, dir_fd=inbox)
            os.fsync(inbox)
        return cls(fd, 0, hashlib.sha256())

    @classmethod
    def reopen(cls, root: int, upload_id: str, received: int, sha256: Any | None) -> Arriving:
        """Go on where `received` bytes are known to be on the disk; what lies behind them is dropped.

        Raises NotFound when the file is gone or shorter: then it cannot go on.
        """
        try:
            with inbox_of(root) as inbox:
                fd = os.open(upload_id, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inbox)
        except FileNotFoundError:
            raise NotFound("upload", upload_id) from None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size < received:
            os.close(fd)
            raise NotFound("upload", upload_id)
        os.ftruncate(fd, received)
        return cls(fd, received, hashlib.sha256() if received == 0 else sha256)

    @property
    def sum_so_far(self) -> Any | None:
        """The running SHA-256 over `received` bytes; None when a restart lost it."""
        return self._sha256

    def copy_of_sum(self) -> Any | None:
        return self._sha256.copy() if self._sha256 else None

    def go_back(self, received: int, sum_then: Any | None) -> None:
        """Forget all bytes after the first `received`, of which this is the SHA-256 object."""
        os.ftruncate(self.fd, received)
        self.received = received
        self.synced = min(self.synced, received)
        self._sha256 = sum_then

    async def write(self, data: bytes) -> None:
        """Raises NoRoom when the disk is full; what was written before stays."""
        try:
            await off_loop(self._write, data)
        except OSError as error:
            if error.errno in FULL:
                raise NoRoom("The upload", len(data), 0) from None
            raise

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            count = os.pwrite(self.fd, view, self.received)
            if self._sha256:
                self._sha256.update(view[:count])
            self.received += count
            view = view[count:]

    async def sync(self) -> None:
        """All bytes received are on the disk when this returns."""
        received = self.received
        try:
            await off_loop(os.fdatasync, self.fd)
        except OSError as error:
            if error.errno in FULL:
                raise NoRoom("The upload", 0, 0) from None
            raise
        self.synced = received

    async def digest(self) -> str:
        """SHA-256 of the whole, hexadecimal; reads it again only where a restart lost the running sum."""
        sha256: Any = self._sha256 or await off_loop(sum_of, self.fd, self.received)
        return str(sha256.hexdigest())

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def sum_of(fd: int, length: int) -> Any:
    """The SHA-256 object over the first `length` bytes."""
    sha256 = hashlib.sha256()
    at = 0
    while at < length and (data := os.pread(fd, min(_PIECE, length - at), at)):
        sha256.update(data)
        at += len(data)
    return sha256


def same_bytes(one: int, other: int, length: int) -> bool:
    """Do two descriptors hold the same `length` bytes?"""
    at = 0
    while at < length:
        left, right = (os.pread(fd, min(_PIECE, length - at), at) for fd in (one, other))
        if left != right or not left:
            return False
        at += len(left)
    return True
