"""When to look: at the start, each `rescan_seconds`, soon where somebody hinted at a change, and everywhere
when a disk came or went."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import MantelError
from appliance.library.mounts import Mounts
from appliance.library.notices import Notices
from appliance.library.roots import Root
from appliance.library.rows import Place
from appliance.units import SECONDS

if TYPE_CHECKING:
    from appliance.library.library import Library

log = logging.getLogger(__name__)

AGAIN = 1.02 * SECONDS
"""Between two looks at a folder whose files are still being written."""
GATHER = 0.05 * SECONDS
"""After a notice, for the others that come with it."""
SHARE = 4
"""Looks that notices ask for take at most 1/SHARE of the time."""


class Watch:
    """The loop that keeps the index true while the appliance runs."""

    def __init__(self, library: Library, rescan_seconds: float) -> None:
        self._library, self._rescan_seconds = library, rescan_seconds
        self._dirty: set[int] = set()
        self._places: dict[int, dict[bytes, int]] = {}
        """Root → path → folder, of every folder that was looked into."""
        self._woken = asyncio.Event()
        self._all_dirty = False
        self._task: asyncio.Task[None] | None = None
        self._notices = Notices(self._noticed)
        self._mounts = Mounts(lambda: [root.path for root in library.roots], partial(self._noticed, None))

    def start(self) -> None:
        self._notices.start()
        self._mounts.start()
        self._task = asyncio.create_task(self._run(), name="library watch")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._notices.stop()
        self._mounts.stop()

    def before_listing(self, root: Root, place: Place) -> None:
        """Called in a thread right before a folder is listed, so that no change falls between."""
        self._notices.watch(root, place)

    def _noticed(self, folder_pk: int | None) -> None:
        if folder_pk is None:
            self._all_dirty = True
            self._woken.set()
        else:
            self.hint_folder(folder_pk)

    def hint_folder(self, folder_pk: int) -> None:
        self._dirty.add(folder_pk)
        self._woken.set()

    def hint(self, paths: Collection[Path]) -> None:
        """Absolute paths of folders or files; what lies in no root is ignored."""
        for path in paths:
            for root in self._library.roots:
                if path.is_relative_to(root.path):
                    self._hint_in(root, os.fsencode(path.relative_to(root.path)))

    def _hint_in(self, root: Root, path: bytes) -> None:
        known = self._places.get(root.pk, {})
        path = b"" if path == b"." else path
        while path and path not in known:
            path = path.rpartition(b"/")[0]
        self.hint_folder(known.get(path, root.folder_pk))

    def note(self, root: Root, places: Iterable[Place]) -> None:
        """These folders are there."""
        self._places.setdefault(root.pk, {}).update((place.path, place.pk) for place in places)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_scan = loop.time()
        while True:
            try:
                began = loop.time()
                if began >= next_scan or self._all_dirty:
                    self._all_dirty = False
                    self._dirty |= (await self._library.scan()).unsettled
                    await self._library.tidy()
                    next_scan = loop.time() + self._rescan_seconds
                await self._look_at_dirty()
                await asyncio.sleep(SHARE * min(loop.time() - began, 1))
            except MantelError as error:
                log.warning("a look at the library was cut short: %s The next one comes.", error)
            except Exception:
                log.exception("a look at the library failed; the next one comes")
            wait = AGAIN if self._dirty or self._all_dirty else max(0.0, next_scan - loop.time())
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)
                await asyncio.sleep(GATHER)

    async def _look_at_dirty(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for root in self._library.roots:
            mine = dirty & {root.folder_pk, *self._places.get(root.pk, {}).values()}
            if mine:
                self._dirty |= (await self._library.look(root, mine, recursive=False)).unsettled
