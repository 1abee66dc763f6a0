"""The journal: what the features call to have a thing remembered."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Caller
from appliance.database import Database
from appliance.errors import Unavailable
from appliance.journal import store
from appliance.journal.entry import ABOUT_THE_HOUSE, Entry, now_ms
from appliance.journal.playing import Playing, PlayingBook
from appliance.journal.reading import Person, Wanted, people, read
from appliance.journal.span import Downloading, Sending, SpanBook
from appliance.units import DAYS, HOURS

log = logging.getLogger(__name__)

BATCH_ROWS = 200
BATCH_SECONDS = 0.25
PLAYING_EACH = 4
"""Turns of BATCH_SECONDS after which it is looked what plays now: with 200 streams that takes half a ms."""
FORGET_EACH = 1 * HOURS
LAST_SEQ = 2**62
WAITING_ROWS = 2_000
"""A full queue makes its callers wait; nothing is dropped."""


class Journal:
    """`add` inside a transaction, or `keep` with the next batch, for what must not be lost; `note` for what a
    crash may cost.

    `recorded(user_id)` says whether a person wants to be recorded at all; `on_playing(count)` is told when
    something began or ended to play. `keep_days`: how long rows are kept at least; what the daemon has not
    read is kept longer. Without a daemon (`is_read` False) nobody has to read them.
    """

    def __init__(
        self,
        database: Database,
        recorded: Callable[[str], Awaitable[bool]] | None = None,
        now: Callable[[], int] = now_ms,
        on_playing: Callable[[int], None] = lambda _count: None,
        *,
        keep_days: int = 90,
        is_read: bool = True,
    ) -> None:
        self._database = database
        self.keep_days, self._is_read = keep_days, is_read
        self._forgot_at = -FORGET_EACH * 1000
        self._on_playing = on_playing
        self._recorded = recorded
        self._queue: asyncio.Queue[Entry] = asyncio.Queue(WAITING_ROWS)
        self._unwritten: dict[str, Entry] = {}
        self._keeping: list[asyncio.Future[None]] = []
        self._spans = SpanBook(now)
        self._playing = PlayingBook(now, self._spans.spans)
        self._task: asyncio.Task[None] | None = None
        self.marks = 0
        """Rises with each position, favourite and count of plays that is written."""
        self.appended = asyncio.Event()
        """Set when rows were committed; the feed clears it."""

    async def start(self) -> None:
        async with self._database.write() as connection:
            await store.epoch(connection)
        self._task = asyncio.create_task(self._flush_forever(), name="journal")

    async def stop(self) -> None:
        """Writes what waits, and closes the spans."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._flush(final=True)

    async def add(self, connection: AsyncConnection, *entries: Entry) -> None:
        """Write entries in the caller's transaction."""
        await store.append(connection, await self._allowed(entries))
        self.appended.set()

    async def note(self, entry: Entry) -> None:
        """Write soon (BATCH_SECONDS); waits when too much is waiting."""
        self._playing.hear(entry)
        await self._queue.put(entry)

    async def keep(self, entries: Iterable[Entry]) -> None:
        """Returns when they are on the disk, with all that came in the same BATCH_SECONDS.

        Raises Unavailable when they could not be written; they are tried again all the same.
        """
        for entry in entries:
            await self.note(entry)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping.append(kept)
        await kept

    def span(self, caller: Caller, file_id: str, size_bytes: int, first_byte: int, source: str) -> Sending:
        """A body begins: call `sent(count)` as bytes leave, `close()` in the end. `source`: web, tv, cast."""
        return self._spans.open(caller, file_id, size_bytes, first_byte, source)

    def download(self, caller: Caller, file_id: str, size_bytes: int, first_byte: int) -> Downloading:
        """As `span`, for a body that is kept: it is a DOWNLOAD once the file's last byte has left."""
        return Downloading(self._spans, caller, file_id, size_bytes, first_byte)

    async def set_position(self, user_id: str, file_id: str, seconds: float) -> None:
        async with self._database.write() as connection:
            await store.set_position(connection, user_id, file_id, max(0.0, seconds))
        self.marks += 1

    async def position(self, user_id: str, file_id: str) -> float | None:
        """Seconds into the file where this person stopped."""
        async with self._database.read() as connection:
            return await store.position(connection, user_id, file_id)

    async def marks_on(
        self, user_id: str | None, file_ids: Collection[str]
    ) -> tuple[dict[str, float], set[str]]:
        """Where this person stopped in these files (id → seconds), and which of them are favourites."""
        if user_id is None or not file_ids:
            return {}, set()
        async with self._database.read() as connection:
            return await store.marks(connection, user_id, file_ids)

    async def recent_positions(self, user_id: str, limit: int = 20) -> list[tuple[str, float]]:
        async with self._database.read() as connection:
            return await store.recent_positions(connection, user_id, limit)

    async def set_favourite(self, user_id: str, file_id: str, on: bool) -> None:
        async with self._database.write() as connection:
            await store.set_favourite(connection, user_id, file_id, on)
        self.marks += 1

    async def favourites(self, user_id: str, limit: int = 200) -> list[str]:
        async with self._database.read() as connection:
            return await store.favourite_ids(connection, user_id, limit)

    async def set_popularity(self, counts: Iterable[tuple[str, int]]) -> None:
        """Plays a file, whole list at once, as the daemon counted them."""
        async with self._database.write() as connection:
            await store.replace_popularity(connection, counts)
        self.marks += 1

    async def read(self, wanted: Wanted, own: bool) -> list[dict[str, Any]]:
        """Entries as people read them, newest first."""
        async with self._database.read() as connection:
            return await read(connection, wanted, own)

    async def playing(self) -> list[tuple[Playing, Person | None]]:
        """What plays now, with who plays it (None: nobody with an account).

        Whoever is not recorded is left out.
        """
        items = self._playing.items()
        async with self._database.read() as connection:
            known = await people(connection, {one.user_id for one in items if one.user_id})
        found = [(one, known.get(one.user_id or "")) for one in items]
        return [(one, person) for one, person in found if person is None or person.privacy != "off"]

    async def forget_old(self, through: int) -> int:
        """Drop rows beyond `keep_days` that were read, now and then; returns how many. `through`: a seq."""
        now = now_ms()
        if now - self._forgot_at < FORGET_EACH * 1000:
            return 0
        self._forgot_at = now
        async with self._database.write() as connection:
            return await store.forget(connection, now - self.keep_days * DAYS * 1000, through)

    async def _allowed(self, entries: Iterable[Entry]) -> list[Entry]:
        if self._recorded is None:
            return list(entries)
        return [
            entry
            for entry in entries
            if entry.user_id is None or entry.action in ABOUT_THE_HOUSE or await self._recorded(entry.user_id)
        ]

    async def _flush_forever(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(BATCH_SECONDS)
            if turn % PLAYING_EACH == 0 and self._playing.changed():
                self._on_playing(len(self._playing.items()))
            try:
                await self._flush()
                if not self._is_read:
                    await self.forget_old(LAST_SEQ)
            except Exception:
                log.exception("could not write to the journal; trying again")
                self._tell_keepers(Unavailable("The journal", "it cannot be written; trying again"))
                await asyncio.sleep(1)

    def _tell_keepers(self, error: Exception | None) -> None:
        keeping, self._keeping = self._keeping, []
        for kept in keeping:
            if kept.cancelled():
                continue
            if error:
                kept.set_exception(error)
            else:
                kept.set_result(None)

    async def _flush(self, final: bool = False) -> None:
        while True:
            while not self._queue.empty() and len(self._unwritten) < BATCH_ROWS:
                entry = self._queue.get_nowait()
                self._unwritten[entry.event_id] = entry
            for entry in self._spans.due(final):
                self._unwritten[entry.event_id] = entry
            if not self._unwritten:
                self._tell_keepers(None)
                return
            async with self._database.write() as connection:
                await store.append(connection, await self._allowed(self._unwritten.values()))
            self._unwritten.clear()
            self.appended.set()
