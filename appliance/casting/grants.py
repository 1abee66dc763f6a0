"""What a signed media URL of a showing is good for: whose right it carries, for which device, how long.

Rules:
1. The right is that of the person who cast, as it is at the moment of the fetch.
2. The first fetch pins the address: nobody else on the network may use the URL.
3. It is good until the showing's end plus LINGER; what is cut is cut at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from appliance.accounts import store as people
from appliance.accounts.caller import Caller, Role, Via
from appliance.casting import store
from appliance.casting.store import ShowingRow
from appliance.database import Database
from appliance.errors import Forbidden
from appliance.lan.casts import Admitted
from appliance.lan.media_urls import Grant, MediaUrls
from appliance.units import DAYS, MINUTES

URL_LIFE = 1 * DAYS
LINGER = 10 * MINUTES
"""Players look ahead, and come back late."""


@dataclass
class Right:
    """What stands behind the URLs of one showing. `cut` is set when its bytes must stop."""

    row: ShowingRow
    cut: asyncio.Event
    fetched_by: str | None = None
    until: float | None = None
    """Monotonic seconds; None while the showing runs."""


class Grants:
    """A `lan.casts.Casts`: the rights of all showings that run or ended a moment ago."""

    def __init__(self, database: Database, urls: MediaUrls) -> None:
        self._database, self._urls = database, urls
        self._rights: dict[str, Right] = {}

    def open(self, row: ShowingRow) -> Right:
        """The right of a showing that runs; the same one for the same showing."""
        right = self._rights.get(row.id)
        if right is None:
            right = self._rights[row.id] = Right(row, asyncio.Event(), row.fetched_by)
        return right

    def linger(self, row: ShowingRow) -> None:
        """The showing has ended."""
        self._rights = {key: kept for key, kept in self._rights.items() if not _is_over(kept)}
        self.open(row).until = time.monotonic() + LINGER

    def cut(self, user_id: str | None) -> None:
        """Stop the bytes of one person's showings, or of all."""
        for right in self._rights.values():
            if user_id is None or right.row.user_id == user_id:
                right.cut.set()

    def path(self, row: ShowingRow, file_id: str, rendition: str, extension: str) -> str:
        expires = int(time.time()) + URL_LIFE
        grant = Grant("cast", file_id, rendition, row.id, expires, row.player_id)
        return self._urls.path(grant, extension)

    def beside(self, grant: Grant, rendition: str, extension: str) -> str:
        """The path of something else of the same item, for the same device and as long."""
        return self._urls.path(replace(grant, rendition=rendition), extension)

    def read(self, token: str) -> Grant | None:
        """None for what was not signed here, or has run out."""
        return self._urls.read(token)

    async def admit(self, grant: Grant, address: str) -> Admitted:
        """The right that a URL carries for who fetches it. Raises Forbidden."""
        right = self._rights.get(grant.grantor)
        if right is None or _is_over(right) or right.cut.is_set() or grant.device != right.row.player_id:
            raise Forbidden("This showing has ended.")
        row = right.row
        if right.fetched_by is None:
            async with self._database.write() as connection:
                right.fetched_by = await store.pin(connection, row.id, address)
        if right.fetched_by != address:
            raise Forbidden("Another device fetches this.")
        role = await self.role(row)
        device = f"player-{row.player_id}"
        caller = Caller(row.user_id, row.user_name, role, Via.CAST, row.session_id, device, address)
        return Admitted(caller, right.cut)

    async def role(self, row: ShowingRow) -> Role:
        """The role that whoever cast has now. Raises Forbidden when there is no such person any more."""
        if row.user_id is None:
            return Role.GUEST
        async with self._database.read() as connection:
            found = await people.user(connection, row.user_id)
        if found is None:
            raise Forbidden("Whoever cast this may no more.")
        return found[0].role

    async def cut_the_removed(self, rows: Iterable[ShowingRow]) -> tuple[str, ...]:
        """Ids of the people behind `rows` who are no more; their bytes are cut."""
        gone = []
        for row in rows:
            try:
                await self.role(row)
            except Forbidden:
                gone.append(str(row.user_id))
                self.cut(row.user_id)
        return tuple(gone)


def _is_over(right: Right) -> bool:
    return right.until is not None and right.until <= time.monotonic()
