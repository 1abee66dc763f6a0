"""Who wants to know when the library changes, and telling them after each commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from appliance.library.items import Change

MOST_IDS = 2_000
"""Ids of one kind in a merged change; a subscriber that is further behind learns of the newest only."""


class Changes:
    """`async for change in changes.subscribe()`: each change once, in order of revision.

    A subscriber that does not keep up gets several changes merged into one, so it never holds anything up.
    """

    def __init__(self) -> None:
        self._waiting: set[_Inbox] = set()

    def subscribe(self) -> AsyncIterator[Change]:
        """Changes from now on: those published after this call, also before the first `async for` step."""
        inbox = _Inbox()
        self._waiting.add(inbox)
        return self._changes_of(inbox)

    async def _changes_of(self, inbox: _Inbox) -> AsyncIterator[Change]:
        try:
            while True:
                await inbox.filled.wait()
                change, inbox.change = inbox.change, None
                inbox.filled.clear()
                if change is not None:
                    yield change
        finally:
            self._waiting.discard(inbox)

    def publish(self, change: Change) -> None:
        for inbox in self._waiting:
            inbox.change = merge(inbox.change, change) if inbox.change else change
            inbox.filled.set()


class _Inbox:
    def __init__(self) -> None:
        self.change: Change | None = None
        self.filled = asyncio.Event()


def merge(older: Change, newer: Change) -> Change:
    """Both changes as one: what was added and then removed was never there."""
    removed = dict.fromkeys((*older.removed, *newer.removed))
    for back in newer.added:
        removed.pop(back, None)
    added = dict.fromkeys(i for i in (*older.added, *newer.added) if i not in removed)
    changed = dict.fromkeys(
        i for i in (*older.changed, *newer.changed) if i not in removed and i not in added
    )
    folders = dict.fromkeys((*older.folders, *newer.folders))
    return Change(
        newer.revision,
        *(tuple(ids)[-MOST_IDS:] for ids in (added, changed, removed, folders)),
    )
