"""Bytes in: from the first one to a file on the shelf, with nothing half-published and nothing lost.

The way of an upload, each step on the disk before the next (and before anything is answered):

1. `begin`: a row, and an empty file in the root's inbox.
2. `append`: bytes, synced and noted in the row as they come (`receiving.py`).
3. `publish`: the sum, the check of uploads, is it here already? A row in state `publishing` says what will
   appear where; then the rename, which replaces nothing; then file, journal and `published` at once.

`start` finishes or undoes what a crash left at any step.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from appliance.accounts.caller import Caller
from appliance.database import Database
from appliance.errors import Conflict, Forbidden, Invalid, MantelError, NotFound, Unavailable
from appliance.library.items import File
from appliance.library.library import Library
from appliance.library.roots import Root
from appliance.units import DAYS, HOURS, SECONDS
from appliance.uploads import store
from appliance.uploads.arriving import Arriving, inbox_of, off_loop
from appliance.uploads.names import clean_folder, clean_name
from appliance.uploads.publishing import EVERYTHING, Publishing, remove_from_inbox
from appliance.uploads.receiving import Receiving
from appliance.uploads.space import Space
from appliance.uploads.store import State, Upload
from appliance.uploads.tus import Checksum

log = logging.getLogger(__name__)

KEPT = 3 * DAYS
"""How long an upload that stands still can be taken up again."""
KEPT_EMPTY = 1 * HOURS
"""The same before the first byte: its client may never have learned of it, and it reserves room."""
REMEMBERED = 1 * DAYS
"""How long a published upload still answers to its id."""
SWEEP = 1 * HOURS
LOOK = 1 * SECONDS
PATIENCE = 5 * SECONDS
"""How long a new upload waits for what is put right; the sum of a very large file takes longer."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Published:
    """What became of an upload. `duplicate`: the same content was here already, as `file`."""

    file: File
    duplicate: bool


