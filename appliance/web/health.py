"""How the box is: what an admin looks at when something is odd.

Pages are told (`health`) when what is wrong changes; the figures themselves they ask for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import text

from appliance.choices.choices import Choices
from appliance.dashboard.reports import Reports
from appliance.database import Database
from appliance.errors import MantelError
from appliance.journal import store as journal_store
from appliance.journal.feed import Feed
from appliance.library.library import Library
from appliance.units import MIB, SECONDS, iso
from appliance.web.news import ScanNews
from dlna.interfaces import Interface

log = logging.getLogger(__name__)

LOOK = 10 * SECONDS
STATE_LEAST = 256 * MIB
"""Bytes below which the databases are soon in trouble."""


@dataclass(frozen=True)
class Problem:
    """`about`: disk, library, daemon, network or programs. `remedy`: the one thing to do."""

    about: str
    said: str
    remedy: str


class Health:
    """`addresses()` gives where TVs and players are served; `tell(event, data)` is the live hub's."""

    def __init__(
        self,
        database: Database,
        library: Library,
        choices: Choices,
        feed: Feed | None,
        reports: Reports,
        addresses: Callable[[], Sequence[Interface]],
        tell: Callable[[str, dict[str, Any]], None],
        scan_news: ScanNews,
    ) -> None:
        self._scan_news = scan_news
        self._database, self._library, self._choices = database, library, choices
        self._feed, self._reports, self._addresses, self._tell = feed, reports, addresses, tell
        self._started_at = time.time_ns() // 1_000_000
        self._ffmpeg: str | None = None
        self._said: tuple[Problem, ...] = ()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._ffmpeg = await _first_line("ffmpeg")
        self._task = asyncio.create_task(self._watch(), name="health")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while True:
            try:
                now = tuple(await asyncio.to_thread(self.problems))
                if now != self._said:
                    self._said = now
                    self._tell("health", {"problems": len(now)})
            except Exception:
                log.exception("could not look after the box's health")
            await asyncio.sleep(LOOK)

    def problems(self) -> list[Problem]:
        """What is wrong now. Asks disks: call it in a thread."""
        found = []
        settings = self._choices.settings
        for root in self._library.roots:
            if not root.online:
                remedy = "Mount the disk. Nothing of it is forgotten meanwhile."
                found.append(Problem("library", f"{root.path.name} is away: {root.why_away}", remedy))
            elif (room := _space(root.path)) and room[0] <= settings.free_space:
                remedy = "Make room; uploads are refused until then."
                found.append(Problem("disk", f"{root.path.name} is full", remedy))
        room = _space(settings.state)
        if room and room[0] < STATE_LEAST:
            remedy = "Make room where Mantel keeps its state."
            found.append(Problem("disk", f"{room[0] // MIB} MiB are left for Mantel's own files", remedy))
        if self._feed and not self._feed.reached and self._uptime() > LOOK:
            remedy = "Reports wait; nothing is lost. If it stays away, look at its log."
            found.append(Problem("daemon", "The analytics daemon does not answer", remedy))
        if not self._addresses():
            remedy = "Plug it in, or name the interface in MANTEL_INTERFACES."
            found.append(Problem("network", "There is no network for TVs and players", remedy))
        if self._ffmpeg is None:
            remedy = "Install ffmpeg; until then files are played as they are."
            found.append(Problem("programs", "ffmpeg is not here", remedy))
        return found

    def _uptime(self) -> float:
        return (time.time_ns() // 1_000_000 - self._started_at) / 1000

    async def report(self) -> dict[str, Any]:
        """Everything, as JSON."""
        problems = await asyncio.to_thread(self.problems)
        return {
            "ok": not problems,
            "problems": [vars(one) for one in problems],
            "started_at": iso(self._started_at),
            "versions": {
                "mantel": version("mantel"),
                "python": platform.python_version(),
                "ffmpeg": self._ffmpeg,
                "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            },
            "database": await self._store(),
            "daemon": await self._daemon(),
            "roots": await asyncio.to_thread(self._roots),
            "state": _free_json(_space(self._choices.settings.state)),
            "scan": await self._scan(),
            "network": [
                {"interface": one.name, "address": str(one.address), "network": str(one.network)}
                for one in self._addresses()
            ],
        }

    def _roots(self) -> list[dict[str, Any]]:
        return [
            {"name": root.path.name, "path": str(root.path), "online": root.online, "why_away": root.why_away}
            | _free_json(_space(root.path) if root.online else None)
            for root in self._library.roots
        ]

    async def _store(self) -> dict[str, Any]:
        if self._database.is_sqlite:
            file = Path(self._database.url.partition(":///")[2])
            size = await asyncio.to_thread(_sqlite_bytes, file)
            return {"kind": "SQLite", "version": sqlite3.sqlite_version, "bytes": size}
        async with self._database.read() as connection:
            said = str((await connection.execute(text("SHOW server_version"))).scalar())
            size = (await connection.execute(text("SELECT pg_database_size(current_database())"))).scalar()
        return {"kind": "PostgreSQL", "version": said, "bytes": size}

    async def _daemon(self) -> dict[str, Any]:
        """`waiting`: events that it has not read yet. `said`: its own account, when it answers."""
        if self._feed is None:
            return {"wanted": False, "reached": False, "waiting": 0, "said": None}
        async with self._database.read() as connection:
            last = await journal_store.last_seq(connection)
        said = None
        with contextlib.suppress(MantelError):
            said = await self._reports.get("/health")
        waiting = max(0, last - self._feed.through)
        return {"wanted": True, "reached": self._feed.reached, "waiting": waiting, "said": said}

    async def _scan(self) -> dict[str, Any]:
        """`looked_at`: files that the look that runs, or the last one, has met."""
        files, undescribed = await self._library.count()
        return {
            "running": self._scan_news.is_running,
            "looked_at": self._scan_news.looked_at,
            "files": files,
            "undescribed": undescribed,
        }


def _sqlite_bytes(file: Path) -> int | None:
    """With its write-ahead log, where all that was written lies at first; None without a file."""
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists()) or None


def _space(folder: Path) -> tuple[int, int] | None:
    """(free, total) bytes for a user without rights; None where it cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _free_json(space: tuple[int, int] | None) -> dict[str, int | None]:
    free, total = space or (None, None)
    return {"free_bytes": free, "total_bytes": total}


async def _first_line(program: str) -> str | None:
    """What `program -version` says first; None where there is no such program."""
    path = shutil.which(program)
    if path is None:
        return None
    process = await asyncio.create_subprocess_exec(
        path,
        "-version",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", "")},
    )
    output, _ = await process.communicate()
    return output.decode(errors="replace").partition("\n")[0][:60]
