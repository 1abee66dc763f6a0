"""Guessing is slowed down; nobody is ever locked out.

Rules:
1. An attempt is counted before the password is looked at, so that many at once gain nothing.
2. An address is delayed, and after many failures refused for some minutes. An account is only ever delayed.
3. A device on which this person signed in before has an allowance of its own, so that a stranger's guesses
   do not slow down the household.
4. Counts live in the database: a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.tables import throttles
from appliance.errors import TooMany
from appliance.units import MINUTES, SECONDS

FREE = 5
"""Failures that cost nothing."""
FIRST_DELAY, LONGEST_DELAY = 0.25 * SECONDS, 5 * SECONDS
BAN_AFTER, BAN = 20, 5 * MINUTES
FORGET = 10 * MINUTES
"""Without a further failure for so long, all is forgotten."""


@dataclass(frozen=True)
class Tally:
    """What is held against a key. Times: epoch milliseconds."""

    failures: int = 0
    last_at: int = 0
    banned_until: int = 0


def count(tally: Tally, now: int, bans: bool) -> tuple[Tally, float]:
    """The tally with one more failure, and the seconds to wait before looking. TooMany while banned."""
    if bans and tally.banned_until > now:
        raise TooMany("attempts", (tally.banned_until - now) / 1000)
    if now - tally.last_at > FORGET * 1000:
        tally = Tally()
    failures = tally.failures + 1
    delay = 0.0
    if failures > FREE:
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - FREE - 1, 20))
    banned = now + BAN * 1000 if bans and failures >= BAN_AFTER else 0
    return replace(tally, failures=failures, last_at=now, banned_until=banned), delay


async def claim(connection: AsyncConnection, keys: Sequence[str], now: int) -> float:
    """Count an attempt under each key; seconds to wait. TooMany when one of them is banned.

    Keys that begin with `account:` are delayed and never banned.
    """
    longest = 0.0
    for key in keys:
        row = (await connection.execute(select(throttles).where(throttles.c.key == key))).one_or_none()
        held = Tally(row.failures, row.last_at, row.banned_until) if row else Tally()
        tally, delay = count(held, now, bans=not key.startswith("account:"))
        values = {
            "failures": tally.failures,
            "last_at": tally.last_at,
            "banned_until": tally.banned_until,
        }
        if row:
            await connection.execute(update(throttles).where(throttles.c.key == key).values(values))
        else:
            await connection.execute(insert(throttles).values(key=key, **values))
        longest = max(longest, delay)
    return longest


async def forgive(connection: AsyncConnection, keys: Sequence[str]) -> None:
    """The attempt was right: forget it for an address, and all failures of the account and device."""
    for key in keys:
        if key.startswith("address:"):
            # Only this attempt: a guesser with an account of their own must not wipe the slate.
            await connection.execute(
                update(throttles)
                .where(throttles.c.key == key, throttles.c.failures > 0)
                .values(failures=throttles.c.failures - 1)
            )
        else:
            await connection.execute(delete(throttles).where(throttles.c.key == key))


async def lift(connection: AsyncConnection, username_key: str | None = None) -> None:
    """All throttles, or one account's and every address's: for `mantel user reset`."""
    query = delete(throttles)
    if username_key is not None:
        query = query.where(
            (throttles.c.key == f"account:{username_key}")
            | throttles.c.key.startswith("address:")
            | throttles.c.key.startswith("device:")
        )
    await connection.execute(query)


async def sweep(connection: AsyncConnection, now: int) -> None:
    """Forget what is too old to matter."""
    await connection.execute(
        delete(throttles).where(throttles.c.last_at < now - FORGET * 1000, throttles.c.banned_until < now)
    )
