"""Copies of films for phones that cannot play them, as the analytics daemon prepared them.

A copy is called `{file id}-{size}-{mtime in ns}.mp4` after the content that it was made of: a film that was
changed has none. The daemon alone writes the folder; off unless `phone_copies` names one.
"""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path

from appliance.accounts.caller import Audience
from appliance.errors import NotFound
from appliance.library.library import Library
from appliance.library.opened import OpenFile


class PhoneCopies:
    def __init__(self, library: Library, folder: Path | None) -> None:
        self._library, self._folder = library, folder

    async def open(self, file_id: str, sees: frozenset[Audience]) -> OpenFile:
        """The copy of a file that the caller may see. Raises NotFound, and what `Library.open` raises."""
        original = await self._library.open(file_id, sees)
        original.close()
        fd = await asyncio.to_thread(self._open, f"{file_id}-{original.size}-{original.mtime_ns}.mp4")
        if fd is None:
            raise NotFound("phone copy", file_id)
        found = os.fstat(fd)
        etag = f'"phone-{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"'
        return OpenFile(
            fd,
            replace(original.file, size_bytes=found.st_size, mime_type="video/mp4"),
            found.st_size,
            found.st_mtime_ns,
            etag,
        )

    def _open(self, name: str) -> int | None:
        if self._folder is None:
            return None
        try:
            fd = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        return fd
