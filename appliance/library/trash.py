"""Deleting is moving to the trash of the file's own root, where it stays for 30 days.

In `.mantel/trash/` a file lies under its id; the row keeps its place. After a crash between the disk and the
index, `recover` finds which of the two is right: a file that lies in the trash is in the trash.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.database import Database
from appliance.errors import Conflict, NotFound, Unavailable
from appliance.journal.entry import Action, Entry
from appliance.library import index_store, store
from appliance.library.items import File
from appliance.library.names import display
from appliance.library.places import Destination, folder_for, put_row, stat_in
from appliance.library.roots import BOOKKEEPING, Root
from appliance.library.rows import removed_event
from appliance.library.saving import Saving
from appliance.library.tables import files, trash
from appliance.library.tree import opened, rename_new
from appliance.units import DAYS

log = logging.getLogger(__name__)

KEPT = 30 * DAYS
TRASH = os.fsencode(f"{BOOKKEEPING}/trash")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


@dataclass(frozen=True)
class Trashed:
    """A file in the trash."""

    file: File
    trashed_at: int
    """Epoch milliseconds."""
    trashed_by: str | None
    """User id."""


async def put_away(saving: Saving, root: Root, row: Any, who: str | None, deleted: Entry | None) -> None:
    """Move a file to the trash. `deleted` is the journal's DELETE."""

    def to_trash() -> None:
        folder, _, name = row.path.rpartition(b"/")
        with opened(root.require().fd, folder, _FOLDER) as old, opened(root.fd, TRASH, _FOLDER) as new:
            rename_new(old, name, new, row.id.encode())

    try:
        await asyncio.to_thread(to_trash)
    except FileNotFoundError:
        raise NotFound("file", row.id) from None
    except OSError as error:
        raise Conflict(f"{row.name} cannot be moved to the trash: {error.strerror}.") from error
    async with saving.transaction() as draft:
        connection = draft.connection
        await store.forget_trash(connection, [row.pk])
        new = {"file_pk": row.pk, "raw_name": row.raw_name, "trashed_at": store.now_ms(), "trashed_by": who}
        await index_store.insert_rows(connection, trash, [new])
        await index_store.set_gone(connection, files, [row.pk])
        await index_store.park(connection, files, [row])
        draft.removed.append(row.id)
        draft.touched.add(row.folder_pk)
        draft.entries += [*([deleted] if deleted else []), removed_event(row.id)]


async def take_back(database: Database, saving: Saving, root: Root, file_id: str) -> None:
    """Put a file back where it was; its folder is made again, a name that is taken gets a number."""
    async with database.read() as connection:
        row = await store.trashed_row(connection, file_id)
    if row is None:
        raise NotFound("file", file_id)
    to = await _folder_again(database, saving, root, row)
    name = await asyncio.to_thread(_out_of_trash, root, row, to.place.path)
    seen = await asyncio.to_thread(stat_in, root, to.place, name)
    async with saving.transaction() as draft:
        await store.forget_trash(draft.connection, [row.pk])
        await put_row(saving, draft, root, row, to.place, seen, Action.FILE_ADDED)


async def _folder_again(database: Database, saving: Saving, root: Root, row: Any) -> Destination:
    async with database.read() as connection:
        place = await saving.place(connection, row.folder_pk)
    if place is not None and await asyncio.to_thread(_is_folder, root, place.path):
        return Destination(root, place)
    return await folder_for(database, saving, [root], display(row.path.rpartition(b"/")[0]), create=True)


def _is_folder(root: Root, path: bytes) -> bool:
    try:
        with opened(root.require().fd, path, os.O_PATH | os.O_DIRECTORY):
            return True
    except OSError:
        return False


def _out_of_trash(root: Root, row: Any, folder: bytes) -> bytes:
    stem, dot, extension = row.trash_name.rpartition(b".")
    if not dot or not stem:
        stem, extension = row.trash_name, b""
    with opened(root.require().fd, TRASH, _FOLDER) as old, opened(root.fd, folder, _FOLDER) as new:
        for number in range(1, 1000):
            name = row.trash_name if number == 1 else stem + f" ({number})".encode() + dot + extension
            try:
                rename_new(old, row.id.encode(), new, name)
            except FileExistsError:
                continue
            except FileNotFoundError:
                raise NotFound("file", row.id) from None
            except OSError as error:
                raise Conflict(f"{row.name} cannot be restored: {error.strerror}.") from error
            return bytes(name)
    raise Conflict(f"There are too many files named {row.name}.")


async def recover(saving: Saving, root: Root) -> None:
    """Make the table say what lies in the root's trash: once whenever its disk has come."""
    if root.trash_seen or not root.online:
        return
    file_ids = await asyncio.to_thread(_lying_in_trash, root)
    if file_ids is None:
        return
    async with saving.transaction() as draft:
        connection = draft.connection
        noted = {row.id: row for row in await store.trashed_rows(connection, [root.pk])}
        await store.forget_trash(connection, [noted[i].pk for i in noted.keys() - set(file_ids)])
        for row in await store.any_rows_by_id(connection, set(file_ids) - noted.keys()):
            new = {
                "file_pk": row.pk,
                "raw_name": row.raw_name,
                "trashed_at": store.now_ms(),
                "trashed_by": None,
            }
            await index_store.insert_rows(connection, trash, [new])
            if row.gone_at is None:
                await index_store.set_gone(connection, files, [row.pk])
                draft.removed.append(row.id)
                draft.touched.add(row.folder_pk)
                draft.entries.append(removed_event(row.id))
            await index_store.park(connection, files, [row])
    root.trash_seen = True


def _lying_in_trash(root: Root) -> list[str] | None:
    """Ids of the files in a root's trash; None when its disk does not say."""
    try:
        with opened(root.fd, TRASH, _FOLDER) as fd:
            return os.listdir(fd)
    except FileNotFoundError:
        return []
    except (OSError, Unavailable) as error:
        log.warning("what lies in the trash of %s cannot be seen: %s", root.path, error)
        return None


async def tidy(database: Database, saving: Saving, roots: Sequence[Root]) -> list[str]:
    """Forget for good what was trashed, or went away, 30 days ago; ids of the files."""
    before_ms = store.now_ms() - KEPT * 1000
    gone: list[str] = []
    for root in roots:
        if root.online:
            gone += await empty_old(database, saving, root, before_ms)
    async with database.write() as connection:
        gone += await store.delete_long_gone(connection, before_ms)
    return gone


async def empty_old(database: Database, saving: Saving, root: Root, before_ms: int) -> list[str]:
    """Delete for good what was trashed before this moment; their ids."""
    async with database.read() as connection:
        rows = [r for r in await store.trashed_rows(connection, [root.pk]) if r.trashed_at < before_ms]
    for row in rows:
        await asyncio.to_thread(_unlink, root.trash / row.id)
    if rows:
        async with saving.transaction() as draft:
            await store.delete_files(draft.connection, [row.pk for row in rows])
    return [row.id for row in rows]


def _unlink(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
