"""One showing: somebody's queue on one player, from the first load to its end.

Rules:
1. What the player tells comes in one at a time; while a file is being loaded, nothing is judged.
2. Positions are the play of the person who cast: from the first one, each PING seconds, and at each turn.
3. A player that is lost is waited for; if it comes back within COMES_BACK the film goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import StrEnum

from appliance.casting.judgement import Seen, Verdict, follow, judge
from appliance.casting.player import Connection
from appliance.casting.queue import Queue
from appliance.casting.store import ShowingRow
from appliance.errors import MantelError, Unavailable
from appliance.library.items import File
from appliance.library.items import Kind as FileKind
from appliance.units import MINUTES, SECONDS
from dlna.casting.playback import Media, Playback, PlayerError, Transport

log = logging.getLogger(__name__)

PING = 10 * SECONDS
TICK = 1 * SECONDS
SLIDE = 8 * SECONDS
"""How long a photo of a series stays."""
COMES_BACK = 3 * MINUTES
FAILURES = 3
"""Files in a row that do not play; then the showing ends."""


class Stage(StrEnum):
    WAKING = "waking"
    """The player is asleep or away; it was asked to wake."""
    STARTING = "starting"
    SHOWING = "showing"
    LOST = "lost"
    """The player answers no more; it may come back."""
    ENDED = "ended"


class Showing:
    """Made by `Casting.play`. The callables are its ways out, so that it knows no store and no network.

    `describe(file_id)` gives the file as the person who cast may see it, and what the player is told of it;
    `note(showing, state, seconds)` takes positions; `changed(showing)` tells pages and the store.
    """

    def __init__(
        self,
        row: ShowingRow,
        describe: Callable[[Showing, str], Awaitable[tuple[File, Media]]],
        note: Callable[[Showing, str, float], Awaitable[None]],
        changed: Callable[[Showing], Awaitable[None]],
    ) -> None:
        self.row = row
        self._describe, self._note, self._changed = describe, note, changed
        self.queue = row.queue
        self.stage = Stage.STARTING
        self.file: File | None = None
        self.error: str | None = None
        self.connection: Connection | None = None
        self.ended = asyncio.Event()
        self._seen = Seen()
        self._start_at = row.position
        self._loading = False
        self._sought: float | None = None
        """Where somebody wants it to be, while it is being loaded."""
        self._loaded_at = time.monotonic()
        self._failures = 0
        self._paused = False
        self._told: asyncio.Queue[Playback] = asyncio.Queue()
        self._turning = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def position(self) -> float:
        """Seconds into the current file, as far as is known."""
        if self._sought is not None:
            return self._sought
        now = self.connection.playback.position if self.connection and not self._loading else None
        return now if now is not None else self._seen.position or self._start_at

    @property
    def playback(self) -> Playback:
        return self.connection.playback if self.connection else Playback()

    @property
    def paused(self) -> bool:
        return self._paused or self.playback.transport is Transport.PAUSED

    async def begin(self, connection: Connection) -> None:
        """Take the player and load the current file; also when a lost player has come back."""
        self._take(connection)
        await self._load(self.queue, self.position)

    async def adopt(self, connection: Connection) -> None:
        """The player shows our file already: we were away, not it."""
        self._take(connection)
        self.file, _ = await self._describe(self, self.queue.current)
        self._seen = follow(Seen(started=True), connection.playback)
        await self._to(Stage.SHOWING)

    def lose(self) -> None:
        """The player is gone; wait for it to come back, or end."""
        if self.stage is Stage.ENDED:
            return
        self._start_at, self.connection = self.position, None
        self._run(self._wait_for_return())

    async def turn(self, queue: Queue | None) -> None:
        """Go to another file of the queue; None: there is none, so it ends."""
        if queue is None:
            await self.stop()
            return
        await self._note_now("hidden")
        await self._load(queue, 0)

    async def pause(self) -> None:
        """At once; while the player is being asked to begin, as soon as it has begun."""
        if not self._loading and not self._is_image:
            await self._connected().pause()
        self._paused = True
        await self._note_now("paused")

    async def resume(self) -> None:
        if not self._loading and not self._is_image:
            await self._connected().play()
        self._paused = False
        await self._note_now("playing")

    async def seek(self, seconds: float) -> None:
        """At once; while the player is being asked to begin, as soon as it has begun."""
        if self._loading:
            self._sought = seconds
            await self._changed(self)
            return
        await self._connected().seek(seconds)
        self._seen = replace(self._seen, position=seconds)
        await self._note(self, "seeked", seconds)
        await self._changed(self)

    async def stop(self) -> None:
        """Stop the player and end."""
        await self._note_now("hidden")
        connection = self.connection
        await self.end()
        if connection:
            with contextlib.suppress(PlayerError):
                await connection.stop()

    async def end(self, error: str | None = None) -> None:
        """End without touching the player."""
        if self.stage is Stage.ENDED:
            return
        self.error = error or self.error
        self.connection = None
        await self._to(Stage.ENDED)
        self.ended.set()
        if self._following and self._following is not asyncio.current_task():
            self._following.cancel()

    def close(self) -> None:
        """The appliance stops: the player goes on, and the showing is taken up again at the next start."""
        if self._following:
            self._following.cancel()

    def _connected(self) -> Connection:
        if self.connection is None:
            raise Unavailable("The player", "it does not answer at the moment")
        return self.connection

    def _take(self, connection: Connection) -> None:
        self.connection = connection
        connection.on_change = self._told.put_nowait
        self._run(self._follow())

    def _run(self, work: Awaitable[None]) -> None:
        if self._following and self._following is not asyncio.current_task():
            self._following.cancel()
        self._following = asyncio.ensure_future(work)

    async def _to(self, stage: Stage) -> None:
        self.stage = stage
        await self._changed(self)

    async def _load(self, queue: Queue, position: float) -> None:
        """Load the current file of `queue`, or the next one that plays. Ends where none does."""
        async with self._turning:
            self.queue, self._start_at, self._loading, self._paused = queue, position, True, False
            self._seen, self._sought, self.error = Seen(), None, None
            try:
                await self._to(Stage.STARTING)
                self.file, media = await self._describe(self, queue.current)
                if self.file.duration_sec:
                    self._start_at = min(position, max(self.file.duration_sec - 1, 0))
                await self._connected().load(media, self._start_at)
            except (PlayerError, MantelError) as error:
                failed: str | None = str(error)
            else:
                failed = None
            finally:
                self._loading, self._loaded_at = False, time.monotonic()
        if failed is not None:
            await self._fail(failed)
            return
        await self._catch_up()
        await self._to(Stage.SHOWING)

    async def _catch_up(self) -> None:
        """What somebody wanted while it was being loaded."""
        sought, self._sought = self._sought, None
        if self._is_image:
            return
        if sought is not None:
            with contextlib.suppress(PlayerError, MantelError):
                await self.seek(sought)
        if self._paused:
            try:
                await self._connected().pause()
            except (PlayerError, MantelError):
                self._paused = False

    async def _fail(self, why: str) -> None:
        """The current file does not play: the next, unless too many failed or there is none."""
        log.info("Showing %s: %s", self.id, why)
        self._failures += 1
        rest = self.queue.without_current()
        if rest is None or self._failures >= FAILURES or self.connection is None:
            await self.end(why)
        else:
            await self._load(rest, 0)

    async def _follow(self) -> None:
        noted, was = time.monotonic(), self.playback.transport
        while self.stage is not Stage.ENDED and self.connection is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.get(), TICK)
            if self._loading or self.connection is None:
                continue
            now, before = self.connection.playback, self._seen
            if was is Transport.PAUSED and now.transport is Transport.PLAYING:
                self._paused = False  # by the player's own remote control
            was = now.transport
            verdict = judge(before, now, self.id, time.monotonic() - self._loaded_at, self._is_image)
            if verdict is Verdict.GOES_ON:
                self._seen = follow(before, now)
                if self._seen.started and not before.started:
                    self._failures, noted = 0, time.monotonic()
                    await self._note_now("playing")
                if now.transport is not Transport.BUFFERING and time.monotonic() - noted >= PING:
                    noted = time.monotonic()
                    await self._note_now("paused" if self.paused else "playing")
                await self._changed(self)
                await self._slide()
            else:
                await self._decide(verdict, now)

    async def _decide(self, verdict: Verdict, now: Playback) -> None:
        if verdict is Verdict.FINISHED:
            await self._note(self, "ended", self._seen.duration or self._seen.position or 0)
            following = self.queue.after_end()
            await (self._load(following, 0) if following else self.end())
        elif verdict is Verdict.FAILED:
            await self._fail(now.error or "It did not begin to play.")
        else:
            await self._note(self, "hidden", self._seen.position or 0)
            await self.end()

    async def _slide(self) -> None:
        if self._is_image and not self._paused and time.monotonic() - self._loaded_at >= SLIDE:
            following = self.queue.next()
            if following and following != self.queue:
                await self._load(following, 0)

    async def _wait_for_return(self) -> None:
        await self._to(Stage.LOST)
        await asyncio.sleep(COMES_BACK)
        await self.end("The player went away and did not come back.")

    async def _note_now(self, state: str) -> None:
        if self._seen.started and not self._is_image:
            await self._note(self, state, self.position)
        await self._changed(self)

    @property
    def _is_image(self) -> bool:
        return self.file is not None and self.file.kind is FileKind.IMAGE
