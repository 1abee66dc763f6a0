"""The feed: sends the log to the analytics daemon, from where the daemon says that it has read to.

At least once and in order; the daemon tells repeats by event id. Days without it cost nothing: the
rows wait in `access_log`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp

from appliance.database import Database
from appliance.journal import store
from appliance.journal.entry import feed_event
from appliance.journal.journal import Journal
from appliance.settings import Secret
from appliance.units import SECONDS

log = logging.getLogger(__name__)

BATCH_EVENTS = 500
SETTLE = 1 * SECONDS
"""How long events gather before they are sent."""
SHORTEST_PAUSE, LONGEST_PAUSE, LONGER = 0.5 * SECONDS, 20 * SECONDS, 1.2
"""Between two tries; a report shows an event within 30 s, also of those that waited for the daemon. Each is a
fifth longer than the one before: a daemon takes four seconds to start, and nothing is described before."""
REPLY_TIMEOUT = aiohttp.ClientTimeout(total=30 * SECONDS)


class FeedRefused(Exception):
    """The daemon answered with `status` and `text`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the analytics daemon answered {status}: {text[:200]}")
        self.status = status


class Feed:
    """Runs from `start` to `stop`. `base_url` is the daemon's, `token` the bearer that it wants."""

    def __init__(self, database: Database, journal: Journal, base_url: str, token: Secret) -> None:
        self._database, self._journal = database, journal
        self._url, self._token = base_url, token
        self._task: asyncio.Task[None] | None = None
        self.through = 0
        """Seq that the daemon has read to; 0 until it was asked."""
        self.reached = False
        """Whether the last call to the daemon went well."""
        self._left = time.monotonic()

    @property
    def away(self) -> float:
        """Seconds since the daemon was last there, or since the start; 0 while it is."""
        return 0 if self.reached else time.monotonic() - self._left

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="feed")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        async with aiohttp.ClientSession(self._url, headers=headers, timeout=REPLY_TIMEOUT) as http:
            pause: float = SHORTEST_PAUSE
            told = False
            while True:
                try:
                    await self._send_all(http)
                    if not self.reached:
                        log.info("the analytics daemon has read to event %d", self.through)
                    self.reached, pause, told = True, SHORTEST_PAUSE, False
                    await self._journal.appended.wait()
                    await asyncio.sleep(SETTLE)
                except (aiohttp.ClientError, TimeoutError, OSError, FeedRefused, ValueError) as error:
                    if self.reached:
                        self.reached, self._left = False, time.monotonic()
                    if not told:
                        log.warning("events wait for the analytics daemon (%s)", error)
                        told = True
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, no secret)
                    pause = min(pause * LONGER, LONGEST_PAUSE)

    async def _send_all(self, http: aiohttp.ClientSession) -> None:
        """Send what is behind the daemon's cursor, batch by batch."""
        async with self._database.write() as connection:
            epoch = await store.epoch(connection)
        answer = await _json(http.get("/api/analytics/ingest/cursor", params={"epoch": epoch}))
        self.through = int(answer["through"])
        while True:
            self._journal.appended.clear()
            async with self._database.read() as connection:
                rows = await store.after(connection, self.through, BATCH_EVENTS)
            if not rows:
                break
            batch = {
                "epoch": epoch,
                "from": rows[0].seq,
                "to": rows[-1].seq,
                "events": [feed_event(row) for row in rows],
            }
            answer = await _json(http.post("/api/analytics/ingest", json=batch))
            for refused in answer.get("rejected", []):
                log.warning(
                    "the daemon set event %s aside: %s", refused.get("eventId"), refused.get("reason")
                )
            through = int(answer["through"])
            if through <= self.through:
                raise ValueError(f"the daemon's cursor stays at {through}")
            self.through = through
        await self._journal.forget_old(self.through)


async def _json(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Any:
    """The JSON of a 2xx answer. Raises FeedRefused for any other."""
    async with request as response:
        if response.status >= 300:
            raise FeedRefused(response.status, await response.text())
        return await response.json()
