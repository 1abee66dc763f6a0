"""Answers that were given already: a TV that comes back to a list asks for it in the very same words.

An answer holds as long as what it was made of is the same (`Catalog.version`), so nothing here runs out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

LARGEST = 8 * 1024 * 1024
"""Bytes kept in all; a page of 100 items has about 100 KB."""


class Answers:
    """The answers lately given, by what they depend on and by the call itself."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest, self._size = largest, 0
        self._kept: OrderedDict[Hashable, tuple[Hashable, bytes]] = OrderedDict()

    def get(self, call: Hashable, version: Hashable) -> bytes | None:
        """What was answered to this call, if it holds still."""
        found = self._kept.get(call)
        if found is None:
            return None
        if found[0] != version:
            self._drop(call)
            return None
        self._kept.move_to_end(call)
        return found[1]

    def put(self, call: Hashable, version: Hashable, answer: bytes) -> None:
        self._drop(call)
        if len(answer) > self._largest // 4:
            return
        self._kept[call] = (version, answer)
        self._size += len(answer)
        while self._size > self._largest:
            self._drop(next(iter(self._kept)))

    def _drop(self, call: Hashable) -> None:
        if (found := self._kept.pop(call, None)) is not None:
            self._size -= len(found[1])
