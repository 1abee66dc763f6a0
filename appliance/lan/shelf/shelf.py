"""What one TV may see, kept until the library changes: its tree of folders, its lists in order, their counts.

Rule 1: a list is its order alone (8 bytes a file); a page is a slice of it. The last page costs as the first.
Rule 2: everything kept is dropped when the library changes, and nothing is kept of more than KEPT lists.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.database import Database
from appliance.lan.shelf import store, views
from appliance.lan.shelf.sorting import Sort, in_order, values
from appliance.lan.shelf.store import Chosen
from appliance.lan.shelf.tree import Tree
from appliance.units import MINUTES

KEPT = 48
T = TypeVar("T")
Limit = tuple[str, ...]
"""Folder ids that a TV is limited to; empty: no limit."""
AT_ONCE = 2_000
"""Rows that are in memory at a time, to be sorted or searched."""


class Shelf:
    """`roots()` gives the keys of the roots that the settings name; `marked()` rises with every position,
    favourite and count of plays."""

    def __init__(
        self,
        database: Database,
        roots: Callable[[], Sequence[int]],
        marked: Callable[[], int],
        plays_counted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database, self._roots, self._marked = database, roots, marked
        self._plays_counted = plays_counted
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._of_people: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._marks = self.marks()

    def changed(self) -> None:
        self._kept, self._of_people = OrderedDict(), OrderedDict()

    def marks(self) -> tuple[int, int, bool]:
        """What people's marks are as of; a minute at most, since a person who leaves takes theirs along."""
        return self._marked(), int(time.monotonic() // MINUTES), self._plays_counted()

    @property
    def roots(self) -> Sequence[int]:
        return self._roots()

    async def tree(self, limit: Limit) -> Tree:
        async def build(connection: AsyncConnection) -> Tree:
            folders = await store.folder_rows(connection, self.roots)
            counts = await store.media_counts(connection, self.roots)
            limited = frozenset(limit) if limit else None
            return Tree(((*row,) for row in folders), ((*row,) for row in counts), limited)

        return await self._keep(("tree", limit), build)

    async def listing(self, limit: Limit, chosen: Chosen, sort: Sort = ()) -> array[int]:
        """Keys of the files chosen, in order; by name where nothing else is asked for."""
        folder_pks = (await self.tree(limit)).limit
        by_name = await self._keep(
            ("list", limit, chosen),
            lambda connection: store.ordered(connection, self.roots, chosen, folder_pks),
        )
        if not sort:
            return by_name
        return await self.keep(("sorted", limit, chosen, sort), lambda: self.sorted(by_name, sort))

    async def newest(self, limit: Limit, kinds: tuple[str, ...], count: int) -> array[int]:
        folder_pks = (await self.tree(limit)).limit
        return await self._keep(
            ("newest", limit, kinds, count),
            lambda connection: store.ordered(connection, self.roots, Chosen(kinds), folder_pks, count),
        )

    async def sorted(self, pks: Sequence[int], sort: Sort) -> array[int]:
        """These files in another order."""
        valued: list[tuple[tuple[Any, ...], int]] = []
        for start in range(0, len(pks), AT_ONCE):
            rows = await self.rows(pks[start : start + AT_ONCE])
            valued += await asyncio.to_thread(_valued, rows, sort)
        return array("q", await asyncio.to_thread(in_order, valued, sort))

    async def album(self, limit: Limit, chosen: Chosen) -> array[int]:
        """The same, as an album is heard."""
        folder_pks = (await self.tree(limit)).limit
        return await self._keep(
            ("album", limit, chosen),
            lambda connection: store.by_album(connection, self.roots, chosen, folder_pks),
        )

    async def groups(self, limit: Limit, view: str) -> dict[str, views.Group]:
        """Artists, albums or genres by their id, in order of name."""
        folder_pks = (await self.tree(limit)).limit

        async def build(connection: AsyncConnection) -> dict[str, views.Group]:
            what = views.GROUPS[view]
            return views.groups(view, await store.music_groups(connection, self.roots, what, folder_pks))

        return await self._keep(("groups", limit, view), build)

    async def photos(self, limit: Limit) -> views.Photos:
        folder_pks = (await self.tree(limit)).limit

        async def build(connection: AsyncConnection) -> views.Photos:
            return views.photos_by_month(await store.photos_by_day(connection, self.roots, folder_pks))

        return await self._keep(("photos", limit), build)

    async def by_ids(self, limit: Limit, ids: Sequence[str], kinds: Sequence[str] = store.MEDIA) -> list[int]:
        """Keys of those of `ids` that this TV may see, in their order. Not kept."""
        folder_pks = (await self.tree(limit)).limit
        async with self._database.read() as connection:
            found = await store.pks_of(connection, self.roots, ids, kinds)
        return [pk for pk, folder_pk in found if folder_pks is None or folder_pk in folder_pks]

    async def popular(self, limit: Limit) -> list[int]:
        return await self.keep(("popular", limit), lambda: self._popular(limit), of_people=True)

    async def _popular(self, limit: Limit) -> list[int]:
        if not self._plays_counted():
            return []
        async with self._database.read() as connection:
            ids = await store.popular_ids(connection, views.MOST_POPULAR)
        return await self.by_ids(limit, ids)

    async def favourites(self, limit: Limit, user_id: str | None) -> list[int]:
        key = ("favourites", limit, user_id)
        return await self.keep(key, lambda: self._favourites(limit, user_id), of_people=True)

    async def _favourites(self, limit: Limit, user_id: str | None) -> list[int]:
        async with self._database.read() as connection:
            ids = await store.favourite_ids(connection, user_id)
        return await self.by_ids(limit, ids)

    async def unfinished(self, limit: Limit, user_id: str | None) -> list[int]:
        """Videos that were begun and not ended, the newest first."""
        key = ("unfinished", limit, user_id)
        return await self.keep(key, lambda: self._unfinished(limit, user_id), of_people=True)

    async def _unfinished(self, limit: Limit, user_id: str | None) -> list[int]:
        async with self._database.read() as connection:
            stopped = await store.recently_stopped(connection, user_id, 100)
        pks = await self.by_ids(limit, [one for one, seconds in stopped if seconds >= 30], ("video",))
        seconds_of = dict(stopped)
        rows = await self.rows(pks)
        return [
            row.pk for row in rows if not row.duration_sec or seconds_of[row.id] < 0.95 * row.duration_sec
        ]

    async def rows(self, pks: Sequence[int]) -> list[Any]:
        if not pks:
            return []
        async with self._database.read() as connection:
            return await store.rows(connection, self.roots, pks)

    async def row(self, limit: Limit, file_id: str) -> Any:
        """None for what this TV may not see."""
        async with self._database.read() as connection:
            row = await store.row_of(connection, self.roots, file_id)
        folder_pks = (await self.tree(limit)).limit
        return None if row is None or (folder_pks is not None and row.folder_pk not in folder_pks) else row

    async def positions(self, user_id: str | None) -> dict[str, float]:
        """File id → seconds, where this person (or, without one, whoever was last) stopped."""
        key = ("positions", user_id)
        return await self._keep(key, lambda connection: store.stopped_at(connection, user_id), of_people=True)

    async def captions(self) -> dict[int, tuple[bytes, ...]]:
        """Folder key → raw names of the files of subtitles in it, sorted, whatever their audience: who may
        see a film may read along."""
        return await self._keep(("captions",), lambda connection: store.captions(connection, self.roots))

    async def whose(self, file_id: str) -> str | None:
        async with self._database.read() as connection:
            return await store.whose_position(connection, file_id)

    async def keep(
        self, key: tuple[Any, ...], build: Callable[[], Awaitable[T]], of_people: bool = False
    ) -> T:
        """What `build` makes, until the library changes; `of_people`: until anybody's marks change."""
        if self._marks != self.marks():
            self._of_people, self._marks = OrderedDict(), self.marks()
        kept = self._of_people if of_people else self._kept
        if key in kept:
            kept.move_to_end(key)
            return cast(T, kept[key])
        made = await build()
        if kept is self._kept or kept is self._of_people:
            kept[key] = made
            while len(kept) > KEPT:
                kept.popitem(last=False)
        return made

    async def _keep(
        self,
        key: tuple[Any, ...],
        build: Callable[[AsyncConnection], Awaitable[T]],
        of_people: bool = False,
    ) -> T:
        async def open_and_build() -> T:
            async with self._database.read() as connection:
                return await build(connection)

        return await self.keep(key, open_and_build, of_people)


def _valued(rows: Sequence[Any], sort: Sort) -> list[tuple[tuple[Any, ...], int]]:
    return [(values(row, sort), row.pk) for row in rows]
