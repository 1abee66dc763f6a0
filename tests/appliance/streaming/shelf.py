"""A folder of real files that stands in for the library where a test is about bytes alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from appliance.accounts.caller import Audience, Caller
from appliance.errors import NotFound
from appliance.journal.entry import Entry
from appliance.journal.span import Downloading, SpanBook
from appliance.library.items import File, Kind
from appliance.library.opened import OpenFile


class Shelf:
    """Ids are the names of files in `folder`. `types` maps a name to its MIME type."""

    def __init__(self, folder: Path, types: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.types = types or {}
        self.opened = 0

    async def open(self, file_id: str, sees: frozenset[Audience]) -> OpenFile:
        path = self.folder / file_id
        if not path.is_file() or Audience.EVERYONE not in sees:
            raise NotFound("file", file_id)
        self.opened += 1
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        stat = os.fstat(fd)
        file = File(
            id=file_id, name=file_id, folder="", folder_id="top", kind=Kind.VIDEO,
            mime_type=self.types.get(file_id, "video/mp4"), size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns, audience=Audience.EVERYONE, created_at=0, last_indexed_at=0,
        )  # fmt: skip
        etag = f'"{stat.st_ino:x}-{stat.st_size:x}-{stat.st_mtime_ns:x}"'
        return OpenFile(fd, file, stat.st_size, stat.st_mtime_ns, etag)


class Counted:
    """One span: what was sent, and whether it was closed."""

    def __init__(self, first_byte: int) -> None:
        self.first_byte, self.bytes, self.closed = first_byte, 0, False

    def sent(self, count: int) -> None:
        self.bytes += count

    def close(self) -> None:
        self.closed = True


class Notebook:
    """Spans and entries as the journal would have got them."""

    def __init__(self) -> None:
        self.spans: list[Counted] = []
        self.entries: list[Entry] = []
        self.book = SpanBook(lambda: 0)

    def span(self, caller: Caller, file_id: str, size_bytes: int, first_byte: int, source: str) -> Counted:
        self.spans.append(Counted(first_byte))
        return self.spans[-1]

    def download(self, caller: Caller, file_id: str, size_bytes: int, first_byte: int) -> Downloading:
        return Downloading(self.book, caller, file_id, size_bytes, first_byte)

    async def all_closed(self) -> None:
        """Who has the last byte may be ahead of the thread that sent it and counts it only then."""
        async with asyncio.timeout(5):
            while not self.spans or not all(span.closed for span in self.spans):
                await asyncio.sleep(0.01)

    @property
    def ended(self) -> list[Entry]:
        """Downloads that are over."""
        return self.book.over

    async def note(self, entry: Entry) -> None:
        self.entries.append(entry)
