"""From the inbox to the shelf: the step that must be whole or not at all.

A row in state `publishing` is committed before the rename and says what will lie where. So after a crash the
disk alone tells what happened: the file is still in the inbox (do it again), or it is in its folder (write
it down).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from appliance.accounts.caller import Audience, calling_or_none
from appliance.database import Database
from appliance.errors import MantelError, NotFound, Unavailable
from appliance.journal.entry import Action, Entry
from appliance.library.items import File, FileQuery, Sort
from appliance.library.library import Library
from appliance.library.places import Destination
from appliance.library.roots import Root
from appliance.library.tree import rename_new, signed
from appliance.uploads import scan_command, store
from appliance.uploads.arriving import Arriving, inbox_of, off_loop, same_bytes, sum_of
from appliance.uploads.names import numbered
from appliance.uploads.store import State, Upload

log = logging.getLogger(__name__)

EVERYTHING = frozenset(Audience)
MOST_NAMES = 9_999
MOST_CANDIDATES = 50
"""Files of exactly the same size that are read for the same content; without a checksum the newest."""
_NEW = 5_000
"""Milliseconds that the clock of a file server may be behind ours."""


class Publishing:
    """`command` is the household's check of uploads; () for none."""

    def __init__(self, database: Database, library: Library, command: Sequence[str] = ()) -> None:
        self._database, self._library, self._command = database, library, command
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """One at a time for the same content: of two equal uploads the second is the duplicate."""

    async def publish(self, upload: Upload, root: Root, running_sum: Any | None) -> tuple[File, bool]:
        """Put a whole upload on the shelf; True: the same content was there already, as this file.

        Raises Invalid when the check refuses it; Unavailable; OSError.
        """
        arriving = await off_loop(
            Arriving.reopen, root.fd, upload.id, upload.received, running_sum, undo=Arriving.close
        )
        try:
            await off_loop(_date_and_sync, arriving.fd, upload.modified_at)
            sha256 = await arriving.digest()
            inode = signed(os.fstat(arriving.fd).st_ino)
            if self._command:
                await scan_command.check(self._command, root.inbox / upload.id, upload.name)
            async with self._locks.setdefault(sha256, asyncio.Lock()):
                same = await self._same(arriving.fd, upload.received, sha256)
                if same:
                    await self._note_duplicate(upload, root, same, sha256)
                    return same, True
                to = await self._library.folder_for(upload.folder)
                if to.root.root_id != upload.root_id:
                    raise Unavailable(f"The folder {upload.folder}", "it has moved to another disk")
                name = await self._rename(upload, to, inode, sha256)
                return await self._write_down(upload, to, name, sha256), False
        finally:
            arriving.close()

    async def resume(self, upload: Upload, root: Root) -> None:
        """Bring a `publishing` row to an end after a crash, whichever side of the rename it was on."""
        if await off_loop(_is_in_inbox, root, upload.id):
            with contextlib.suppress(MantelError, OSError):
                to = await self._library.folder_for(upload.folder, create=False)
                await off_loop(_remove_placeholder, to, upload)
            try:
                await self.publish(upload, root, None)
            except NotFound:
                await self._give_up(upload)
            return
        try:
            to = await self._library.folder_for(upload.folder, create=False)
            ours = await off_loop(_is_ours, to, upload)
        except (NotFound, OSError):
            ours = False
        if ours and upload.target is not None:
            await self._write_down(upload, to, upload.target, upload.sha256 or "")
        else:
            # It lay in its folder for a moment, and somebody took it away.
            await self._give_up(upload)

    async def _give_up(self, upload: Upload) -> None:
        log.warning("upload %s is gone from the disk", upload.id)
        async with self._database.write() as connection:
            await store.remove(connection, upload.id)

    async def _same(self, fd: int, size: int, sha256: str) -> File | None:
        """A file of the library with exactly these bytes."""
        if size == 0:
            return None
        query = FileQuery(
            min_size=size, max_size=size, may_be=sha256, sort=Sort.CREATED_AT, descending=True,
            limit=MOST_CANDIDATES,
        )  # fmt: skip
        for file in (await self._library.page(query, EVERYTHING)).items:
            try:
                opened = await self._library.open(file.id, EVERYTHING)
            except MantelError:
                continue
            try:
                if opened.size == size and await off_loop(same_bytes, fd, opened.fd, size):
                    return opened.file
            finally:
                opened.close()
        return None

    async def _rename(self, upload: Upload, to: Destination, inode: int, sha256: str) -> bytes:
        """Give it the first name that is free; returns the name."""
        for number in range(1, MOST_NAMES):
            name = os.fsencode(numbered(upload.name, number))
            if await off_loop(_is_taken, to, name):
                continue
            async with self._database.write() as connection:
                await store.change(
                    connection,
                    upload.id,
                    state=State.PUBLISHING.value,
                    length=upload.received,
                    target=name,
                    inode=inode,
                    sha256=sha256,
                )
            with contextlib.suppress(FileExistsError):
                await off_loop(_move_in, to, upload.id, name)
                return name
        raise Unavailable(f"A name like {upload.name}", "all are taken")

    async def _write_down(self, upload: Upload, to: Destination, name: bytes, sha256: str) -> File:
        async with self._library.transaction() as draft:
            file = await self._library.add_published(
                draft, to, name, uploaded_by=upload.user_id, sha256=sha256
            )
            await store.change(draft.connection, upload.id, state=State.PUBLISHED.value, file_id=file.id)
            # Whoever sends the last piece; nobody where a start finishes what a crash left.
            sender = calling_or_none()
            draft.entries.append(
                Entry(
                    Action.UPLOAD,
                    user_id=upload.user_id,
                    device=upload.device,
                    file_id=file.id,
                    ip=sender.address if sender else None,
                    user_agent=sender.user_agent if sender else None,
                    payload={"sizeBytes": file.size_bytes},
                )
            )
        return file

    async def _note_duplicate(self, upload: Upload, root: Root, same: File, sha256: str) -> None:
        async with self._database.write() as connection:
            await store.change(
                connection,
                upload.id,
                state=State.PUBLISHED.value,
                length=upload.received,
                file_id=same.id,
                sha256=sha256,
                duplicate=True,
            )
        await off_loop(remove_from_inbox, root, upload.id)


