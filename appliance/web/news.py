"""Tells open pages that the library changed, and how far a scan is.

They ask again for what they show: no name leaves here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from appliance.library.library import Library
from appliance.library.scan import Result
from appliance.units import SECONDS
from appliance.web.live import Live

PROGRESS = 0.5 * SECONDS
"""Between two words on a scan: it is as many folders a second as the disk can do."""


class News:
    """Forwards the library's changes to the live hub while it runs."""

    def __init__(self, library: Library, live: Live) -> None:
        self._library, self._live = library, live
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._forward(), name="news")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _forward(self) -> None:
        async for change in self._library.changes.subscribe():
            counts = {
                "added": len(change.added),
                "changed": len(change.changed),
                "removed": len(change.removed),
            }
            self._live.publish("library", {"revision": change.revision} | counts)


class ScanNews:
    """Passes on a scan's progress, not more often than pages can use it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._told_at = 0.0
        self.looked_at = 0
        """Files that the scan has met in the folder that it is in; once it is over, in all."""
        self.is_running = False

    def progress(self, so_far: Result) -> None:
        self.looked_at, self.is_running = so_far.looked_at, True
        if time.monotonic() - self._told_at >= PROGRESS:
            self._tell()

    def over(self, whole: Result) -> None:
        self.looked_at, self.is_running = whole.looked_at, False
        self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self._live.publish("scan", {"files": self.looked_at, "running": self.is_running})
