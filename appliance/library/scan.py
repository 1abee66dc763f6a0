"""Bringing the index in line with the disk: walk, compare, save in batches, forget what is missing.

1. Walk: each folder is listed beneath the root's descriptor (tree.py); links and mounts are not followed.
2. Compare by name, size, time and inode. No content is read, so a first scan takes seconds.
3. A name that is new may be an old file that was renamed or moved: the same inode with the same size and
   time, whose old place no longer holds it. It keeps its row, and with it id, tags and positions.
4. Save in batches, each one transaction with its journal entries.
5. Forget: what was missed everywhere, after the whole look, and only if the root is still the one we know.

A file is taken when two looks a second apart agree; the inode's change time stands for the first look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.database import Database
from appliance.errors import Conflict, Unavailable
from appliance.library import index_store
from appliance.library.roots import Root
from appliance.library.rows import Place
from appliance.library.saving import Batch, Saving
from appliance.library.tree import DEEPEST, Listing, Seen, inode_at, list_folder
from appliance.units import SECONDS

log = logging.getLogger(__name__)

FAT_TICK = 2_000_000_000
"""Nanoseconds: the step of FAT's times (docs/decisions/0010)."""

SETTLED = 1 * SECONDS
"""A file that was written less long ago is looked at again."""
BATCH = 1000
"""Files a transaction."""
TOGETHER = 64
"""Folders that are listed, and whose rows are read, at one go."""
A_WHILE = 500
"""Files that are compared before others may go on."""
LOOKS = 5
"""How often a look begins again because an upload put something into the index under its eyes."""


@dataclass
class Result:
    """What a look did, in files; `unsettled` are folders to look at again in a second."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    looked_at: int = 0
    unsettled: set[int] = field(default_factory=set)

    def __iadd__(self, other: Result) -> Result:
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed
        self.looked_at += other.looked_at
        self.unsettled |= other.unsettled
        return self


class Settling:
    """Which files have been the same for a second."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[Seen, float]] = {}

    def is_settled(self, root_pk: int, seen: Seen, now: float, clock_ns: int) -> bool:
        """`now` is monotonic seconds, `clock_ns` the wall clock that ctime is compared with."""
        key = (root_pk, seen.inode)
        before = self._seen.get(key)
        if clock_ns - seen.ctime_ns >= SETTLED * 1_000_000_000:
            self._seen.pop(key, None)
            return True
        if before is None or before[0] != seen:
            # Also the way of a file server whose clock is ahead of ours: its times alone prove nothing.
            self._seen[key] = (seen, now)
            return False
        if now - before[1] < SETTLED:
            return False
        del self._seen[key]
        return True


