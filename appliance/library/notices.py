"""The kernel's notices of changes (inotify), as a hint where to look. Network shares send none: a look at the
folders' own times stands in for folders that cannot be watched."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable

from asyncinotify import Inotify, Mask, Watch

from appliance.errors import Unavailable
from appliance.library.roots import Root
from appliance.library.rows import Place
from appliance.library.tree import opened

log = logging.getLogger(__name__)

_CHANGES = Mask.CREATE | Mask.CLOSE_WRITE | Mask.MOVED_FROM | Mask.MOVED_TO | Mask.DELETE | Mask.ONLYDIR
_FOLDER = os.O_PATH | os.O_DIRECTORY
LEAST_PAUSE = 1.0
"""Seconds between two looks at the folders' times; looking takes at most 1/SHARE of the time."""
SHARE = 20


class Notices:
    """Calls `changed(folder key)` when something happens in a watched folder; None: anywhere."""

    def __init__(self, changed: Callable[[int | None], None]) -> None:
        self._changed = changed
        self._inotify: Inotify | None = None
        self._watched: dict[Watch, int] = {}
        self._by_folder: dict[int, Watch] = {}
        self._polled: dict[int, tuple[Root, bytes, int]] = {}
        """Folder key → root, path, modification time."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        try:
            self._inotify = Inotify()
        except OSError as error:
            log.warning("the kernel gives no notices of changes (%s); looking at the folders' times", error)
        self._tasks = [asyncio.create_task(self._poll(), name="library folder times")]
        if self._inotify:
            self._tasks.append(asyncio.create_task(self._read(self._inotify), name="library notices"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._inotify:
            self._inotify.close()
            self._inotify = None

    def watch(self, root: Root, place: Place) -> None:
        """Watch a folder from now on; called before each listing of it, from any thread."""
        if place.pk in self._by_folder or not self._tasks:
            return
        try:
            with opened(root.fd, place.path, _FOLDER) as fd:
                self._polled[place.pk] = root, place.path, os.fstat(fd).st_mtime_ns
                if self._inotify is None:
                    return
                watch = self._inotify.add_watch(f"/proc/self/fd/{fd}", _CHANGES)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                log.warning("more folders than fs.inotify.max_user_watches: the rest is looked at by time")
            return
        self._watched[watch] = place.pk
        self._by_folder[place.pk] = watch
        if not root.tells_all:
            return
        self._polled.pop(place.pk, None)

    async def _read(self, inotify: Inotify) -> None:
        async for event in inotify:
            if event.watch is None or event.mask & Mask.Q_OVERFLOW:
                self._changed(None)
            elif event.mask & Mask.IGNORED:
                pk = self._watched.pop(event.watch, None)
                if pk is not None:
                    self._by_folder.pop(pk, None)
            else:
                pk = self._watched.get(event.watch)
                if pk is not None:
                    self._changed(pk)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for pk in await asyncio.to_thread(self._look_at_times):
                self._changed(pk)
            await asyncio.sleep(max(LEAST_PAUSE, SHARE * (loop.time() - began)))

    def _look_at_times(self) -> list[int]:
        changed = []
        for pk, (root, path, before) in list(self._polled.items()):
            if not root.online:
                continue
            try:
                with opened(root.fd, path, _FOLDER) as fd:
                    now = os.fstat(fd).st_mtime_ns
            except (OSError, Unavailable):
                self._polled.pop(pk, None)
                changed.append(pk)
                continue
            if now != before:
                self._polled[pk] = root, path, now
                changed.append(pk)
        return changed
