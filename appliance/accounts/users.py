"""People: made, listed, changed, removed. There is always an admin left."""

from __future__ import annotations

import logging
import unicodedata

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts import store, throttle
from appliance.accounts.caller import Role
from appliance.accounts.door_bell import DoorBell
from appliance.accounts.ids import new_id
from appliance.accounts.passwords import Passwords
from appliance.accounts.sessions import Sessions
from appliance.accounts.store import User
from appliance.database import Database
from appliance.errors import Conflict, Invalid, NotFound
from appliance.journal.entry import Action, Entry, now_ms
from appliance.journal.journal import Journal

log = logging.getLogger(__name__)

LONGEST_NAME = 40
PRIVACY = ("full", "anonymous", "off")


class Users:
    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        journal: Journal,
        door_bell: DoorBell,
    ) -> None:
        self._door_bell = door_bell
        self._database, self._passwords = database, passwords
        self._sessions, self._journal = sessions, journal

    async def list(self) -> tuple[User, ...]:
        async with self._database.read() as connection:
            return await store.all_users(connection)

    async def get(self, user_id: str) -> User:
        async with self._database.read() as connection:
            return (await _found(connection, user_id))[0]

    async def create(self, username: str, password: str, role: Role) -> User:
        """Conflict when the name is taken, whatever its case."""
        name = checked_name(username)
        hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            return await self.add(connection, name, hashed, role)

    async def add(self, connection: AsyncConnection, username: str, hashed: str, role: Role) -> User:
        """In the caller's transaction, with a checked name and a ready hash."""
        if await store.user_by_name(connection, username):
            raise Conflict(f"{username} has an account already.")
        person = User(new_id("u"), username, role, "full", now_ms(), None)
        await store.add_user(connection, person, hashed)
        await self._journal.add(connection, _changed(person))
        self._door_bell.ring("user")
        return person

    async def change(
        self,
        user_id: str,
        *,
        username: str | None = None,
        role: Role | None = None,
        password: str | None = None,
        privacy: str | None = None,
        keep_session: str | None = None,
    ) -> User:
        """Only what is given changes. A new password ends the person's sessions but `keep_session`."""
        columns: dict[str, object] = {}
        if username is not None:
            columns["username"] = checked_name(username)
            columns["username_key"] = store.username_key(checked_name(username))
        if privacy is not None:
            if privacy not in PRIVACY:
                raise Invalid("privacy", privacy, f"one of {', '.join(PRIVACY)} is allowed")
            columns["privacy"] = privacy
        if password is not None:
            columns["password_hash"] = await self._passwords.hash(password)
        async with self._database.write() as connection:
            person, _ = await _found(connection, user_id)
            if role is not None and role is not person.role:
                if role is Role.GUEST:
                    raise Invalid("role", "guest", "a person is viewer, editor or admin")
                await _keep_an_admin(connection, person)
                columns["role"] = int(role)
            if username is not None:
                other = await store.user_by_name(connection, str(columns["username"]))
                if other and other[0].id != user_id:
                    raise Conflict(f"{username} has an account already.")
            if columns:
                await store.change_user(connection, user_id, **columns)
            if password is not None:
                await self._sessions.end_all_of(connection, user_id, but=keep_session)
            changed, _ = await _found(connection, user_id)
            if changed != person:
                await self._journal.add(connection, _changed(changed))
            affected = await store.sessions_of(connection, user_id)
        if columns:
            self._door_bell.ring("user")
        if "role" in columns:
            self._sessions.forget_person(affected)
        return changed

    async def remove(self, user_id: str) -> None:
        """The account, its sessions and what runs for them. Conflict for the last admin."""
        async with self._database.write() as connection:
            person, _ = await _found(connection, user_id)
            await _keep_an_admin(connection, person)
            await self._sessions.end_all_of(connection, user_id)
            await store.delete_user(connection, user_id)
            await self._journal.add(connection, Entry(Action.USER_DELETED, user_id=user_id))
        self._door_bell.ring("user")

    async def check_password(self, user_id: str, password: str) -> None:
        """Invalid when it is not this person's."""
        async with self._database.read() as connection:
            _, hashed = await _found(connection, user_id)
        if not await self._passwords.matches(password, hashed):
            raise Invalid("old_password", "…", "your present password is needed")

    async def reset(self, username: str, password: str) -> User:
        """A new password from the command line; ends the person's sessions and lifts throttles."""
        async with self._database.read() as connection:
            found = await store.user_by_name(connection, username)
        if found is None:
            raise NotFound("user", username)
        person = await self.change(found[0].id, password=password)
        async with self._database.write() as connection:
            await throttle.lift(connection, store.username_key(username))
        return person


def _changed(person: User) -> Entry:
    """What the analytics daemon must know of a person."""
    said = {"name": person.username, "role": person.role.name.lower(), "privacy": person.privacy}
    return Entry(Action.USER_CHANGED, user_id=person.id, payload=said)


async def _found(connection: AsyncConnection, user_id: str) -> tuple[User, str]:
    found = await store.user(connection, user_id)
    if found is None:
        raise NotFound("user", user_id)
    return found


async def _keep_an_admin(connection: AsyncConnection, person: User) -> None:
    if person.role is Role.ADMIN and await store.count_users(connection, Role.ADMIN) < 2:
        raise Conflict(f"{person.username} is the only admin; make another one first.")


def checked_name(username: str) -> str:
    """The name in NFC. Invalid for one that is empty, too long, or holds what cannot be seen."""
    name = unicodedata.normalize("NFC", username).strip()
    if not 0 < len(name) <= LONGEST_NAME or any(unicodedata.category(c)[0] == "C" for c in name):
        raise Invalid("username", username, f"1 to {LONGEST_NAME} visible characters are allowed")
    return name


def parse_role(word: str) -> Role:
    """`viewer`, `editor` or `admin`."""
    roles = {role.name.lower(): role for role in Role if role is not Role.GUEST}
    if word not in roles:
        raise Invalid("role", word, f"one of {', '.join(roles)} is allowed")
    return roles[word]