class Uploads:
    """`limit`: bytes of the largest upload, None for any; `free_space`: bytes that stay free."""

    def __init__(
        self,
        database: Database,
        library: Library,
        publishing: Publishing,
        *,
        limit: int | None = None,
        free_space: int = 0,
    ) -> None:
        self._database, self._library, self._publishing = database, library, publishing
        self.limit = limit
        self._space = Space(free_space)
        self._receiving = Receiving(database, self._space, limit)
        self._open: dict[str, tuple[asyncio.Task[object], Callable[[], object], asyncio.Event]] = {}
        """Uploads that a request is appending to: its task, how to end it, and when it has let go."""
        self._finishing: WeakValueDictionary[str, asyncio.Task[Published]] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[object]] = set()
        self._putting_right = asyncio.Lock()

    def change_limits(self, limit: int | None, free_space: int) -> None:
        """For uploads that begin, and bytes that come, from now on."""
        self.limit = self._receiving.limit = limit
        self._space.stays_free = free_space

    # Life

    async def start(self) -> None:
        """Finish or undo what the last run left; then look hourly for what was given up, and on a disk that
        comes back at once.
        """
        await self.recover()
        task = asyncio.create_task(self._sweep_forever(), name="uploads sweep")
        self._tasks.add(task)

    async def stop(self) -> None:
        """Ends what waits; what is being published is finished first."""
        finishing = [task for task in self._finishing.values() if not task.done()]
        await asyncio.gather(*finishing, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # The way of an upload

    async def begin(
        self,
        caller: Caller,
        name: str,
        folder: str,
        length: int | None,
        *,
        resumable: bool,
        at_most: int = 0,
        modified_at: int | None = None,
    ) -> Upload:
        """Announce an upload of `length` bytes (None: a form does not say, but no more than `at_most`).

        Raises Invalid for name or folder, TooLarge, NoRoom, and Unavailable while no root is there.
        """
        if caller.user_id is None:
            raise Forbidden("Only people upload.")
        name, parts = clean_name(name), clean_folder(folder)
        self._receiving.check_limit(length or 0)
        root = (await self._library.folder_for("/".join(parts))).root
        if root.came_back:
            # What is put right there may be this very file, which would be there twice.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._put_right(), PATIENCE)
        upload = Upload(
            id=secrets.token_hex(16), user_id=caller.user_id, device=caller.device, root_id=root.root_id,
            folder="/".join(parts), name=name, length=length, received=0, resumable=resumable,
            state=State.RECEIVING, target=None, inode=None, sha256=None, file_id=None, duplicate=False,
            created_at=store.now_ms(), touched_at=store.now_ms(), modified_at=modified_at,
        )  # fmt: skip
        await self._space.reserve(upload.id, root, length or at_most)
        try:
            async with self._database.write() as connection:
                await store.add(connection, upload)
            arriving = await off_loop(Arriving.create, root.fd, upload.id, undo=Arriving.close)
            arriving.close()
        except BaseException:
            await self._drop(upload)
            raise
        return upload

    async def append(
        self,
        upload_id: str,
        caller: Caller,
        offset: int,
        chunks: AsyncIterator[bytes],
        checksum: Checksum | None = None,
        hang_up: Callable[[], None] | None = None,
    ) -> Upload:
        """Add bytes from `offset` on; returns when all that came is on the disk for good.

        What came before an error or a vanished client is kept; with a checksum, a piece is kept whole or not
        at all. `hang_up` ends this request when its client comes back on another connection.

        Raises NotFound, Conflict for a wrong offset, TooLarge for more bytes than announced, NoRoom,
        ChecksumMismatch.
        """
        await self.look(upload_id, caller)
        task, released = asyncio.current_task(), asyncio.Event()
        assert task is not None
        await self._interrupt(upload_id)
        # Nothing may wait between here and the end of _interrupt: two would write to one file.
        self._open[upload_id] = (task, hang_up or task.cancel, released)
        try:
            upload = await self.look(upload_id, caller)
            if upload.state is not State.RECEIVING:
                raise Conflict("This upload has all its bytes.")
            if upload.received != offset:
                raise Conflict(f"This upload goes on at byte {upload.received}, not {offset}.")
            await self._receiving.receive(upload, self._root(upload), chunks, checksum)
        finally:
            self._open.pop(upload_id, None)
            released.set()
        return await self.look(upload_id, caller)

    async def finish(self, upload_id: str, caller: Caller) -> Published:
        """Publish an upload that is whole; the same answer again for one that was.

        Goes on when the client that asked has gone. Raises Conflict while bytes are missing, Invalid when the
        check of uploads refuses it (then it is gone), Unavailable and NoRoom (then it can be tried again).
        """
        upload = await self.look(upload_id, caller)
        if upload.state is State.PUBLISHED and upload.file_id:
            return Published(await self._library.file(upload.file_id, caller.sees), upload.duplicate)
        if upload.length is not None and not upload.whole:
            raise Conflict(f"Bytes from {upload.received} on are missing.")
        return await self._finishing_of(upload)

    async def _finishing_of(self, upload: Upload) -> Published:
        """One publishing for all who ask, and it goes on without them."""
        task = self._finishing.get(upload.id)
        if task is None or task.done():
            task = asyncio.create_task(self._finish(upload.id), name=f"publish {upload.id}")
            self._finishing[upload.id] = task
            self._tasks.add(task)
            task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _finish(self, upload_id: str) -> Published:
        """On from where the upload is now: whoever asked may have read its row while another finished it."""
        upload = await self._row(upload_id)
        if upload.state is State.PUBLISHING:
            # A crash came in the middle, or its disk went.
            await self._publishing.resume(upload, self._root(upload))
            upload = await self._row(upload_id)
        elif upload.state is State.RECEIVING:
            if upload.length is None:
                upload = replace(upload, length=upload.received)
            try:
                running_sum = self._receiving.take_sum(upload)
                file, duplicate = await self._publishing.publish(upload, self._root(upload), running_sum)
            except Invalid:
                await self._drop(upload)
                raise
            self._space.release(upload.id)
            return Published(file, duplicate)
        self._space.release(upload.id)
        return Published(await self._library.file(upload.file_id or "", EVERYTHING), upload.duplicate)

    async def _row(self, upload_id: str) -> Upload:
        """Raises NotFound."""
        async with self._database.read() as connection:
            upload = await store.get(connection, upload_id)
        if upload is None:
            raise NotFound("upload", upload_id)
        return upload

    async def look(self, upload_id: str, caller: Caller) -> Upload:
        """Raises NotFound for an upload that is not this person's, too."""
        if not _ID.fullmatch(upload_id):
            raise NotFound("upload", upload_id)
        upload = await self._row(upload_id)
        if upload.user_id != caller.user_id:
            raise NotFound("upload", upload_id)
        return upload

    async def settled(self, upload_id: str, caller: Caller) -> Upload:
        """As `look`, once no request appends to it any more: a client that lost its connection asks this."""
        await self.look(upload_id, caller)
        await self._interrupt(upload_id)
        return await self.look(upload_id, caller)

    async def cancel(self, upload_id: str, caller: Caller) -> None:
        """Give an upload up. Raises NotFound, and Conflict when it is (being) published."""
        upload = await self.settled(upload_id, caller)
        if upload.state is not State.RECEIVING or self._is_busy(upload):
            raise Conflict("This upload is complete; delete the file instead.")
        await self._drop(upload)

    async def abandon(self, upload_id: str) -> None:
        """Drop an upload with which nobody can go on; nothing happens to one that is published."""
        async with self._database.read() as connection:
            upload = await store.get(connection, upload_id)
        if upload and upload.state is State.RECEIVING:
            await self._drop(upload)

    async def unfinished(self, caller: Caller, name: str, length: int) -> Upload | None:
        """This person's own upload of that name and length that waits for more bytes."""
        if caller.user_id is None:
            return None
        async with self._database.read() as connection:
            return await store.unfinished_of(connection, caller.user_id, clean_name(name), length)

    def expires_at(self, upload: Upload) -> int:
        """Epoch milliseconds after which an upload that stands still is given up."""
        return upload.touched_at + (KEPT if upload.received else KEPT_EMPTY) * 1000

    # What a crash left, and what was given up

    async def recover(self) -> None:
        """Bring every row to an end or back to where its client can go on."""
        async with self._database.read() as connection:
            rows = await store.unpublished(connection)
        for upload in rows:
            if self._is_busy(upload):
                continue
            root = self._known_root(upload)
            if root is None or not root.online:
                continue
            try:
                await self._recover(upload, root)
            except (MantelError, OSError) as error:
                log.warning("upload %s waits: %s", upload.id, error)
        for root in self._library.roots:
            if root.online:
                await self._remove_strays(root, {upload.id for upload in rows})

    async def _recover(self, upload: Upload, root: Root) -> None:
        if upload.state is State.PUBLISHING or upload.whole:
            await self._finishing_of(upload)
        elif not upload.resumable or self.expires_at(upload) < store.now_ms():
            await self._drop(upload)
        else:
            await self._space.reserve(upload.id, root, (upload.length or 0) - upload.received, force=True)

    async def _remove_strays(self, root: Root, known: set[str]) -> None:
        """Files in the inbox that no row knows: announced in the moment of a crash."""

        def remove() -> None:
            with inbox_of(root.fd) as inbox:
                for name in os.listdir(inbox):
                    if _ID.fullmatch(name) and name not in known:
                        os.unlink(name, dir_fd=inbox)

        with contextlib.suppress(OSError, Unavailable):
            await off_loop(remove)

    async def _sweep_forever(self) -> None:
        swept = time.monotonic()
        while True:
            await asyncio.sleep(LOOK)
            await self._put_right()
            if time.monotonic() - swept >= SWEEP:
                swept = time.monotonic()
                await self._sweep_once()

    async def _put_right(self) -> None:
        """What was left undone on disks that came back."""
        async with self._putting_right:
            if back := [root for root in self._library.roots if root.came_back]:
                await self._sweep_once()
            for root in back:
                root.came_back = False

    async def _sweep_once(self) -> None:
        try:
            await self.sweep()
        except Exception:
            log.exception("could not look for uploads that were given up")

    async def sweep(self) -> None:
        """Drop what stood still for too long, and try again what could not be published."""
        async with self._database.write() as connection:
            await store.forget_published(connection, store.now_ms() - REMEMBERED * 1000)
        async with self._database.read() as connection:
            rows = await store.unpublished(connection)
        for upload in rows:
            root = self._known_root(upload)
            if self._is_busy(upload) or root is None or not root.online:
                continue
            try:
                if upload.state is State.PUBLISHING or (upload.whole and upload.resumable):
                    await self._finishing_of(upload)
                elif self.expires_at(upload) < store.now_ms():
                    await self._drop(upload)
            except (MantelError, OSError) as error:
                log.warning("upload %s waits: %s", upload.id, error)

    # Parts

    def _is_busy(self, upload: Upload) -> bool:
        """A request appends to it, or it is being published."""
        task = self._finishing.get(upload.id)
        return upload.id in self._open or (task is not None and not task.done())

    def _finished(self, task: asyncio.Task[Published]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # Whoever asked is told too, unless it has gone.
            log.info("an upload was not published: %s", error)

    async def _interrupt(self, upload_id: str) -> None:
        """End the request that is appending: its client has lost it, or it would not ask again."""
        while upload_id in self._open and self._open[upload_id][0] is not asyncio.current_task():
            _, hang_up, released = self._open[upload_id]
            hang_up()
            await released.wait()

    async def _drop(self, upload: Upload) -> None:
        """The row and the inbox file, gone."""
        self._space.release(upload.id)
        self._receiving.take_sum(upload)
        root = self._known_root(upload)
        if root and root.online:
            await off_loop(remove_from_inbox, root, upload.id)
        async with self._database.write() as connection:
            await store.remove(connection, upload.id)

    def _known_root(self, upload: Upload) -> Root | None:
        return next((root for root in self._library.roots if root.root_id == upload.root_id), None)

    def _root(self, upload: Upload) -> Root:
        root = self._known_root(upload)
        if root is None:
            raise Unavailable("The folder of this upload", "it is not among the library's folders now")
        return root.require()
