"""Changes that people make to files: a new name or folder, tags, an upload that is published.

Rule: the disk is changed first, then the index, in that order, so that a crash in between leaves a file that
the next look finds under the same id; and no look runs meanwhile (Library holds a lock).
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.errors import Conflict, Invalid, NotFound, Unavailable
from appliance.journal.entry import Action
from appliance.library import index_store, store
from appliance.library.items import File
from appliance.library.names import display, fold, is_hidden
from appliance.library.roots import Root
from appliance.library.rows import Place, file_event, file_values, folder_values, search_values
from appliance.library.saving import Draft, Saving
from appliance.library.tables import files, folders
from appliance.library.tree import Seen, make_folder, opened, rename_new, signed

LONGEST_NAME = 255
"""Bytes of UTF-8, as ext4, exFAT and NTFS take at most."""
MOST_TAGS, LONGEST_TAG = 50, 60


@dataclass(frozen=True)
class Destination:
    """A folder that is there, on a root that is there."""

    root: Root
    place: Place

    @property
    def path(self) -> Path:
        """Absolute; for showing and for programs that want one. To write, use `open`."""
        return self.root.path / os.fsdecode(self.place.path)

    def open(self) -> int:
        """A descriptor of the folder; the caller closes it. Raises OSError."""
        with opened(self.root.require().fd, self.place.path, os.O_RDONLY | os.O_DIRECTORY) as fd:
            return os.dup(fd)


async def folder_for(
    database: Database, saving: Saving, roots: Sequence[Root], path: str, create: bool
) -> Destination:
    """The folder at a root-relative, `/`-separated path; made when it is not there and `create`.

    Several roots are one tree: the first that has the folder, or most of the way to it, holds it.
    Raises Invalid, NotFound, and Unavailable when no root is there.
    """
    parts = [part for part in path.split("/") if part]
    for part in parts:
        check_name("folder", part)
    ready = [root for root in roots if root.online]
    if not ready:
        raise Unavailable("The library", "none of its folders is there")
    best: tuple[int, Root, Place] | None = None
    async with database.read() as connection:
        for root in ready:
            place = await saving.place(connection, root.folder_pk)
            depth = 0
            for part in parts:
                row = place and await store.folder_named(connection, place.pk, part)
                inner = await saving.place(connection, row.pk) if row else None
                if inner is None:
                    break
                place, depth = inner, depth + 1
            if place is not None and (best is None or depth > best[0]):
                best = depth, root, place
    if best is None:
        raise Unavailable("The library", "it is not ready yet")
    depth, root, place = best
    if depth < len(parts) and not create:
        raise NotFound("folder", path)
    for part in parts[depth:]:
        place = await _make(saving, root, place, os.fsencode(part))
    return Destination(root, place)


async def _make(saving: Saving, root: Root, parent: Place, name: bytes) -> Place:
    try:
        inode = await asyncio.to_thread(make_folder, root.require().fd, parent.path, name)
    except OSError as error:
        raise Conflict(f"The folder {display(name)} cannot be made: {_why(error, name)}") from error
    async with saving.transaction() as draft:
        row = await store.folder_raw(draft.connection, parent.pk, name)
        values = folder_values(parent, name, inode)
        if row is None:
            pk = store.new_folder_pk()
            new = {"pk": pk, "id": store.new_id(), "root_pk": root.pk, **values}
            await index_store.insert_rows(draft.connection, folders, [new])
        else:
            pk = row.pk
            await index_store.update_rows(draft.connection, folders, [{"pk": pk, **values}])
        draft.touched |= {pk, parent.pk}
        made = await saving.place(draft.connection, pk)
    assert made is not None
    return made


def check_name(field: str, name: str) -> str:
    """A name that a person may give to a file or folder. Raises Invalid."""
    raw = name.encode("utf-8", "surrogatepass")
    clean = display(raw) == name or display(raw) == display(name.encode("utf-8", "replace"))
    if not name.strip() or name != name.strip() or "/" in name or is_hidden(raw) or len(raw) > LONGEST_NAME:
        clean = False
    if not clean or "\ufffd" in display(raw) or any(not c.isprintable() and c != "\u200d" for c in name):
        raise Invalid(
            field,
            name,
            "a name of 1 to 255 bytes without `/`, control characters or a dot in front is allowed",
        )
    return name


def check_tags(tags: object) -> list[str]:
    """Tags as people gave them, each once. Raises Invalid."""
    if not isinstance(tags, list) or len(tags) > MOST_TAGS:
        raise Invalid("tags", tags, f"a list of at most {MOST_TAGS} tags is allowed")
    found: dict[str, str] = {}
    for tag in tags:
        shown = display(tag.encode("utf-8", "replace")).strip() if isinstance(tag, str) else ""
        if not fold(shown) or len(shown) > LONGEST_TAG or "\ufffd" in shown:
            raise Invalid("tags", tag, f"tags of 1 to {LONGEST_TAG} characters are allowed")
        found.setdefault(fold(shown), shown)
    return list(found.values())


def stat_in(root: Root, place: Place, name: bytes) -> Seen:
    """What the disk has under this name. Raises OSError."""
    with opened(root.require().fd, place.inner(name), os.O_PATH) as fd:
        found = os.fstat(fd)
    return Seen(name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, signed(found.st_ino))


async def add_published(
    saving: Saving,
    draft: Draft,
    to: Destination,
    name: bytes,
    *,
    file_id: str | None,
    uploaded_by: str | None,
    sha256: str | None,
) -> File:
    """Put a file that was just renamed into place into the index, within the caller's transaction."""
    seen = await asyncio.to_thread(stat_in, to.root, to.place, name)
    connection, now = draft.connection, store.now_ms()
    values = {
        **file_values(to.place, seen),
        "uploaded_by": uploaded_by,
        "sha256": sha256,
        "last_indexed_at": now,
    }
    row = await store.file_raw(connection, to.place.pk, name)
    if row is None:
        new = {"id": file_id or store.new_id(), "root_pk": to.root.pk, **values, "created_at": now}
        await index_store.insert_rows(connection, files, [new])
    else:
        await index_store.update_rows(connection, files, [{"pk": row.pk, **values}])
    row = await store.file_raw(connection, to.place.pk, name)
    await saving.note_words(draft, row.folded)
    draft.added.append(row.id)
    draft.touched.add(to.place.pk)
    draft.entries.append(file_event(Action.FILE_ADDED, to.root.path, row._mapping, to.place.display_path))
    return store.as_file(row)


