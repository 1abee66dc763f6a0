"""A file of the library that is open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from appliance.library.items import File


@dataclass
class OpenFile:
    """A file that is open for reading. Whoever has it closes it; closing twice is fine.

    One that nobody holds any more closes itself: a framework drops the answer of a client that has gone, and
    with it a body that was never begun.
    """

    fd: int
    file: File
    size: int
    mtime_ns: int
    etag: str
    """Strong and quoted (RFC 9110 §8.8.3): names this content of this file."""
    _closed: bool = field(default=False, repr=False)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.fd)

    __del__ = close
