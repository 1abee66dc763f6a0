"""Tells open pages that the library changed. They ask again for what they show: no name leaves here."""

from __future__ import annotations

import asyncio
import contextlib

from appliance.library.library import Library
from appliance.web.live import Live


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
