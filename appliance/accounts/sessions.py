"""Signed-in devices: begun, renewed, recognised, ended.

Rules:
1. A session is valid only on the channel (TLS or plain) that made it, and only in its auth epoch.
2. The role is read from the person's row, never from the token; what is known is at most CACHE old, of the
   token and of the session.
3. A refresh token is spent at its first use. Used again within GRACE by the same address and agent it gives
   the same successor (a lost reply, a second tab); otherwise the whole session ends.
4. Ending a session cuts what runs for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts import store, tokens
from appliance.accounts.caller import Caller, Role, Via, calling_or_none
from appliance.accounts.client import Client, device_name
from appliance.accounts.door_bell import DoorBell
from appliance.accounts.ids import new_id
from appliance.accounts.keys import Keys
from appliance.accounts.running import Running
from appliance.accounts.store import Session, User
from appliance.database import Database
from appliance.errors import NotFound, NotSignedIn
from appliance.journal.entry import Action, Entry, now_ms
from appliance.journal.journal import Journal
from appliance.units import SECONDS

log = logging.getLogger(__name__)

CACHE = 1 * SECONDS
MOST_TOKENS = 10_000
GRACE = 20 * SECONDS
SEEN_STEP = 60 * SECONDS
"""How coarse `last_seen_at` is, so that reading does not write."""
WATCH = 0.5 * SECONDS


@dataclass(frozen=True)
class Tokens:
    """What a successful sign-in or refresh hands out."""

    session: Session
    access: str
    refresh: str
    device: str


class Sessions:
    """One object for the whole process; `running` is shared with whoever sends long bodies."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        journal: Journal,
        door_bell: DoorBell,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self._database, self._keys, self._journal, self._now = database, keys, journal, now
        self._door_bell = door_bell
        self.running = Running()
        self._known: dict[str, tuple[float, Session | None, int]] = {}
        self._access: dict[str, tuple[float, tokens.Access]] = {}
        self._asking: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def begin(
        self, connection: AsyncConnection, user: User | None, client: Client, method: str, name: str = ""
    ) -> Tokens:
        """A new session in the caller's transaction; `user` None is a guest."""
        now = self._now()
        device = tokens.read_device_token(self._keys, client.device_token) or new_id("d")
        session = Session(
            id=secrets.token_hex(16),
            user_id=user.id if user else None,
            username=user.username if user else store.GUEST_NAME,
            role=user.role if user else Role.GUEST,
            device=device,
            device_name=(name or device_name(client.user_agent))[:80],
            channel=client.channel,
            method=method,
            epoch=await store.epoch(connection),
            issued_at=now,
            expires_at=now + tokens.REFRESH_LIFE * 1000,
            last_seen_at=now,
            address=client.address[:45],
            user_agent=client.user_agent[:200],
            revoked=False,
            counter=0,
            rotated_at=None,
            rotated_address=None,
            rotated_agent=None,
        )
        jwt_id = tokens.new_token_id()
        await store.add_session(connection, session, jwt_id)
        entry = Entry(
            Action.SIGN_IN,
            user_id=session.user_id,
            device=device,
            ip=client.address,
            user_agent=client.user_agent,
            payload={"method": method},
        )
        await self._journal.add(connection, entry)
        self._door_bell.ring("session")
        return self._tokens(session, jwt_id)

    async def refresh(self, token: str, client: Client) -> Tokens:
        """A new pair for a refresh token. NotSignedIn when it is not good, and then the session is over."""
        said = tokens.read_refresh_token(self._keys, token)
        if said is None:
            raise NotSignedIn("This sign-in has ended.")
        session_id, counter = said
        now = self._now()
        async with self._database.write() as connection:
            session = await store.session(connection, session_id)
            if session is None or not await self._stands(connection, session, client):
                raise NotSignedIn("This sign-in has ended.")
            jwt_id = tokens.new_token_id()
            renewed = {
                "jwt_id": jwt_id,
                "expires_at": now + tokens.REFRESH_LIFE * 1000,
                "last_seen_at": now,
                "rotated_at": now,
                "rotated_address": client.address[:45],
                "rotated_agent": client.user_agent[:200],
            }
            if await store.rotate(connection, session_id, counter, **renewed):
                return self._tokens(replace(session, counter=counter + 1), jwt_id)
            if self._is_lost_reply(session, counter, client, now):
                return self._tokens(session, jwt_id)
            await store.revoke(connection, session_id)
        log.warning("a spent refresh token came back from %s; session ended", client.address)
        self._door_bell.alarm(
            "refresh", username=session.username, device=session.device_name, address=client.address
        )
        self._forget(session_id)
        raise NotSignedIn("This sign-in has ended.")

    @staticmethod
    def _is_lost_reply(session: Session, counter: int, client: Client, now: int) -> bool:
        return (
            counter == session.counter - 1
            and session.rotated_at is not None
            and now - session.rotated_at <= GRACE * 1000
            and session.rotated_address == client.address[:45]
            and session.rotated_agent == client.user_agent[:200]
        )

    async def _stands(self, connection: AsyncConnection, session: Session, client: Client) -> bool:
        return (
            not session.revoked
            and session.expires_at > self._now()
            and session.epoch >= await store.epoch(connection)
            and session.channel == client.channel
        )

    async def caller(self, token: str, via: Via, client: Client) -> Caller | None:
        """Who an access token stands for on this channel now; None when it stands for nobody."""
        said = self._read(token)
        if said is None:
            return None
        session, epoch = await self._known_session(said.session_id)
        if (
            session is None
            or session.revoked
            or session.channel != client.channel
            or min(session.epoch, said.epoch) < epoch
        ):
            return None
        await self._note_seen(session)
        return Caller(
            user_id=session.user_id,
            name=session.username,
            role=session.role,
            via=via,
            session_id=session.id,
            device=session.device,
            address=client.address,
            user_agent=client.user_agent[:200],
        )

    def _read(self, token: str) -> tokens.Access | None:
        """What a live access token says; None for any other. A player asks for many parts by one token."""
        now = time.monotonic()
        if (held := self._access.get(token)) and now - held[0] < CACHE:
            return held[1]
        said = tokens.read_access_token(self._keys, token)
        if said:
            if len(self._access) > MOST_TOKENS:
                self._access.clear()
            self._access[token] = (now, said)
        return said

    async def _known_session(self, session_id: str) -> tuple[Session | None, int]:
        if held := self._held(session_id):
            return held
        # A page asks for everything at once: the first of its requests asks the database, the others wait.
        async with self._asking.setdefault(session_id, asyncio.Lock()):
            if held := self._held(session_id):
                return held
            async with self._database.read() as connection:
                session, epoch = await store.session(connection, session_id), await store.epoch(connection)
            if len(self._known) > MOST_TOKENS:
                self._known.clear()
            self._known[session_id] = (time.monotonic(), session, epoch)
            return session, epoch

    def _held(self, session_id: str) -> tuple[Session | None, int] | None:
        held = self._known.get(session_id)
        return held[1:] if held and time.monotonic() - held[0] < CACHE else None

    async def _note_seen(self, session: Session) -> None:
        now = self._now()
        if now - session.last_seen_at < SEEN_STEP * 1000:
            return
        if held := self._known.get(session.id):
            # Before the write, which takes its time: one request writes, not all that come meanwhile.
            self._known[session.id] = (held[0], replace(session, last_seen_at=now), held[2])
        async with self._database.write() as connection:
            await store.change_session(connection, session.id, last_seen_at=now)

    async def get(self, session_id: str) -> Session:
        async with self._database.read() as connection:
            session = await store.session(connection, session_id)
        if session is None:
            raise NotFound("session", session_id)
        return session

    async def sign_out(self, refresh: str | None) -> None:
        """End the session of a refresh token, or of the caller; neither is fine too."""
        said = tokens.read_refresh_token(self._keys, refresh) if refresh else None
        caller = calling_or_none()
        session_id = caller.session_id if caller else said[0] if said else None
        if session_id:
            async with self._database.write() as connection:
                await store.revoke(connection, session_id)
            self._forget(session_id)

    async def list(self, user_id: str | None = None) -> tuple[Session, ...]:
        """Signed-in devices of one person, or of all, last seen first."""
        async with self._database.read() as connection:
            return await store.live_sessions(connection, self._now(), user_id)

    async def device_names(self) -> dict[str, str]:
        """Device → name, of all that signed in lately, ended or not."""
        async with self._database.read() as connection:
            return await store.device_names(connection)

    async def end(self, session_id: str, of_user: str | None = None) -> None:
        """Sign a device out. NotFound when there is none, or it is not that person's."""
        async with self._database.write() as connection:
            session = await store.session(connection, session_id)
            if session is None or session.revoked or (of_user is not None and session.user_id != of_user):
                raise NotFound("session", session_id)
            await store.revoke(connection, session_id)
        self._forget(session_id)

    async def end_guests(self) -> None:
        """Guests are not let in any more: those who are in go."""
        for session in await self.list():
            if session.user_id is None:
                await self.end(session.id)

    async def end_all_of(self, connection: AsyncConnection, user_id: str, but: str | None = None) -> None:
        """End a person's sessions in the caller's transaction; what runs is cut at once."""
        ids = [found for found in await store.sessions_of(connection, user_id) if found != but]
        await store.revoke(connection, *ids)
        for session_id in ids:
            self._forget(session_id)

    def forget_person(self, session_ids: tuple[str, ...]) -> None:
        """Their role changed: ask the database anew, and end what runs by the old one."""
        for session_id in session_ids:
            self._forget(session_id)

    async def lockdown(self) -> None:
        """End every session at once by raising the auth epoch."""
        async with self._database.write() as connection:
            await store.set_state(connection, "epoch", await store.epoch(connection) + 1)
        self._known.clear()
        for session_id in self.running.sessions():
            self.running.cut(session_id)

    def _forget(self, session_id: str) -> None:
        self._door_bell.ring("session")
        self._known.pop(session_id, None)
        self.running.cut(session_id)

    async def watch(self) -> None:
        """Ends what runs for sessions that another process ended (`mantel lockdown`); runs on."""
        async for _ in self._database.writes(WATCH):
            # What has a colon is no session: a link's, say.
            ids = {found for found in self.running.sessions() if ":" not in found}
            if not ids:
                continue
            with contextlib.suppress(Exception):
                async with self._database.read() as connection:
                    live = {s.id for s in await store.live_sessions(connection, 0)}
                for session_id in ids - live:
                    self._forget(session_id)

    def _tokens(self, session: Session, jwt_id: str) -> Tokens:
        return Tokens(
            session=session,
            access=tokens.access_token(self._keys, session.id, session.epoch, jwt_id),
            refresh=tokens.refresh_token(self._keys, session.id, session.counter),
            device=tokens.device_token(self._keys, session.device),
        )
