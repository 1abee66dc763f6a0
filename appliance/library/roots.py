"""The folders that the household gave us, and whether each is the one we know.

A root carries its identity in `.mantel/root-id`. A disk that is not mounted leaves an empty folder in its
place: that folder has no root-id, so the root counts as away, nothing is forgotten or written there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from appliance.errors import Unavailable
from appliance.library import tree
from appliance.library.items import Room
from appliance.units import MINUTES

log = logging.getLogger(__name__)

BOOKKEEPING = ".mantel"
"""In every root, 0700, never indexed: `root-id`, `inbox/` for uploads, `trash/`."""

LEFT_FOR = 1 * MINUTES
_left: deque[tuple[float, int]] = deque()
"""Descriptors of disks that went, and since when."""
_leaving = threading.Lock()

_ROOT_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")


class RootAway(Unavailable):
    """A library folder that is not there now; `path` is its full path."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The folder {path.name}", why)
        self.path = path


@dataclass
class Root:
    """One media root. `why_away` says why while it is offline."""

    pk: int
    root_id: str
    path: Path
    device: int = -1
    why_away: str | None = "not looked at yet"
    came_back: bool = False
    """It was away and is there again; the uploads, which put right what was left undone there, clear this."""
    trash_seen: bool = False
    """The index knows what lies in its trash."""
    tells_all: bool = True
    """The kernel notices every change: it is a disk of this machine, no network share."""
    numbers_stay: bool = True
    """An inode says which folder it is; else its name does."""
    folder_pk: int = field(default=-1)
    _known_away: bool = False
    _fd: int = -1

    @property
    def online(self) -> bool:
        return self.why_away is None

    def require(self) -> Root:
        """Itself when it is there; raises Unavailable."""
        if self.why_away is not None:
            raise RootAway(self.path, self.why_away)
        return self

    @property
    def fd(self) -> int:
        """Its descriptor. Raises Unavailable when it has just gone, too."""
        if (fd := self._fd) < 0:
            raise RootAway(self.path, self.why_away or "it has just gone")
        return fd

    @property
    def inbox(self) -> Path:
        return self.path / BOOKKEEPING / "inbox"

    @property
    def trash(self) -> Path:
        return self.path / BOOKKEEPING / "trash"

    def look(self) -> None:
        """See whether the root is there and still the one we know; opens or closes its descriptor."""
        why = _why_away(self.path, self.root_id)
        if why is None and self._fd >= 0 and not _is_same(self._fd, self.path):
            self._let_go()
        if why is None and self._fd < 0:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self.device = os.fstat(self._fd).st_dev
            kind = tree.filesystem(self._fd)
            self.tells_all = kind not in tree.REMOTE
            self.numbers_stay = kind not in tree.RENUMBERED and not kind.startswith("fuse")
            for folder in (self.inbox, self.trash):
                with contextlib.suppress(OSError):  # read only or full: reading still works
                    folder.mkdir(mode=0o700, exist_ok=True)
        if why != self.why_away:
            if why:
                log.warning("library folder %s is away: %s", self.path, why)
            else:
                log.info("library folder %s is there", self.path)
                self.came_back = self._known_away
            self._known_away = why is not None
        self.why_away = why
        if why is not None:
            self.trash_seen = False
            self._let_go()

    def room(self, folder_id: str, name: str) -> Room:
        """Asks the disk."""
        found = None
        with contextlib.suppress(OSError):
            found = os.fstatvfs(self._fd) if self.online else None
        if found is None:
            return Room(folder_id, name, False, False, None, None)
        writable = not found.f_flag & os.ST_RDONLY
        free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        return Room(folder_id, name, True, writable, free, total)

    def _let_go(self) -> None:
        """The disk is free to go. Others may be on their way with the descriptor's number: for a while they
        meet nothing there, rather than whatever is opened next."""
        if self._fd < 0:
            return
        left, self._fd = self._fd, -1
        os.dup2(_nothing(), left, inheritable=False)
        with _leaving:
            now = time.monotonic()
            _left.append((now, left))
            while _left[0][0] < now - LEFT_FOR:
                os.close(_left.popleft()[1])

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


@cache
def _nothing() -> int:
    """A descriptor in which nothing can be opened, and that has room for nothing."""
    return os.eventfd(0)


def read_root_id(path: Path) -> str | None:
    """The id in `.mantel/root-id`; None when there is none, or no sensible one."""
    try:
        text = (path / BOOKKEEPING / "root-id").read_text(encoding="ascii", errors="replace")[:100].strip()
    except OSError:
        return None
    return text if _ROOT_ID.fullmatch(text) else None


def write_root_id(path: Path, root_id: str | None = None) -> str:
    """Mark a folder as a root; returns the id. Durable before it returns. Raises OSError."""
    root_id = root_id or secrets.token_hex(16)
    folder = path / BOOKKEEPING
    folder.mkdir(mode=0o700, exist_ok=True)
    new = folder / "root-id.new"
    with new.open("w", encoding="ascii") as file:
        file.write(root_id + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / "root-id")
    for changed in (folder, path):
        fd = os.open(changed, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)
        os.close(fd)
    return root_id


def _why_away(path: Path, root_id: str) -> str | None:
    if not path.is_dir():
        return "there is no such folder now"
    found = read_root_id(path)
    if found is None:
        return "its .mantel/root-id is gone; is the disk mounted? `mantel scan --adopt` accepts it as it is"
    if found != root_id:
        return "another disk is in its place; `mantel scan --adopt` accepts it"
    return None


def _is_same(fd: int, path: Path) -> bool:
    mine, there = os.fstat(fd), path.stat()
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


@dataclass(frozen=True)
class Known:
    """A root as the table has it."""

    pk: int
    root_id: str
    path: Path


@dataclass(frozen=True)
class Plan:
    """What the table of roots should become for one configured path. `pk` is None for a new root."""

    path: Path
    root_id: str
    pk: int | None
    replaces: bool = False


def plan(path: Path, known: Iterable[Known], configured: Iterable[Path], adopt: bool) -> Plan | None:
    """How a configured folder becomes a root; None when it cannot (no such folder, read only).

    A folder never seen is adopted. A known one stays as it is known, whatever it holds now, unless `adopt`.
    A known disk that is configured at a new place keeps all it had.
    """
    by_path = {root.path: root for root in known}
    by_id = {root.root_id: root for root in by_path.values()}
    found = read_root_id(path) if path.is_dir() else None
    here = by_path.get(path)
    if here and not adopt:
        return Plan(path, here.root_id, here.pk)
    moved = by_id.get(found) if found else None
    if moved and (moved.path == path or moved.path not in set(configured)):
        return Plan(path, moved.root_id, moved.pk)
    if not path.is_dir():
        return Plan(path, here.root_id, here.pk) if here else None
    if found is None or moved:
        # `moved` here: a copied disk that carries the id of one which is still configured.
        try:
            found = write_root_id(path, here.root_id if here and not moved else None)
        except OSError as error:
            log.error("cannot adopt the library folder %s: %s", path, error.strerror)
            return None
    return Plan(path, found, here.pk if here else None, replaces=here is not None)
