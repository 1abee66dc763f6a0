"""The doors: password, setup code, guest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts import setup_code, store, throttle, tokens
from appliance.accounts.caller import Role
from appliance.accounts.client import Client
from appliance.accounts.keys import Keys
from appliance.accounts.passwords import LONGEST, Passwords
from appliance.accounts.sessions import Sessions, Tokens
from appliance.accounts.store import User
from appliance.accounts.users import Users, checked_name
from appliance.database import Database
from appliance.errors import Conflict, Forbidden, Invalid, NotSignedIn, TooMany
from appliance.journal.entry import now_ms

log = logging.getLogger(__name__)

WAITING = 32
"""Sign-ins that may wait out a delay at the same time."""


class SignIn:
    def __init__(
        self,
        database: Database,
        keys: Keys,
        passwords: Passwords,
        sessions: Sessions,
        users: Users,
        state: Path,
        guests: bool,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self._database, self._keys, self._passwords = database, keys, passwords
        self._sessions, self._users, self._state = sessions, users, state
        self.guests = guests
        self._now = now
        self._waiting = 0

    async def by_password(self, username: str, password: str, client: Client) -> Tokens:
        """NotSignedIn, in the same words and time, for a wrong name and for a wrong password."""
        if len(password) > LONGEST * 5 or len(username) > 200:
            raise Invalid("password", "…", "this is longer than any password")
        key = store.username_key(username)
        async with self._database.write() as connection:
            found = await store.user_by_name(connection, username)
            claimed = await self._throttle_keys(connection, found, key, client)
            delay = await throttle.claim(connection, claimed, self._now())
        await self._wait(delay)
        if not await self._passwords.matches(password, found[1] if found else None) or found is None:
            # Without the name: people type their password there.
            log.warning("a wrong name or password from %s", client.address)
            raise NotSignedIn("That name and password do not go together.")
        person, hashed = found
        async with self._database.write() as connection:
            again = await store.user(connection, person.id)
            if again is None or again[1] != hashed:
                raise NotSignedIn("That name and password do not go together.")
            await throttle.forgive(connection, claimed)
            await store.change_user(connection, person.id, last_login_at=self._now())
            return await self._sessions.begin(connection, again[0], client, "password")

    async def _throttle_keys(
        self, connection: AsyncConnection, found: tuple[User, str] | None, key: str, client: Client
    ) -> list[str]:
        device = tokens.read_device_token(self._keys, client.device_token)
        if device and found and await store.knows_device(connection, device, found[0].id):
            return [f"device:{device}:{found[0].id}"]
        return [f"address:{client.neighbourhood}", f"account:{key[:80]}"]

    async def _wait(self, delay: float) -> None:
        if not delay:
            return
        if self._waiting >= WAITING:
            raise TooMany("attempts", delay)
        self._waiting += 1
        try:
            await asyncio.sleep(delay)
        finally:
            self._waiting -= 1

    async def by_setup_code(self, code: str, username: str, password: str, client: Client) -> Tokens:
        """Makes the first admin. Forbidden for a wrong code, and when there is an admin already."""
        name = checked_name(username)
        async with self._database.read() as connection:
            if await store.count_users(connection, Role.ADMIN):
                raise Forbidden("Mantel is set up already.")
        hashed = await self._passwords.hash(password)
        wrong = Forbidden("That is not the setup code. It stands in the terminal, or the file setup-code.")
        async with self._database.write() as connection:
            if await store.count_users(connection, Role.ADMIN):
                raise Forbidden("Mantel is set up already.")
            if await setup_code.try_code(connection, self._state, code, self._now()):
                person = await self._users.add(connection, name, hashed, Role.ADMIN)
                await setup_code.close_setup(connection, self._state)
                return await self._sessions.begin(connection, person, client, "setup")
        raise wrong

    async def as_guest(self, client: Client) -> Tokens:
        """Forbidden unless the household lets guests in."""
        if not self.guests:
            raise Forbidden("Guests are not let in here.")
        async with self._database.write() as connection:
            if not await store.count_users(connection):
                raise Conflict("Set Mantel up first.")
            delay = await throttle.claim(connection, [f"guest:{client.neighbourhood}"], self._now())
        await self._wait(delay)
        async with self._database.write() as connection:
            return await self._sessions.begin(connection, None, client, "guest")