class Look:
    """One look at a root: all of it, or some of its folders."""

    def __init__(self, database: Database, saving: Saving, settling: Settling, root: Root) -> None:
        self._database, self._saving, self._settling = database, saving, settling
        self.before_listing: Callable[[Root, Place], None] = lambda _root, _place: None
        self.on_progress: Callable[[Result], None] = lambda _so_far: None
        self._root = root.require()
        self._batch = Batch(root)
        self._missing: dict[int, str] = {}
        """Files that were not where the index has them: key → id."""
        self._missing_folders: set[int] = set()
        self._found: set[int] = set()
        self._found_folders: set[int] = set()
        self._watch: list[Place] = []
        self.result = Result()

    async def run(self, folder_pks: Iterable[int], recursive: bool, first: bool = False) -> Result:
        """Look into these folders; `first` takes a file's own time as the time it came."""
        self._batch.first = first
        stack: list[tuple[Place, bool]] = []
        for pk in folder_pks:
            place = await self._place(pk)
            if place is not None:
                stack.append((place, recursive))
        while stack:
            some, stack = stack[-TOGETHER:], stack[:-TOGETHER]
            stack += await self._look_into(some)
            self.on_progress(self.result)
        await self._save()
        await self._forget()
        return self.result

    @property
    def places(self) -> list[Place]:
        """Folders that were looked into."""
        return self._watch

    async def _place(self, pk: int) -> Place | None:
        async with self._database.read() as connection:
            return await self._saving.place(connection, pk)

    async def _look_into(self, some: Sequence[tuple[Place, bool]]) -> list[tuple[Place, bool]]:
        """Look into these folders, the last first; what is to be looked into next."""
        # The index is read before the disk: what an upload adds between is a conflict, not a lost file.
        known = [place.pk for place, _ in some if not place.is_new]
        folder_rows: dict[int, list[Any]] = {}
        file_rows: dict[int, list[Any]] = {}
        if known:
            async with self._database.read() as connection:
                folder_rows = await index_store.child_folders(connection, known)
                file_rows = await index_store.child_files(connection, known)
        listings = await asyncio.to_thread(self._list, [place for place, _ in some])
        following = []
        for (place, deep), listing in zip(reversed(some), reversed(listings), strict=True):
            if isinstance(listing, OSError):
                self._miss(place, listing)
                continue
            self._watch.append(place)
            await self._compare_files(
                place, listing, {row.raw_name: row for row in file_rows.get(place.pk, ())}
            )
            known_folders = {row.raw_name: row for row in folder_rows.get(place.pk, ())}
            inner = await self._compare_folders(place, listing, known_folders)
            following += [(child, True) for child, is_news in inner if deep or is_news]
            await self._save_if_full()
        return following

    def _miss(self, place: Place, why: OSError) -> None:
        if not isinstance(why, FileNotFoundError | NotADirectoryError):
            log.warning("cannot look into %r: %s; what is known of it stays", place.path, why.strerror)
        elif place.depth > 0 and place.pk not in self._found_folders:
            self._missing_folders.add(place.pk)

    def _list(self, places: Sequence[Place]) -> list[Listing | OSError]:
        found: list[Listing | OSError] = []
        for place in places:
            self.before_listing(self._root, place)
            try:
                found.append(list_folder(self._root.fd, place.path))
            except OSError as error:
                found.append(error)
        return found

    async def _compare_files(self, place: Place, listing: Listing, known: dict[bytes, Any]) -> None:
        unknown: list[tuple[Seen, Any]] = []
        for name in listing.mounts:
            known.pop(name, None)  # what is mounted there hides it
        for number, seen in enumerate(listing.files, 1):
            if number % A_WHILE == 0:
                await asyncio.sleep(0)
            row = known.pop(seen.name, None)
            if row is not None and row.pk in self._found:
                row = None  # moved away within this look
            is_same = row is not None and (row.size_bytes, row.mtime_ns) == (seen.size, seen.mtime_ns)
            if row is None or not (is_same or row.inode == seen.inode):
                unknown.append((seen, row))
                continue
            self._found.add(row.pk)
            if not is_same:
                self._take_changed(place, seen, row)
            elif row.gone_at is not None or row.path != place.inner(seen.name):
                self._batch.changed(place, seen, row)
            elif row.inode != seen.inode:
                self._batch.quiet(row, seen)
        for row in known.values():
            if row.gone_at is None:
                self._missing[row.pk] = row.id
        moved = await self._moved_files([seen for seen, _ in unknown])
        rest = [(seen, row) for seen, row in unknown if not self._take_moved(place, seen, row, moved)]
        self.result.looked_at += len(listing.files) - len(rest)
        for seen, row in rest:
            self.result.looked_at += 1
            if row is not None and row.pk not in self._found:
                self._found.add(row.pk)
                self._take_changed(place, seen, row)
            elif self._is_settled(place, seen):
                # One folder may hold a hundred thousand; others want to write meanwhile. What was moved or
                # changed is in the batch before, whole: two files may have swapped their names.
                await self._save_if_full()
                self._batch.added(place, seen)

    def _take_moved(self, place: Place, seen: Seen, row: Any, moved: dict[int, Any]) -> bool:
        """A file that came from another place; `row` is what the index had under this name."""
        old = moved.get(seen.inode)
        if old is None or old.pk in self._found:
            return False
        if row is not None and row.pk not in self._found:
            self._batch.displaced.append(row)
            if row.gone_at is None:
                self._missing[row.pk] = row.id
        self._found.add(old.pk)
        self._batch.changed(place, seen, old)
        return True

    def _take_changed(self, place: Place, seen: Seen, row: Any) -> None:
        if self._is_settled(place, seen):
            self._batch.changed(place, seen, row)

    def _is_settled(self, place: Place, seen: Seen) -> bool:
        settled = self._settling.is_settled(self._root.pk, seen, time.monotonic(), time.time_ns())
        if not settled:
            self.result.unsettled.add(place.pk)
        return settled

    async def _moved_files(self, seen: list[Seen]) -> dict[int, Any]:
        if not seen or self._batch.first:
            return {}
        by_inode = {one.inode: one for one in seen}
        async with self._database.read() as connection:
            rows = await index_store.files_by_inode(connection, self._root.pk, by_inode)
        moved = {}
        for row in rows:
            one = by_inode[row.inode]
            # Where it is not alike, the number was given to another file.
            if self._is_alike(row, one) and await self._has_left(row, self._missing):
                moved[row.inode] = row
        return moved if self._root.numbers_stay else await self._moved_by_content(seen) | moved

    async def _moved_by_content(self, seen: list[Seen]) -> dict[int, Any]:
        """By size and time, where one file alone has left and one alone has come with them."""
        came: dict[int, list[Seen]] = {}
        for one in seen:
            if one.size:
                came.setdefault(one.size, []).append(one)
        async with self._database.read() as connection:
            rows = await index_store.files_of_size(connection, self._root.pk, came)
        left: dict[int, list[Any]] = {}
        for row in rows:
            alike = [one.inode for one in came[row.size_bytes] if self._is_alike(row, one)]
            if len(alike) == 1 and await self._has_left(row, self._missing):
                left.setdefault(alike[0], []).append(row)
        return {inode: alone for inode, (alone, *others) in left.items() if not others}

    def _is_alike(self, row: Any, seen: Seen) -> bool:
        """Of one size and time. FAT rounds times to two seconds, by FUSE only after they were seen exact."""
        apart: int = abs(row.mtime_ns - seen.mtime_ns)
        same_size: bool = row.size_bytes == seen.size
        return same_size and apart < (1 if self._root.numbers_stay else FAT_TICK)

    async def _has_left(self, row: Any, missing: Container[int]) -> bool:
        """Whether what the index has at a path is no longer there."""
        if row.gone_at is not None or row.pk in missing:
            return True
        there = await asyncio.to_thread(inode_at, self._root.fd, row.path)
        return there is None or (self._root.numbers_stay and there != row.inode)

    async def _compare_folders(
        self, place: Place, listing: Listing, known: dict[bytes, Any]
    ) -> list[tuple[Place, bool]]:
        """Folders in this one, each with whether it is news (new, moved or back)."""
        if place.depth >= DEEPEST:
            return []
        inner = []
        for name in listing.mounts:
            known.pop(name, None)
        strange = [
            one
            for one in listing.folders
            if one.name not in known or (self._root.numbers_stay and known[one.name].inode != one.inode)
        ]
        moved = await self._moved_folders(place, strange)
        for seen in listing.folders:
            row = known.pop(seen.name, None)
            old = moved.get(seen.inode)
            if old is not None and old.pk not in self._found_folders and (row is None or old.pk != row.pk):
                if row is not None:
                    self._batch.displaced_folders.append(row)
                    if row.gone_at is None:
                        self._missing_folders.add(row.pk)
                row = old
            elif row is not None and row.pk in self._found_folders:
                row = None
            if row is None:
                inner.append((self._batch.new_folder(place, seen), True))
                continue
            self._found_folders.add(row.pk)
            is_news = (
                row.gone_at is not None or row.path != place.inner(seen.name) or row.parent_pk != place.pk
            )
            if is_news or row.inode != seen.inode:
                self._batch.moved_folder(place, seen, row)
            inner.append((self._batch.place_of(place, seen.name, row), is_news))
        for row in known.values():
            if row.gone_at is None and row.pk not in self._found_folders:
                self._missing_folders.add(row.pk)
        return inner

    async def _moved_folders(self, place: Place, strange: list[Seen]) -> dict[int, Any]:
        """Rows of those that came from another place, by their inodes."""
        if not strange or self._batch.first:
            return {}
        by_inode = {one.inode: one for one in strange}
        async with self._database.read() as connection:
            rows = await index_store.folders_by_inode(connection, self._root.pk, by_inode)
        moved = {}
        for row in rows:
            if await self._has_left(row, self._missing_folders) and (
                self._root.numbers_stay or await self._holds_the_same(place, by_inode[row.inode], row)
            ):
                moved[row.inode] = row
        return moved

    async def _holds_the_same(self, place: Place, seen: Seen, row: Any) -> bool:
        """Whether most of what is in this folder was in that one: its number alone may be another's."""
        async with self._database.read() as connection:
            files = (await index_store.child_files(connection, [row.pk])).get(row.pk, [])
            folders = (await index_store.child_folders(connection, [row.pk])).get(row.pk, [])
        was = {one.raw_name for one in (*files, *folders)}
        try:
            now = await asyncio.to_thread(list_folder, self._root.fd, place.inner(seen.name))
        except OSError:
            return False
        names = {one.name for one in (*now.files, *now.folders)}
        return 2 * len(names & was) > len(names)

    async def _save_if_full(self) -> None:
        if self._batch.size >= BATCH:
            await self._save()
            self.on_progress(self.result)

    async def _save(self) -> None:
        if self._batch.size:
            counts = await self._saving.save(self._batch)
            self.result.added += counts[0]
            self.result.changed += counts[1]
        self._batch = Batch(self._root, self._batch.first)

    async def _forget(self) -> None:
        missing = {pk: file_id for pk, file_id in self._missing.items() if pk not in self._found}
        folders = self._missing_folders - self._found_folders
        if not missing and not folders:
            return
        await asyncio.to_thread(self._root.look)  # the disk may have been taken out in the middle of the walk
        self._root.require()
        self.result.removed += await self._saving.forget(missing, folders, self._found)


async def look_until_still(
    begin: Callable[[], Look], folder_pks: Collection[int], recursive: bool, first: bool
) -> Look:
    """Look, and again if an upload has put something into the index meanwhile; Conflict if one always has."""
    for again in reversed(range(LOOKS)):
        look = begin()
        try:
            with contextlib.suppress(Unavailable):
                await look.run(folder_pks, recursive, first)
            return look
        except Conflict:
            if not again:
                raise
    raise AssertionError("a look ends")
