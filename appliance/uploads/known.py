"""Which of these files are here already? Asked before anything is sent."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from appliance.accounts.caller import Caller
from appliance.errors import Invalid, MantelError
from appliance.library.items import File, FileQuery, Sort
from appliance.library.library import Library
from appliance.units import GIB
from appliance.uploads.arriving import off_loop, sum_of
from appliance.uploads.names import clean_name
from appliance.uploads.uploads import Uploads

MOST_FILES = 500
MOST_CANDIDATES = 20
MOST_READ = 8 * GIB
"""Bytes that one question may make us read, for files whose checksum nobody has taken yet."""
_REMEMBERED = 2_000

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Known:
    """Compares by size and SHA-256; by size and name alone it only says that they look alike."""

    def __init__(self, library: Library, uploads: Uploads) -> None:
        self._library, self._uploads = library, uploads
        self._sums: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        """(file, size, mtime) → SHA-256 taken here."""

    async def answer(self, asked: Any, caller: Caller) -> list[dict[str, Any]]:
        """For each of {files: [{name, size, sha256?}]}: name and size again, and

        `known`: its content is here; `fileId` with `match`: `content`, or `name` for one that looks alike;
        `upload` with `offset` where an upload of the same person waits for the rest. Raises Invalid.
        """
        files = asked.get("files") if isinstance(asked, dict) else None
        if not isinstance(files, list) or len(files) > MOST_FILES:
            raise Invalid("files", type(files).__name__, f"a list of at most {MOST_FILES} files is allowed")
        budget = [MOST_READ]
        return [await self._one(*_read(one, number), caller, budget) for number, one in enumerate(files)]

    async def _one(
        self, name: str, size: int, sha256: str | None, caller: Caller, budget: list[int]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name, "size": size, "known": False}
        of_size = FileQuery(
            min_size=size, max_size=size, sort=Sort.CREATED_AT, descending=True, limit=MOST_CANDIDATES
        )
        if size and sha256:
            for file in (await self._library.page(replace(of_size, may_be=sha256), caller.sees)).items:
                if await self._sum(file, caller, budget) == sha256:
                    return found | {"known": True, "match": "content", "fileId": file.id}
        if size:
            of_name = replace(of_size, name=clean_name(name))
            for file in (await self._library.page(of_name, caller.sees)).items:
                if not (sha256 and file.sha256):
                    found |= {"match": "name", "fileId": file.id}
        waiting = await self._uploads.unfinished(caller, name, size)
        if waiting:
            found |= {"upload": f"/files/tus/{waiting.id}", "offset": waiting.received}
        return found

    async def _sum(self, file: File, caller: Caller, budget: list[int]) -> str | None:
        if file.sha256:
            return file.sha256
        key = (file.id, file.size_bytes, file.mtime_ns)
        if key not in self._sums:
            if budget[0] < file.size_bytes:
                return None
            budget[0] -= file.size_bytes
            try:
                opened = await self._library.open(file.id, caller.sees)
            except MantelError:
                return None
            try:
                self._sums[key] = (await off_loop(sum_of, opened.fd, opened.size)).hexdigest()
            finally:
                opened.close()
            if len(self._sums) > _REMEMBERED:
                self._sums.popitem(last=False)
        return self._sums[key]


def _read(one: Any, number: int) -> tuple[str, int, str | None]:
    if not isinstance(one, dict):
        raise Invalid(
            f"files[{number}]", type(one).__name__, "an object with name, size and sha256 is allowed"
        )
    name, size, sha256 = one.get("name"), one.get("size"), one.get("sha256")
    if not isinstance(name, str) or not name:
        raise Invalid(f"files[{number}].name", name, "a file name is needed")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise Invalid(f"files[{number}].size", size, "a number of bytes is needed")
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise Invalid(f"files[{number}].sha256", sha256, "64 hexadecimal digits, lower case, are allowed")
    return name, size, sha256
