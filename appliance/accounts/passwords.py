"""Passwords: hashed off the loop, by a pool that is small on purpose.

bcrypt refuses more than 72 bytes and stops at NUL, so it is given 64 characters made from the password by
HMAC-SHA384 under the pepper: a stolen database alone cannot be guessed at.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from appliance.errors import Invalid, TooMany
from appliance.units import SECONDS

T = TypeVar("T")

COST = 12
"""log2 of bcrypt's rounds: about a quarter of a second on a small machine."""
THREADS = 2
QUEUE = 8
SHORTEST, LONGEST = 8, 200
"""Characters of a password."""


class Passwords:
    """`hash` and `matches`, at most THREADS at a time and QUEUE waiting; TooMany beyond that."""

    def __init__(self, pepper: bytes, cost: int = COST) -> None:
        self._pepper, self._cost = pepper, cost
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bcrypt")
        self._inside = 0
        self._nobody = bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to store. Invalid for a password that is too short or too long."""
        check_password(password)
        prepared = self._prepare(password)
        hashed = await self._run(lambda: bcrypt.hashpw(prepared, bcrypt.gensalt(self._cost)))
        return hashed.decode()

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether it is the one. Takes as long for nobody (`hashed` None) as for somebody."""
        prepared = self._prepare(password)
        against = hashed.encode() if hashed else self._nobody
        right = await self._run(lambda: bcrypt.checkpw(prepared, against))
        return right and hashed is not None

    def _prepare(self, password: str) -> bytes:
        text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
        return base64.b64encode(hmac.digest(self._pepper, text, "sha384"))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._inside >= THREADS + QUEUE:
            raise TooMany("people signing in", 5 * SECONDS)
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1


def check_password(password: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid("password", "…", f"{SHORTEST} to {LONGEST} characters are allowed")
