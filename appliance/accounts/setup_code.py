"""The one-time code that makes the first admin.

It lies in the state folder (0600) for whoever can read that, good for a day and five tries over all
addresses; the database holds its hash. The code is spent and the admin made in one transaction.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts import store
from appliance.accounts.keys import write_private
from appliance.errors import Forbidden
from appliance.units import HOURS

log = logging.getLogger(__name__)

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""30 characters that are not taken for one another."""
GROUPS, GROUP = 3, 4
"""12 characters: 58 bits."""
LIFE = 24 * HOURS
TRIES = 5
FILE = "setup-code"


def new_code() -> str:
    letters = [secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(letters[i : i + GROUP]) for i in range(0, len(letters), GROUP))


def _hash(code: str) -> str:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


async def open_setup(connection: AsyncConnection, folder: Path, now: int) -> str:
    """The code that is good now; a new one when there is none, or the old one is worn out."""
    held = await store.state(connection, "setup") or {}
    file = folder / FILE
    if held.get("tries", 0) < TRIES and now - held.get("made_at", 0) < LIFE * 1000 and file.exists():
        code = file.read_text().strip()
        if secrets.compare_digest(_hash(code), held.get("hash", "")):
            return code
    code = new_code()
    write_private(file, code.encode() + b"\n")
    await store.set_state(connection, "setup", {"hash": _hash(code), "made_at": now, "tries": 0})
    return code


async def try_code(connection: AsyncConnection, folder: Path, code: str, now: int) -> bool:
    """Whether the code is right; a wrong try is counted, and the fifth makes a new code."""
    held = await store.state(connection, "setup")
    if not held or "hash" not in held:
        raise Forbidden("Mantel is set up already.")
    if now - held["made_at"] >= LIFE * 1000:
        await open_setup(connection, folder, now)
        return False
    if secrets.compare_digest(_hash(code), held["hash"]):
        return True
    await store.set_state(connection, "setup", held | {"tries": held["tries"] + 1})
    if held["tries"] + 1 >= TRIES:
        await open_setup(connection, folder, now)
        log.warning("five wrong setup codes; a new one lies in %s", folder / FILE)
    return False


async def close_setup(connection: AsyncConnection, folder: Path) -> None:
    """Setup is done for good: there is an admin."""
    await store.set_state(connection, "setup", {"done": True})
    (folder / FILE).unlink(missing_ok=True)
