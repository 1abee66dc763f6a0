"""Describing files in the background: what was opened or came in just now first, then the newest.

One at a time, at the lowest priority. A file that cannot be read is noted once and left alone until it
changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from appliance.errors import NotFound, Unavailable
from appliance.library.items import Kind
from appliance.library.parse import NoProgram
from appliance.library.probe import probe
from appliance.units import MINUTES, SECONDS

if TYPE_CHECKING:
    from appliance.library.facts import Facts
    from appliance.library.library import Library

log = logging.getLogger(__name__)

DESCRIBED = frozenset({Kind.VIDEO, Kind.AUDIO, Kind.IMAGE})
AT_ONCE = 200
"""Files that are described before all others; older ones of these wait with the rest."""
FEW = 20
"""Files that come at once and do not wait. More are a folder: the daemon reads that far faster."""
TOGETHER, WITHIN = 20, 1 * SECONDS
"""Facts of files that nobody waits for are written together."""
NO_PROGRAM_PAUSE = 10 * MINUTES
ASK_AGAIN = 1 * MINUTES
"""How often `backlog` is asked while nothing happens: the daemon may have gone."""


class Describe:
    """`backlog()`: whether to describe all files, not only what comes in or is opened: nobody else does."""

    def __init__(self, library: Library, backlog: Callable[[], bool]) -> None:
        self._library, self._backlog = library, backlog
        self._first: deque[str] = deque(maxlen=AT_ONCE)
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        changes = self._library.changes.subscribe()
        self._tasks = [
            asyncio.create_task(self._listen(changes), name="library news to describe"),
            asyncio.create_task(self._run(), name="library describe"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def first(self, file_id: str) -> None:
        """Somebody opened this file: describe it before the others."""
        if file_id not in self._first:
            self._first.append(file_id)
            self._woken.set()

    async def _listen(self, changes: Any) -> None:
        async for change in changes:
            news = (*change.added, *change.changed)
            if len(news) <= FEW:
                self._first.extend(news)
            self._woken.set()

    async def _run(self) -> None:
        while True:
            try:
                if not await self._step():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), ASK_AGAIN)
                self._woken.clear()
            except NoProgram as missing:
                log.error("files are not described: %s", missing)
                await asyncio.sleep(NO_PROGRAM_PAUSE)
            except Exception:
                log.exception("describing a file failed; going on with the next")
                await asyncio.sleep(1)

    async def _step(self) -> bool:
        """Describe some files; False when there is nothing to do."""
        if self._first:
            ids = [self._first.pop()]
        elif self._backlog():
            ids = await self._library.undescribed(TOGETHER)
        else:
            return False
        if not ids:
            return False
        await self._describe(ids)
        return True

    async def _describe(self, ids: list[str]) -> None:
        found: list[Facts] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        for file_id in ids:
            fact = await self._probe(file_id)
            if fact is not None:
                found.append(fact)
            if found and loop.time() - began > WITHIN:
                await self._library.write_facts(found, "probe")
                found, began = [], loop.time()
            if self._first and len(ids) > 1:
                break  # somebody waits
        if found:
            await self._library.write_facts(found, "probe")

    async def _probe(self, file_id: str) -> Facts | None:
        try:
            opened = await self._library.open_undescribed(file_id)
        except (NotFound, Unavailable):
            return None
        if opened is None:
            return None
        try:
            kind = opened.file.kind
            fact = await probe(opened.fd, kind, file_id, opened.size, opened.mtime_ns)
            now = os.fstat(opened.fd)
            if (now.st_size, now.st_mtime_ns) != (opened.size, opened.mtime_ns):
                return None  # it is being written; the next look brings it again
        finally:
            opened.close()
        if fact.broken:
            log.info("%s cannot be read and is left as it is", file_id)
        return fact