def _date_and_sync(fd: int, modified_at: int | None) -> None:
    """A photo of last summer stays one; what its sender's clock has in the future does not."""
    now = time.time_ns()
    if modified_at is not None and 0 < modified_at * 1_000_000 < now:
        os.utime(fd, ns=(now, modified_at * 1_000_000))
    os.fsync(fd)


def remove_from_inbox(root: Root, upload_id: str) -> None:
    with inbox_of(root.require().fd) as inbox, contextlib.suppress(FileNotFoundError):
        os.unlink(upload_id, dir_fd=inbox)


def _is_in_inbox(root: Root, upload_id: str) -> bool:
    with inbox_of(root.require().fd) as inbox:
        return upload_id in os.listdir(inbox)


def _stat(to: Destination, name: bytes) -> os.stat_result | None:
    folder = to.open()
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    finally:
        os.close(folder)


def _is_taken(to: Destination, name: bytes) -> bool:
    return _stat(to, name) is not None


def _move_in(to: Destination, upload_id: str, name: bytes) -> None:
    folder = to.open()
    try:
        with inbox_of(to.root.require().fd) as inbox:
            rename_new(inbox, upload_id.encode(), folder, name)
    finally:
        os.close(folder)


def _is_ours(to: Destination, upload: Upload) -> bool:
    """Is what lies under the target's name what was uploaded? By inode, or by its sum where the file system
    gives a file another inode at each mount."""
    if upload.target is None:
        return False
    found = _stat(to, upload.target)
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != upload.length:
        return False
    if signed(found.st_ino) == upload.inode:
        return True
    folder = to.open()
    try:
        fd = os.open(upload.target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        return bool(sum_of(fd, found.st_size).hexdigest() == upload.sha256)
    finally:
        os.close(fd)


def _remove_placeholder(to: Destination, upload: Upload) -> None:
    """An empty file that was made under the target's name just for the rename, and was left by a crash."""
    if upload.target is None or upload.length == 0:
        return
    found = _stat(to, upload.target)
    if found is None or found.st_size or not stat.S_ISREG(found.st_mode):
        return
    if found.st_mtime_ns // 1_000_000 >= upload.touched_at - _NEW:
        folder = to.open()
        try:
            os.unlink(upload.target, dir_fd=folder)
        finally:
            os.close(folder)
