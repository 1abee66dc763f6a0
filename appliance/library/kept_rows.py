"""Rows of files that are being played: a player asks for hundreds of ranges, and each asks for the row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.library import store

MOST = 1_000


class KeptRows:
    """What was read since the library last wrote. Only rows that were found are kept."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, frozenset[Audience]], Any] = {}

    async def row(
        self, database: Database, file_id: str, root_pks: Collection[int], sees: frozenset[Audience]
    ) -> Any:
        """The whole row of one visible file, as of `store.file_with_place`."""
        # A row that is read before a write and arrives after it goes into what was thrown away.
        kept = self._kept
        found = kept.get((file_id, sees))
        if found is None:
            async with database.read() as connection:
                found = await store.file_with_place(connection, file_id, root_pks, sees)
            if found is not None:
                if len(kept) >= MOST:
                    kept.clear()
                kept[file_id, sees] = found
        return found

    def forget(self) -> None:
        """The library wrote."""
        self._kept = {}