async def move(saving: Saving, root: Root, row: Any, to: Destination, name: bytes) -> None:
    """Give a file another name or folder within its root. Raises Conflict when the name is taken."""
    if to.root.pk != root.pk:
        raise Conflict("That folder lies on another disk; copy the file there instead.")
    if (to.place.pk, name) == (row.folder_pk, row.raw_name):
        return
    try:
        await asyncio.to_thread(rename_in, root, row.path, to.place.path, name)
    except FileExistsError:
        raise Conflict(f"There is already a {display(name)}.") from None
    except OSError as error:
        raise Conflict(f"{row.name} cannot be renamed: {_why(error, name)}") from error
    seen = await asyncio.to_thread(stat_in, root, to.place, name)
    async with saving.transaction() as draft:
        await put_row(saving, draft, root, row, to.place, seen, Action.FILE_CHANGED)


def _why(error: OSError, name: bytes) -> str:
    """Sentences on why a disk does not take a name. Through FUSE exFAT says that there is no such file."""
    said = f"{error.strerror}."
    if error.errno in (errno.EINVAL, errno.ENOENT) and re.search(rb'[\\"*:<>?|]', name):
        said += ' Disks from the shop (exFAT, FAT, NTFS) take no \\ " * : < > ? or | in a name.'
    return said


async def put_row(
    saving: Saving, draft: Draft, root: Root, row: Any, place: Place, seen: Seen, action: Action
) -> None:
    """Bring a file's row to the place where the file lies now."""
    old = row._mapping
    taken = await store.file_raw(draft.connection, place.pk, seen.name)
    if taken is not None and taken.pk != row.pk:
        await index_store.park(draft.connection, files, [taken])
    values = {**file_values(place, seen, old), "last_indexed_at": store.now_ms()}
    await index_store.update_rows(draft.connection, files, [{"pk": row.pk, **values}])
    await saving.note_words(draft, values["folded"])
    (draft.added if action is Action.FILE_ADDED else draft.changed).append(row.id)
    draft.touched |= {row.folder_pk, place.pk}
    draft.entries.append(file_event(action, root.path, {**old, **values}, place.display_path))


def rename_in(root: Root, path: bytes, folder: bytes, name: bytes) -> None:
    source, _, old_name = path.rpartition(b"/")
    flags = os.O_RDONLY | os.O_DIRECTORY
    with opened(root.require().fd, source, flags) as old, opened(root.fd, folder, flags) as new:
        rename_new(old, old_name, new, name)


async def set_tags(saving: Saving, row: Any, folder: str, tags: list[str]) -> None:
    described: Mapping[str, Any] = {**row._mapping, "tags": tags}
    values = {"pk": row.pk, "tags": tags, **search_values(row.name, folder, described)}
    async with saving.transaction() as draft:
        await index_store.update_rows(draft.connection, files, [values])
        await saving.note_words(draft, values["folded"])
        draft.changed.append(row.id)
        draft.touched.add(row.folder_pk)


async def set_rule(saving: Saving, folder_id: str, place: Place | None, audience: Audience | None) -> None:
    """An admin's word on a top folder, or on the files in a root itself; None: by kind again."""
    if place is None:
        raise NotFound("folder", folder_id)
    if place.depth > 1:
        raise Conflict("An audience is given to a top folder; all in it follows.")
    async with saving.transaction() as draft:
        connection = draft.connection
        rule = audience.value if audience else None
        await index_store.update_rows(connection, folders, [{"pk": place.pk, "audience_rule": rule}])
        within = [place.pk] if place.depth == 0 else await index_store.inside(connection, [place.pk])
        draft.changed += await store.set_audience(connection, within, audience)
        draft.touched |= set(within)
