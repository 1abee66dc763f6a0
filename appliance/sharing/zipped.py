"""Files as one zip, made while it is sent: nothing is compressed (media is already), nothing is held."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Iterable
from pathlib import PurePath


class _Outbox:
    """What zipfile writes, until it is taken. Cannot seek, so sizes and checksums follow each file."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken, self._held = b"".join(self._held), []
        return taken


async def zipped(files: Iterable[tuple[str, AsyncIterator[bytes]]]) -> AsyncIterator[bytes]:
    """The bytes of a zip (APPNOTE 6.3.10) of (name, content); a name that is taken becomes `name (2).ext`."""
    outbox = _Outbox()
    taken: set[str] = set()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, content in files:
            entry = zipfile.ZipInfo(_free(name, taken))
            # 64-bit sizes: how long a file is in the end is not known at its beginning.
            with archive.open(entry, "w", force_zip64=True) as writing:
                async for chunk in content:
                    writing.write(chunk)
                    yield outbox.take()
            yield outbox.take()
    yield outbox.take()


def _free(name: str, taken: set[str]) -> str:
    path, number, free = PurePath(name), 2, name
    while free.casefold() in taken:
        free, number = f"{path.stem} ({number}){path.suffix}", number + 1
    taken.add(free.casefold())
    return free
