"""Writing down what a look found: each batch is one transaction with its journal entries and its revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.errors import Conflict
from appliance.journal.entry import Action, Entry
from appliance.library import index_store, store
from appliance.library.changes import Changes
from appliance.library.items import Change
from appliance.library.roots import Root
from appliance.library.rows import (
    UNDESCRIBED,
    Place,
    file_event,
    file_values,
    folder_values,
    removed_event,
)
from appliance.library.tables import files, folders
from appliance.library.tree import Seen

SEARCHABLE_TOGETHER = 1000
"""Files a transaction."""


class Journal(Protocol):
    """What the library needs of the journal."""

    async def add(self, connection: AsyncConnection, *entries: Entry) -> None: ...


@dataclass
class Draft:
    """A change in the making: what is put here is told to everyone after the commit."""

    connection: AsyncConnection
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    """Keys of folders whose children differ."""
    entries: list[Entry] = field(default_factory=list)


class Batch:
    """Differences that wait to be saved together."""

    def __init__(self, root: Root, first: bool = False) -> None:
        self.root, self.first = root, first
        self.new_files: list[tuple[Place, Seen]] = []
        self.changed_files: list[tuple[Place, Seen, int]] = []
        self.quiet_files: list[dict[str, Any]] = []
        """Only the inode is another: a file system without stable numbers was mounted again."""
        self.displaced: list[Any] = []
        self.new_folders: list[dict[str, Any]] = []
        self.moved_folders: list[dict[str, Any]] = []
        self.displaced_folders: list[Any] = []

    @property
    def size(self) -> int:
        parts = (
            self.new_files,
            self.changed_files,
            self.quiet_files,
            self.displaced,
            self.new_folders,
            self.moved_folders,
            self.displaced_folders,
        )
        return sum(len(part) for part in parts)

    def added(self, place: Place, seen: Seen) -> None:
        self.new_files.append((place, seen))

    def changed(self, place: Place, seen: Seen, row: Any) -> None:
        self.changed_files.append((place, seen, row.pk))

    def quiet(self, row: Any, seen: Seen) -> None:
        self.quiet_files.append({"pk": row.pk, "inode": seen.inode})

    def new_folder(self, parent: Place, seen: Seen) -> Place:
        row = {
            "pk": store.new_folder_pk(),
            "id": store.new_id(),
            "root_pk": self.root.pk,
            **folder_values(parent, seen.name, seen.inode),
        }
        self.new_folders.append(row)
        return Place(
            row["pk"],
            row["id"],
            row["path"],
            row["display_path"],
            row["depth"],
            parent.rule_below(None),
            is_new=True,
        )

    def moved_folder(self, parent: Place, seen: Seen, row: Any) -> None:
        self.moved_folders.append({"pk": row.pk, **folder_values(parent, seen.name, seen.inode)})

    def place_of(self, parent: Place, name: bytes, row: Any) -> Place:
        rule = parent.rule_below(row.audience_rule)
        return Place(row.pk, row.id, parent.inner(name), parent.shown(name), parent.depth + 1, rule)


class Saving:
    """The transactions of the library."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        changes: Changes,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        """`written` is called after each transaction, before anybody hears of the change."""
        self._database, self._journal, self._changes = database, journal, changes
        self._written = written
        self._words: set[str] = set()
        self.words_added = 0
        self.revision = 0
        """The last that this process wrote or told of."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Draft]:
        """One write transaction; counts, revision and journal are brought up to date at its end."""
        change = None
        try:
            async with self._database.write() as connection:
                draft = Draft(connection)
                yield draft
                change = await self._finish(draft)
        except BaseException:
            self._words.clear()  # those of a transaction that failed are not in the table
            raise
        finally:
            self._written()
        if change is not None:
            self.publish(change)

    def publish(self, change: Change) -> None:
        """Tell everyone of what is committed, here or by another process."""
        self.revision = max(self.revision, change.revision)
        self._changes.publish(change)

    def wrote_elsewhere(self, revision: int) -> None:
        """Another process has raised the revision: what is kept here may be old."""
        self._written()
        self.publish(Change(revision))

    async def _finish(self, draft: Draft) -> Change | None:
        for some in store.chunks(draft.entries):
            await self._journal.add(draft.connection, *some)
        if not (draft.added or draft.changed or draft.removed or draft.touched):
            return None
        ids = await index_store.count_again(draft.connection, draft.touched)
        number = await store.next_revision(draft.connection)
        return Change(number, tuple(draft.added), tuple(draft.changed), tuple(draft.removed), tuple(ids))

    async def place(self, connection: AsyncConnection, pk: int) -> Place | None:
        """A folder of the index with the rule that holds in it; None when it is gone."""
        row = await index_store.folder_row(connection, pk)
        if row is None:
            return None
        top = row
        while top.depth > 1:
            top = await index_store.folder_row(connection, top.parent_pk)
            if top is None:
                return None
        rule = Audience(top.audience_rule) if top.audience_rule else None
        return Place(row.pk, row.id, row.path, row.display_path, row.depth, rule)

    async def save(self, batch: Batch) -> tuple[int, int]:
        """Numbers of files added and changed. Raises Conflict when an upload was faster; look again then."""
        try:
            return await self._save(batch)
        except IntegrityError as error:
            raise Conflict("Something was put into the index meanwhile.") from error

    async def _save(self, batch: Batch) -> tuple[int, int]:
        async with self.transaction() as draft:
            connection = draft.connection
            await index_store.park(connection, folders, batch.displaced_folders)
            await index_store.park(connection, files, batch.displaced)
            await index_store.insert_rows(connection, folders, batch.new_folders)
            await self._move_folders(draft, batch)
            await index_store.update_rows(connection, files, batch.quiet_files)
            await self._save_changed(draft, batch)
            await self._save_new(draft, batch)
            draft.touched |= {row["pk"] for row in batch.new_folders}
        return len(batch.new_files), len(batch.changed_files)

    async def _move_folders(self, draft: Draft, batch: Batch) -> None:
        for row in batch.moved_folders:
            before = await index_store.folder_row(draft.connection, row["pk"])
            draft.touched |= {row["pk"], row["parent_pk"], before.parent_pk}
        await index_store.update_rows(draft.connection, folders, batch.moved_folders)

    async def _save_changed(self, draft: Draft, batch: Batch) -> None:
        before = {
            row.pk: row._mapping
            for row in await index_store.file_rows(draft.connection, {pk for _, _, pk in batch.changed_files})
        }
        now = store.now_ms()
        rows = []
        for place, seen, pk in batch.changed_files:
            old = before[pk]
            same = (old["size_bytes"], old["mtime_ns"]) == (seen.size, seen.mtime_ns)
            described = {name: old[name] for name in UNDESCRIBED} if same else UNDESCRIBED
            known = {**described, "tags": old["tags"]}
            row = {"pk": pk, **file_values(place, seen, known), **described, "last_indexed_at": now}
            rows.append(row)
            await self.note_words(draft, row["folded"])
            back = old["gone_at"] is not None
            (draft.added if back else draft.changed).append(old["id"])
            draft.touched |= {place.pk, old["folder_pk"]}
            action = Action.FILE_ADDED if back else Action.FILE_CHANGED
            draft.entries.append(file_event(action, batch.root.path, {**old, **row}, place.display_path))
        moving = [{"pk": row["pk"], "raw_name": b"\0" + str(row["pk"]).encode()} for row in rows]
        await index_store.update_rows(
            draft.connection, files, moving
        )  # so that two files may swap their names
        await index_store.update_rows(draft.connection, files, rows)

    async def _save_new(self, draft: Draft, batch: Batch) -> None:
        # In parts and in a thread: a folder of 10,000 files must not hold up everybody else.
        for some in store.chunks(batch.new_files):
            rows, entries = await asyncio.to_thread(_new_rows, batch, some, self._database.is_sqlite)
            await self.note_words(draft, *(row["folded"] for row in rows))
            draft.added += (row["id"] for row in rows)
            draft.touched |= {place.pk for place, _ in some}
            draft.entries += entries
            await index_store.insert_rows(draft.connection, files, rows)

    async def note_words(self, draft: Draft, *folded: str) -> None:
        new = {word for text in folded for word in text.split() if word.isalpha()} - self._words
        if new:
            await index_store.add_words(draft.connection, new)
            self._words |= new
            self.words_added += len(new)

    async def make_searchable(self, root: Root) -> None:
        """Put what a first look has left out into the indexes for searches."""
        is_news = False
        while pks := await self._not_searchable():
            async with self.transaction() as draft:
                await index_store.make_searchable(draft.connection, pks)
            is_news = True
        if is_news:
            async with self.transaction() as draft:
                draft.touched.add(root.folder_pk)

    async def _not_searchable(self) -> list[int]:
        async with self._database.read() as connection:
            return await index_store.not_searchable(connection, SEARCHABLE_TOGETHER)

    async def forget(
        self, missing: Mapping[int, str], missing_folders: Collection[int], found: Collection[int]
    ) -> int:
        """Take files and folders off the lists; returns the number of files."""
        async with self.transaction() as draft:
            gone_folders = await index_store.inside(draft.connection, missing_folders)
            gone = {**dict(await index_store.files_in(draft.connection, gone_folders)), **missing}
            gone = {pk: file_id for pk, file_id in gone.items() if pk not in found}
            for row in await index_store.file_rows(draft.connection, gone):
                draft.touched.add(row.folder_pk)
            await index_store.set_gone(draft.connection, files, gone)
            await index_store.set_gone(draft.connection, folders, gone_folders)
            draft.touched |= set(gone_folders)
            draft.removed += gone.values()
            draft.entries += [removed_event(file_id) for file_id in gone.values()]
        return len(gone)


def _new_rows(
    batch: Batch, some: Sequence[tuple[Place, Seen]], is_sqlite: bool
) -> tuple[list[dict[str, Any]], list[Entry]]:
    """Rows of files that are new, and what the journal says of each."""
    now = store.now_ms()
    rows, entries = [], []
    for place, seen in some:
        created_at = min(now, seen.mtime_ns // 1_000_000) if batch.first else now
        row = {
            "id": store.new_id(),
            "root_pk": batch.root.pk,
            **file_values(place, seen),
            "created_at": max(0, created_at),
            "last_indexed_at": now,
            "searchable": not (batch.first and is_sqlite),
        }
        rows.append(row)
        entries.append(file_event(Action.FILE_ADDED, batch.root.path, row, place.display_path))
    return rows, entries
