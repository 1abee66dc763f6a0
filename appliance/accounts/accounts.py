"""Who may enter: everything of it in one object, made once by wiring."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.accounts import setup_code, store, throttle
from appliance.accounts.caller import Role
from appliance.accounts.door_bell import DoorBell, Tell
from appliance.accounts.keys import Keys, load_keys
from appliance.accounts.pairing import Pairings
from appliance.accounts.passwords import COST, Passwords
from appliance.accounts.sessions import Sessions
from appliance.accounts.sign_in import SignIn
from appliance.accounts.users import Users
from appliance.database import Database
from appliance.journal.entry import now_ms
from appliance.journal.journal import Journal
from appliance.settings import Settings
from appliance.units import DAYS, HOURS, SECONDS

log = logging.getLogger(__name__)

EPOCH_WATCH = 0.5 * SECONDS
RECORDED_CACHE = 1 * SECONDS
"""For so long a choice not to be recorded may go unnoticed: an entry must not cost a query each."""
KEEP_ENDED = 90 * DAYS
"""How long an ended session is remembered: its device is still known then."""


class Accounts:
    """`sign_in`, `sessions`, `users`; `keys` for whoever signs URLs.

    `start()` before the library's: an account store that was lost is told by the roots it left behind.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        journal: Journal,
        keys: Keys | None = None,
        cost: int = COST,
        tell: Tell = lambda _event, _data: None,
    ) -> None:
        self._settings, self._database = settings, database
        self.door_bell = DoorBell(tell)
        self.keys = keys or load_keys(settings.keys)
        self.passwords = Passwords(self.keys.pepper, cost)
        self.sessions = Sessions(database, self.keys, journal, self.door_bell)
        self.users = Users(database, self.passwords, self.sessions, journal, self.door_bell)
        self.sign_in = SignIn(
            database,
            self.keys,
            self.passwords,
            self.sessions,
            self.users,
            settings.state,
            guests=settings.guest == "on",
        )
        self.pairings = Pairings(database, self.sessions, self.door_bell)
        self.on_lockdown: list[Callable[[], Awaitable[object]]] = []
        """What else ends all it opened: links, casts."""
        self.setup_code: str | None = None
        """To print, while there is no admin."""
        self._recorded: dict[str, tuple[float, bool]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Makes the admin of MANTEL_ADMIN_PASSWORD, or opens setup; then looks after the sessions."""
        os.environ.pop("MANTEL_ADMIN_PASSWORD", None)
        async with self._database.read() as connection:
            admins = await store.count_users(connection, Role.ADMIN)
            was_open = await store.state(connection, "setup") is not None
        given = self._settings.admin_password
        if not admins and given:
            hashed = await self.passwords.hash(given.reveal())
            async with self._database.write() as connection:
                await self.users.add(connection, "admin", hashed, Role.ADMIN)
                await setup_code.close_setup(connection, self._settings.state)
        elif not admins and not was_open and _was_in_use(self._settings.library):
            log.error(
                "the library was in use, but its accounts are gone: restore a backup, "
                "or run `mantel user add NAME --role admin`"
            )
        elif not admins:
            async with self._database.write() as connection:
                self.setup_code = await setup_code.open_setup(connection, self._settings.state, now_ms())
        self._tasks = [
            asyncio.create_task(self.sessions.watch(), name="sessions"),
            asyncio.create_task(self._watch_epoch(), name="auth epoch"),
            asyncio.create_task(self._sweep(), name="sweep accounts"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.passwords.close()

    async def recorded(self, user_id: str) -> bool:
        """Whether what this person does may be recorded; their own choice."""
        held = self._recorded.get(user_id)
        if held and time.monotonic() - held[0] < RECORDED_CACHE:
            return held[1]
        async with self._database.read() as connection:
            found = await store.user(connection, user_id)
        wanted = found is None or found[0].privacy != "off"
        if len(self._recorded) > 1000:
            self._recorded.clear()
        self._recorded[user_id] = (time.monotonic(), wanted)
        return wanted

    async def let_guests_in(self, guests: bool) -> None:
        """Or not any more; then those who are in go at once."""
        if self.sign_in.guests and not guests:
            await self.sessions.end_guests()
        self.sign_in.guests = guests

    async def is_set_up(self) -> bool:
        async with self._database.read() as connection:
            return bool(await store.count_users(connection, Role.ADMIN))

    async def lockdown(self) -> None:
        """End every session, and with them what they opened."""
        await self.sessions.lockdown()
        await self._end_the_rest()

    async def _watch_epoch(self) -> None:
        """`mantel lockdown` is another process: notice it within a second and end what this one opened."""
        known = await self._epoch()
        async for _ in self._database.writes(EPOCH_WATCH):
            with contextlib.suppress(Exception):
                now = await self._epoch()
                if now > known:
                    await self._end_the_rest()
                known = now

    async def _epoch(self) -> int:
        async with self._database.read() as connection:
            return await store.epoch(connection)

    async def _end_the_rest(self) -> None:
        self.pairings.end_all()
        self.door_bell.ring("lockdown")
        for end in self.on_lockdown:
            try:
                await end()
            except Exception:
                log.exception("lockdown: a part did not end what it opened")

    async def _sweep(self) -> None:
        while True:
            try:
                async with self._database.write() as connection:
                    await store.forget_sessions(connection, now_ms() - KEEP_ENDED * 1000)
                    await throttle.sweep(connection, now_ms())
            except Exception:
                log.exception("could not sweep old sessions")
            await asyncio.sleep(1 * HOURS)


def _was_in_use(roots: tuple[Path, ...]) -> bool:
    return any((root / ".mantel" / "root-id").exists() for root in roots)
