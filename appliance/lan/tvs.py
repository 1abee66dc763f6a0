"""Which TVs may watch: an unknown one asks with a code, an admin allows that code.

Rule 1: a TV is its interface and MAC, read anew from the neighbour table; its words choose quirks and its
name on the admin's page, never a right.
Rule 2: at most WAITING ask at once; the one that was silent for longest gives way.
Rule 3: who is blocked or no longer allowed is cut off at once: `Tvs.cut` is set for it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from appliance.database import Database
from appliance.errors import Invalid, NotFound
from appliance.lan import store
from appliance.lan.tv import State, Tv, clean_name, key_of, name_of
from appliance.power.neighbours import Neighbour, neighbours
from appliance.units import DAYS, MINUTES
from dlna.catalog import Viewer

WAITING = 20
SEEN_SPACING = 5 * MINUTES
"""Seconds between two notes of when a TV was last there."""
SHARED_LAPSES = 1 * DAYS
"""Seconds after which a right that hangs on an address as well lapses: the lease may be another's."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Tvs:
    """All TVs, in memory and in the store. `open_to_all` is MANTEL_TV_ACCESS=open."""

    def __init__(
        self,
        database: Database,
        *,
        open_to_all: bool,
        tell: Callable[[str, dict[str, Any]], None] = lambda name, data: None,
        table: Callable[[], tuple[Neighbour, ...]] = neighbours,
    ) -> None:
        self._database, self._tell, self._table = database, tell, table
        self._open = open_to_all
        self._by_key: dict[str, Tv] = {}
        self._cuts: dict[str, asyncio.Event] = {}
        self._lock = asyncio.Lock()
        self.shown_anew: Callable[[], None] = lambda: None
        """Called when what some TV may see is other than before."""

    async def load(self) -> None:
        async with self._database.read() as connection:
            self._by_key = {tv.key: tv for tv in await store.all_tvs(connection)}

    def all(self) -> list[Tv]:
        """Those who ask first, then by when they were last there."""
        return sorted(self._by_key.values(), key=lambda tv: (tv.state is not State.ASKING, -tv.last_seen_at))

    def by_id(self, tv_id: str) -> Tv:
        """Raises NotFound."""
        for tv in self._by_key.values():
            if tv.id == tv_id:
                return tv
        raise NotFound("TV", tv_id)

    def open_to_all(self, is_open: bool) -> None:
        """Let every TV watch, or from now on those alone that were allowed."""
        self._open = is_open
        for tv in self.all():
            if not self.may(tv):
                self._cut(tv.id)

    def may(self, tv: Tv) -> bool:
        return tv.state is State.ALLOWED or (self._open and tv.state is State.ASKING)

    def known(self, viewer: Viewer) -> Tv | None:
        """The TV behind a request, if it was here before."""
        key = self._key(viewer)
        return self._by_key.get(key) if key else None

    def _key(self, viewer: Viewer) -> str | None:
        own = viewer.address == viewer.host.rpartition(":")[0]
        table = () if own or viewer.interface == "lo" else self._table()
        return key_of(viewer.address, viewer.interface, own, table)

    async def recognise(self, viewer: Viewer) -> Tv | None:
        """The TV behind a request, noted if it is new. None while its MAC is unknown: it may do nothing."""
        key = self._key(viewer)
        if key is None:
            return None
        known = self._by_key.get(key)
        now = now_ms()
        if known and key.count("/") > 1 and now - known.last_seen_at > SHARED_LAPSES * 1000:
            await self._forget(known)
            known = None
        if known is None:
            return await self._add(key, viewer)
        family = viewer.client.family
        better = family if family != "default" else known.family
        if (known.address, known.family) != (viewer.address, better) or (
            now - known.last_seen_at > SEEN_SPACING * 1000
        ):
            renamed = name_of(viewer.name, better, viewer.address)
            if known.name != name_of("", known.family, known.address):
                renamed = known.name
            await self._save(
                replace(known, address=viewer.address, family=better, name=renamed, last_seen_at=now)
            )
        return self._by_key[key]

    async def allow(
        self, code: str, user_id: str | None, folders: tuple[str, ...] = (), name: str | None = None
    ) -> Tv:
        """Allow the TV that shows this code. Raises NotFound."""
        for tv in self._by_key.values():
            if tv.state is State.ASKING and secrets.compare_digest(tv.code.encode(), code.strip().encode()):
                return await self.change(
                    tv.id, state=State.ALLOWED, user_id=user_id, folders=folders, name=name
                )
        raise NotFound("TV with the code", code)

    async def change(
        self,
        tv_id: str,
        *,
        state: State | None = None,
        folders: tuple[str, ...] | None = None,
        name: str | None = None,
        user_id: str | None = None,
    ) -> Tv:
        """Set what is given. Raises NotFound, Invalid. What runs on a TV that may no more is cut."""
        tv = self.by_id(tv_id)
        if name is not None and not clean_name(name):
            raise Invalid("name", name, "a name of 1 to 40 characters is allowed")
        changed = replace(
            tv,
            state=state or tv.state,
            folders=tv.folders if folders is None else folders,
            name=tv.name if name is None else clean_name(name),
            user_id=user_id or tv.user_id,
        )
        await self._save(changed)
        if not self.may(changed) or changed.folders != tv.folders:
            self._cut(tv_id)
        if (changed.state, changed.folders) != (tv.state, tv.folders):
            self.shown_anew()
        return changed

    async def forget(self, tv_id: str) -> None:
        """It will ask anew. Raises NotFound."""
        await self._forget(self.by_id(tv_id))

    def cut_off(self, tv_id: str) -> asyncio.Event:
        """Set once this TV may no more; taken anew by each stream."""
        return self._cuts.setdefault(tv_id, asyncio.Event())

    def _cut(self, tv_id: str) -> None:
        if event := self._cuts.pop(tv_id, None):
            event.set()

    async def _add(self, key: str, viewer: Viewer) -> Tv:
        async with self._lock:
            if key in self._by_key:
                return self._by_key[key]
            asking = [tv for tv in self._by_key.values() if tv.state is State.ASKING]
            if len(asking) >= WAITING:
                await self._forget(min(asking, key=lambda tv: tv.last_seen_at))
            taken = {tv.code for tv in asking}
            code = next(c for c in iter(lambda: f"{secrets.randbelow(10_000):04}", None) if c not in taken)
            now = now_ms()
            tv = Tv(
                id=secrets.token_hex(8),
                key=key,
                name=name_of(viewer.name, viewer.client.family, viewer.address),
                family=viewer.client.family,
                state=State.ASKING,
                code=code,
                folders=(),
                user_id=None,
                address=viewer.address,
                user_agent=viewer.user_agent[:200],
                first_seen_at=now,
                last_seen_at=now,
            )
            await self._save(tv)
            return tv

    async def _save(self, tv: Tv) -> None:
        async with self._database.write() as connection:
            await store.save(connection, tv)
        self._by_key[tv.key] = tv
        self._tell("tv", {"id": tv.id, "name": tv.name, "state": tv.state.value})

    async def _forget(self, tv: Tv) -> None:
        async with self._database.write() as connection:
            await store.forget(connection, tv.id)
        self._by_key.pop(tv.key, None)
        self._cut(tv.id)
        self._tell("tv", {"id": tv.id, "name": tv.name, "state": "forgotten"})
