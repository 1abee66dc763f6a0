"""Signing in another device by a QR code.

Rules:
1. The secret stands in the link's fragment, so that no log, proxy or preview meets it; good for two minutes.
2. The account is chosen before the code is shown, and is never the issuer's unless the issuer says so.
3. The first claim wins. A second one is an alarm: what is not confirmed yet is over.
4. The claiming device shows a number; the issuer picks it out of three. A wrong pick ends the pairing.
5. Pairings live in memory: a restart ends them, and so does a raised auth epoch.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from appliance.accounts import store
from appliance.accounts.caller import Caller, Role
from appliance.accounts.client import Client, device_name
from appliance.accounts.door_bell import DoorBell
from appliance.accounts.ids import new_id
from appliance.accounts.sessions import Sessions, Tokens
from appliance.database import Database
from appliance.errors import Conflict, Forbidden, NotFound, TooMany
from appliance.journal.entry import now_ms
from appliance.units import MINUTES

log = logging.getLogger(__name__)

LIFE = 2 * MINUTES
SECRET_BYTES = 16
MOST = 16
"""Pairings open at the same time."""

State = Literal["open", "claimed", "allowed", "done", "refused", "alarm"]


@dataclass
class Pairing:
    """One shown code. Times: epoch milliseconds."""

    id: str
    issuer_session: str
    user_id: str
    username: str
    epoch: int
    expires_at: int
    secret: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES))
    state: State = "open"
    claim: str = field(repr=False, default="")
    number: int = 0
    numbers: tuple[int, ...] = ()
    device: str = ""
    address: str = ""


class Pairings:
    def __init__(
        self, database: Database, sessions: Sessions, door_bell: DoorBell, now: Callable[[], int] = now_ms
    ) -> None:
        self._database, self._sessions, self._now = database, sessions, now
        self._door_bell = door_bell
        self._open: dict[str, Pairing] = {}

    async def issue(self, caller: Caller, user_id: str) -> Pairing:
        """A code for `user_id`: anybody's for an admin, one's own for everybody. One at a time each."""
        if user_id != caller.user_id and not caller.may(Role.ADMIN):
            raise Forbidden("Only an admin may pair a device for somebody else.")
        async with self._database.read() as connection:
            found = await store.user(connection, user_id)
            epoch = await store.epoch(connection)
        if found is None:
            raise NotFound("user", user_id)
        self._sweep()
        for old in [p for p in self._open.values() if p.issuer_session == caller.session_id]:
            del self._open[old.id]
        if len(self._open) >= MOST:
            raise TooMany("pairings", LIFE)
        pairing = Pairing(
            new_id("p"),
            caller.session_id or "",
            user_id,
            found[0].username,
            epoch,
            self._now() + LIFE * 1000,
        )
        self._open[pairing.id] = pairing
        self._door_bell.pairing(pairing.id, pairing.state)
        return pairing

    def claim(self, pairing_id: str, secret: str, client: Client) -> Pairing:
        """The scanning device says that it is there. Forbidden for a wrong, old or claimed code."""
        self._sweep()
        pairing = self._open.get(pairing_id)
        if pairing is None or not hmac.compare_digest(pairing.secret.encode(), secret.encode()):
            raise Forbidden("This code is not good any more. Ask for a new one.")
        if pairing.state != "open":
            log.warning("a second device (%s) claimed a pairing code", client.address)
            pairing.state = "alarm"
            self._door_bell.pairing(pairing.id, pairing.state)
            self._door_bell.alarm(
                "pairing",
                username=pairing.username,
                device=device_name(client.user_agent),
                address=client.address,
            )
            raise Forbidden("Another device used this code before. Ask for a new one.")
        pairing.state = "claimed"
        pairing.claim = secrets.token_urlsafe(32)
        pairing.number, *others = secrets.SystemRandom().sample(range(10, 100), 3)
        pairing.numbers = tuple(sorted((pairing.number, *others)))
        pairing.device, pairing.address = device_name(client.user_agent), client.address
        self._door_bell.pairing(pairing.id, pairing.state)
        return pairing

    def seen_by_issuer(self, pairing_id: str, caller: Caller) -> Pairing:
        """How it stands, for who issued it. NotFound for everybody else."""
        self._sweep()
        pairing = self._open.get(pairing_id)
        if pairing is None or pairing.issuer_session != caller.session_id:
            raise NotFound("pairing", pairing_id)
        return pairing

    def confirm(self, pairing_id: str, number: int, caller: Caller) -> Pairing:
        """The issuer picks the number that the other device shows."""
        pairing = self.seen_by_issuer(pairing_id, caller)
        if pairing.state != "claimed":
            raise Conflict(f"This pairing is {pairing.state}.")
        pairing.state = "allowed" if number == pairing.number else "refused"
        self._door_bell.pairing(pairing.id, pairing.state)
        return pairing

    def cancel(self, pairing_id: str, caller: Caller) -> None:
        self.seen_by_issuer(pairing_id, caller)
        del self._open[pairing_id]
        self._door_bell.ring("pairing")

    async def finish(self, pairing_id: str, claim: str, client: Client) -> Tokens | None:
        """The device's sign-in once it is confirmed; None while it waits. Forbidden when it is over."""
        self._sweep()
        pairing = self._open.get(pairing_id)
        over = Forbidden("This pairing is over. Ask for a new code.")
        if pairing is None or not pairing.claim or not hmac.compare_digest(pairing.claim, claim):
            raise over
        if pairing.state == "claimed":
            return None
        if pairing.state != "allowed":
            raise over
        pairing.state = "done"
        self._door_bell.pairing(pairing.id, pairing.state)
        async with self._database.write() as connection:
            found = await store.user(connection, pairing.user_id)
            if found is None or await store.epoch(connection) != pairing.epoch:
                raise over
            return await self._sessions.begin(connection, found[0], client, "pairing")

    def list(self) -> tuple[Pairing, ...]:
        """All that are open, for the page that shows who can get in."""
        self._sweep()
        return tuple(self._open.values())

    def end_all(self) -> None:
        self._open.clear()

    def _sweep(self) -> None:
        now = self._now()
        for pairing in [p for p in self._open.values() if p.expires_at <= now]:
            del self._open[pairing.id]
