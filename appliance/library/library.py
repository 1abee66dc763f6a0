"""The library: what there is, for everyone who asks. The one object that web, TVs and casting share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.errors import NotFound, Unavailable
from appliance.journal.entry import Entry
from appliance.library import companions, index_store, places, search, store, trash
from appliance.library.adopting import adopt_roots, measure_room
from appliance.library.changes import Changes
from appliance.library.describe import DESCRIBED, Describe
from appliance.library.elsewhere import Elsewhere
from appliance.library.facts import Facts, write_facts
from appliance.library.items import File, FileQuery, Folder, Page, Room
from appliance.library.kept_rows import KeptRows
from appliance.library.opened import OpenFile as OpenFile
from appliance.library.places import Destination
from appliance.library.roots import Root
from appliance.library.saving import Draft, Journal, Saving
from appliance.library.scan import Look, Result, Settling, look_until_still
from appliance.library.thumbnails import Thumbnail, Thumbnails
from appliance.library.tree import open_file, signed
from appliance.library.vocabulary import Vocabulary
from appliance.library.watch import Watch
from appliance.threads import in_thread


class Library:
    """Files and folders under the roots. `sees` says which audiences the caller belongs to."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        roots: Sequence[Path],
        *,
        state: Path | None = None,
        rescan_seconds: float = 300,
        describe_all: Callable[[], bool] = lambda: True,
        on_progress: Callable[[Result], None] = lambda _so_far: None,
        on_scanned: Callable[[Result], None] = lambda _all: None,
    ) -> None:
        """`state`: where thumbnails are kept. `describe_all()`: without a daemon our probe does it all.
        `on_progress` is told how far a full scan is, `on_scanned` when it is over.
        """
        self._database = database
        self._configured, self._on_progress, self._on_scanned = tuple(roots), on_progress, on_scanned
        self._roots: dict[int, Root] = {}
        self.changes = Changes()
        self._rows = KeptRows()
        self._saving = Saving(database, journal, self.changes, self._rows.forget)
        self._elsewhere = Elsewhere(database, self._saving)
        self._settling = Settling()
        self._vocabulary = Vocabulary()
        self._every_root = False
        self._looking = asyncio.Lock()
        self._watch = Watch(self, rescan_seconds)
        self._describe = Describe(self, describe_all)
        self._thumbnails = Thumbnails(database, state or Path("var"))
        self._accessed: dict[str, int] = {}

    async def start(self) -> None:
        """Adopts the roots and begins to watch; the first look runs in the background."""
        await self.adopt_roots()
        for root in self.roots:
            await trash.recover(self._saving, root)
        await self._elsewhere.start()
        self._describe.start()
        self._watch.start()

    async def stop(self) -> None:
        await self._elsewhere.stop()
        await self._watch.stop()
        await self._describe.stop()
        await self._write_accessed()
        for root in self._roots.values():
            root.close()

    async def adopt_roots(self, adopt: bool = False) -> None:
        """Bring the table of roots in line with the settings; `adopt` accepts a new or replaced root."""
        self._roots = await adopt_roots(self._database, self._configured, self._roots, adopt)
        self._rows.forget()
        async with self._database.read() as connection:
            self._every_root = await index_store.root_pks(connection) == set(self._roots)

    @property
    def roots(self) -> tuple[Root, ...]:
        return tuple(self._roots.values())

    async def room(self) -> list[Room]:
        return await measure_room(self._database, self.roots)

    # Questions

    async def page(self, query: FileQuery, sees: frozenset[Audience]) -> Page:
        """The files that match, one page of them."""
        async with self._database.read() as connection:
            if query.query:
                await self._vocabulary.load(connection, self._saving.words_added)
            known = self._vocabulary, self._every_root
            return await search.page(connection, self._root_pks, sees, query, *known)

    async def file(self, file_id: str, sees: frozenset[Audience]) -> File:
        """Raises NotFound, also for a file that this caller may not know of."""
        for found in await self.files((file_id,), sees):
            return found
        raise NotFound("file", file_id)

    async def files(self, ids: Collection[str], sees: frozenset[Audience]) -> tuple[File, ...]:
        """Those of these files that are here and that this caller may know of, in the order of `ids`."""
        async with self._database.read() as connection:
            rows = await store.visible_by_id(connection, ids, self._root_pks, sees)
        return tuple(store.as_file(rows[i]) for i in dict.fromkeys(ids) if i in rows)

    async def folder(self, folder_id: str, sees: frozenset[Audience]) -> Folder:
        """Raises NotFound."""
        async with self._database.read() as connection:
            row = await store.folder_by_id(connection, folder_id, self._root_pks, sees)
        if row is None:
            raise NotFound("folder", folder_id)
        return store.as_folder(row, sees)

    async def folders(self, parent_id: str | None, sees: frozenset[Audience]) -> tuple[Folder, ...]:
        """Folders directly in one, by name; for None the roots."""
        async with self._database.read() as connection:
            return tuple(await store.folders_in(connection, parent_id, self._root_pks, sees))

    async def count(self) -> tuple[int, int]:
        """Files that are here, and those of them that nobody has described yet."""
        async with self._database.read() as connection:
            return await store.count(connection, DESCRIBED)

    async def folders_at(self, path: str, sees: frozenset[Audience]) -> tuple[Folder, ...]:
        """Folders directly in the one at a root-relative path, over all roots (whose own path is empty)."""
        async with self._database.read() as connection:
            return tuple(await store.folders_at(connection, path.strip("/"), self._root_pks, sees))

    async def revision(self) -> int:
        """Rises with each change of what is listed, over restarts too."""
        async with self._database.read() as connection:
            return await store.revision(connection)

    async def open(self, file_id: str, sees: frozenset[Audience]) -> OpenFile:
        """Open a file for reading.

        Raises NotFound when there is none (any more) and Unavailable while its root is away.
        """
        row, root = await self._row(file_id, sees)
        opened = await self._open(row, root)
        self._accessed[file_id] = store.now_ms()
        if row.facts_from is None:
            self._describe.first(file_id)
        return opened

    async def open_undescribed(self, file_id: str) -> OpenFile | None:
        """For the probe: the file, unless it is described already or of a kind that is not."""
        row, root = await self._row(file_id, frozenset(Audience))
        if row.facts_from is not None or row.kind not in DESCRIBED:
            return None
        return await self._open(row, root)

    async def undescribed(self, limit: int) -> list[str]:
        """Ids of files that nobody has described, newest first."""
        online = [root.pk for root in self.roots if root.online]
        async with self._database.read() as connection:
            return await store.undescribed(connection, online, DESCRIBED, limit)

    async def _open(self, row: Any, root: Root) -> OpenFile:
        file_id = row.id
        root.require()
        try:
            fd = await in_thread(open_file, root.fd, row.path, undo=os.close)
        except FileNotFoundError:
            await asyncio.to_thread(root.look)
            root.require()
            self._watch.hint_folder(row.folder_pk)
            raise NotFound("file", file_id) from None
        except OSError as error:
            raise Unavailable(row.name, error.strerror or "it cannot be opened") from error
        found = os.fstat(fd)
        if (found.st_size, found.st_mtime_ns) != (row.size_bytes, row.mtime_ns):
            self._watch.hint_folder(row.folder_pk)
            if root.numbers_stay and signed(found.st_ino) != row.inode:
                os.close(fd)
                raise NotFound("file", file_id)
        etag = f'"{row.id}-{found.st_size:x}-{found.st_mtime_ns:x}"'
        return OpenFile(fd, store.as_file(row), found.st_size, found.st_mtime_ns, etag)

    async def beside(
        self, file_id: str, sees: frozenset[Audience], extensions: frozenset[str]
    ) -> tuple[bytes, ...]:
        """Raw names of files beside this one that carry its name: `film.en.srt` beside `film.mkv`.

        Who may see the file may see them. Raises NotFound, Unavailable.
        """
        row, root = await self._row(file_id, sees)
        try:
            return await asyncio.to_thread(companions.names_beside, root.require(), row.path, extensions)
        except OSError:
            return ()

    async def open_beside(self, file_id: str, sees: frozenset[Audience], name: bytes) -> int:
        """One of those, for reading; the caller closes the descriptor. Raises NotFound, Unavailable."""
        row, root = await self._row(file_id, sees)
        try:
            return await in_thread(companions.open_beside, root.require(), row.path, name, undo=os.close)
        except OSError:
            raise NotFound("file", file_id) from None

    async def thumbnail(self, file_id: str, size: int, sees: frozenset[Audience]) -> Thumbnail:
        """A small JPEG of a photo, a film, a song's cover or its folder's; `size` is one of thumbnails.SIZES.

        Raises NotFound, also when the file has no picture, and Unavailable.
        """
        row, root = await self._row(file_id, sees)
        if row.kind not in DESCRIBED:
            raise NotFound("thumbnail", file_id)
        opened = await self._open(row, root)
        try:
            return await self._thumbnails.of(opened, size)
        except NotFound:
            async with self._database.read() as connection:
                art = await store.folder_art(connection, row, self._root_pks, sees)
            if not art:
                raise
            return await self.thumbnail(art, size, sees)
        finally:
            opened.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Draft]:
        """A write of which `changes` tells after the commit; others write by `draft.connection`."""
        async with self._saving.transaction() as draft:
            yield draft

    async def write_facts(self, facts: Sequence[Facts], source: str = "daemon") -> int:
        """The one place that writes what is in a file; returns how many facts were still true of theirs."""
        return await write_facts(self._saving, facts, source)

    async def folder_for(self, path: str, create: bool = True) -> Destination:
        """The folder at a root-relative path, to put files into; made when it is not there.

        Raises Invalid, NotFound (without `create`), Unavailable, Conflict.
        """
        return await places.folder_for(self._database, self._saving, self.roots, path, create)

    async def add_published(
        self,
        draft: Draft,
        to: Destination,
        name: bytes,
        *,
        file_id: str | None = None,
        uploaded_by: str | None = None,
        sha256: str | None = None,
    ) -> File:
        """Index a file that was just renamed into `to`, within `transaction()`; FILE_ADDED is journaled.

        The answer's id counts: a look may have been faster and given one.
        """
        return await places.add_published(
            self._saving, draft, to, name, file_id=file_id, uploaded_by=uploaded_by, sha256=sha256
        )

    async def change(
        self,
        file_id: str,
        sees: frozenset[Audience],
        *,
        name: str | None = None,
        folder: str | None = None,
        tags: object = None,
    ) -> File:
        """Rename, move and tag. Raises NotFound, Invalid, Conflict (the name is taken), Unavailable."""
        clean = None if tags is None else places.check_tags(tags)
        if name is not None:
            places.check_name("name", name)
        await self._row(file_id, sees)
        if name is not None or folder is not None:
            async with self._looking:
                row, root = await self._row(file_id, sees)  # it may have been moved while we waited
                to = await self.folder_for(row.folder if folder is None else folder)
                raw = row.raw_name if name is None else os.fsencode(name)
                await places.move(self._saving, root.require(), row, to, raw)
        if clean is not None:
            row, root = await self._row(file_id, sees)
            await places.set_tags(self._saving, row, row.folder, clean)
        return await self.file(file_id, sees)

    async def set_audience(self, folder_id: str, audience: Audience | None) -> None:
        """An admin's word on a top folder, or on the files in a root itself; None: by kind again.

        Raises NotFound, and Conflict for a deeper folder.
        """
        async with self._database.read() as connection:
            row = await store.folder_by_id(connection, folder_id, self._root_pks, frozenset(Audience))
            place = await self._saving.place(connection, row.pk) if row else None
        await places.set_rule(self._saving, folder_id, place, audience)

    async def delete(
        self, file_id: str, sees: frozenset[Audience], who: str | None, deleted: Entry | None = None
    ) -> None:
        """To the trash, with the journal's DELETE. Raises NotFound, Conflict, Unavailable."""
        await self._row(file_id, sees)
        async with self._looking:
            row, root = await self._row(file_id, sees)
            await trash.put_away(self._saving, root.require(), row, who, deleted)
        await self._thumbnails.drop([file_id])

    async def trashed(self) -> tuple[trash.Trashed, ...]:
        """What lies in the trash, newest first."""
        async with self._database.read() as connection:
            rows = await store.trashed_rows(connection, self._root_pks)
        return tuple(trash.Trashed(store.as_file(r), r.trashed_at, r.trashed_by) for r in rows)

    async def restore(self, file_id: str) -> File:
        """Out of the trash, back to its folder. Raises NotFound, Conflict, Unavailable."""
        async with self._database.read() as connection:
            row = await store.trashed_row(connection, file_id)
        if row is None or row.root_pk not in self._roots:
            raise NotFound("file", file_id)
        async with self._looking:
            await trash.take_back(self._database, self._saving, self._roots[row.root_pk].require(), file_id)
        return await self.file(file_id, frozenset(Audience))

    async def _row(self, file_id: str, sees: frozenset[Audience]) -> tuple[Any, Root]:
        if (row := await self._rows.row(self._database, file_id, self._root_pks, sees)) is None:
            raise NotFound("file", file_id)
        return row, self._roots[row.root_pk]

    async def scan(self, on_progress: Callable[[Result], None] | None = None) -> Result:
        """Look at everything, now. Roots that are away are left as they are.

        `on_progress` is called with what was done so far, for each root, after each folder.
        """
        total = Result()
        for root in self.roots:
            await asyncio.to_thread(root.look)
            if root.online:
                total += await self.look(root, [root.folder_pk], True, on_progress or self._on_progress)
        self._on_scanned(total)
        if total.added > index_store.ANALYZE_AFTER:
            async with self._database.write() as connection:
                await index_store.analyze(connection)
        return total

    async def look(
        self,
        root: Root,
        folder_pks: Collection[int],
        recursive: bool,
        on_progress: Callable[[Result], None] = lambda _so_far: None,
    ) -> Result:
        """Look into some folders of a root. One look at a time."""
        async with self._looking:
            if not root.online:
                return Result()
            await trash.recover(self._saving, root)
            async with self._database.read() as connection:
                first = not await index_store.has_files(connection, root.pk)

            def begin() -> Look:
                look = Look(self._database, self._saving, self._settling, root)
                look.before_listing, look.on_progress = self._watch.before_listing, on_progress
                return look

            look = await look_until_still(begin, folder_pks, recursive, first)
            self._watch.note(root, look.places)
            if first or recursive:
                await self._saving.make_searchable(root)
            return look.result

    async def tidy(self) -> None:
        """What is done once in a while: old trash, rows of files long gone, when files were read."""
        await self._write_accessed()
        await self._thumbnails.drop(await trash.tidy(self._database, self._saving, self.roots))

    async def _write_accessed(self) -> None:
        accessed, self._accessed = self._accessed, {}
        if accessed:
            async with self._database.write() as connection:
                await store.touch(connection, accessed)

    def hint(self, paths: Collection[Path]) -> None:
        """Someone saw something change at these absolute paths: look there soon."""
        self._watch.hint(paths)

    @property
    def _root_pks(self) -> tuple[int, ...]:
        return tuple(self._roots)
