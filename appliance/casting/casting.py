"""Playing on the house's players: who may, what, and what it means for the journal and the pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from appliance.accounts import store as people
from appliance.accounts.caller import Caller, Role, Via
from appliance.accounts.ids import new_id
from appliance.casting import store
from appliance.casting.grants import LINGER, URL_LIFE, Grants
from appliance.casting.house import House
from appliance.casting.media import family, media, why_not
from appliance.casting.player import Connection, Player, Standing
from appliance.casting.positions import Positions
from appliance.casting.queue import Queue, Repeat
from appliance.casting.showing import Showing, Stage
from appliance.casting.store import ShowingRow
from appliance.database import Database
from appliance.errors import Conflict, Forbidden, MantelError, NotFound, TooMany, Unavailable
from appliance.journal.entry import now_ms
from appliance.journal.journal import Journal
from appliance.lan.media_urls import MediaUrls
from appliance.library.items import File
from appliance.library.items import Kind as FileKind
from appliance.library.library import Library
from appliance.library.roots import RootAway
from appliance.power.power import Power
from appliance.streaming.subtitles import Subtitles, Track
from appliance.streaming.waking import waking
from appliance.units import SECONDS
from dlna.casting.playback import Media, PlayerError, Transport

log = logging.getLogger(__name__)

RIGHTS_EVERY = 1 * SECONDS
PROGRESS_EVERY = 10 * SECONDS
TELL_EVERY = 5 * SECONDS
"""How often pages hear of a position that runs on; of a jump, and of anything else, at once."""
JUMP = 3 * SECONDS
"""Positions come in whole seconds, and late."""


class Casting:
    """`tell(player_id)` is called when pages should hear of a player."""

    def __init__(
        self,
        database: Database,
        library: Library,
        journal: Journal,
        house: House,
        urls: MediaUrls,
        power: Power,
        subtitles: Subtitles,
        tell: Callable[[str], None] = lambda player_id: None,
    ) -> None:
        self._database, self._library = database, library
        self._positions = Positions(journal, library)
        self.house, self._power = house, power
        self.grants = Grants(database, urls)
        self._subtitles, self._tell = subtitles, tell
        self._showings: dict[str, Showing] = {}
        """By player id: the one that runs."""
        self._unfinished: dict[str, ShowingRow] = {}
        """By player id: what ran when the appliance stopped."""
        self._written: dict[str, tuple[Any, float]] = {}
        self._told: dict[str, tuple[Any, float, float]] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._errors: dict[str, str] = {}
        self._epoch = 0
        house.arrived, house.left = self._arrived, self._left
        house.changed = lambda player: self._tell(player.id)

    async def start(self) -> None:
        now = now_ms()
        async with self._database.write() as connection:
            await store.forget_showings(connection, now - URL_LIFE * 1000)
            rows = await store.live_showings(connection, now - LINGER * 1000)
            self._epoch = await people.epoch(connection)
        for row in rows:
            if row.ended_at is None and now - row.started_at < URL_LIFE * 1000:
                self._unfinished[row.player_id] = row
                self.grants.open(row)
            else:
                self.grants.linger(row)
        await self.house.start()
        self._work[""] = asyncio.create_task(self._watch_rights(), name="rights of showings")

    async def stop(self) -> None:
        """Hang up; what plays goes on, and is taken up again at the next start."""
        for showing in self._showings.values():
            showing.close()
            await self._write(showing)
        for task in self._work.values():
            task.cancel()
        await asyncio.gather(*self._work.values(), return_exceptions=True)
        await self.house.stop()

    def showing(self, player_id: str) -> Showing | None:
        return self._showings.get(player_id)

    async def play(
        self,
        caller: Caller,
        player_id: str,
        file_ids: tuple[str, ...],
        *,
        place: int = 0,
        position: float | None = None,
        repeat: Repeat = Repeat.OFF,
    ) -> Player:
        """Begin a showing; the answer does not wait for the player. `position` None: where they stopped.

        Raises NotFound, Forbidden, Conflict where the player takes none of it, Unavailable where the file's
        disk is away, or the machine sleeps that has it: that one is woken.
        """
        player = self._usable(caller, player_id)
        chosen = file_ids[place]
        kept, why = [], None
        for file_id in file_ids:
            file = await self._library.file(file_id, caller.sees)
            reason = why_not(player, file)
            if reason is None:
                kept.append(file_id)
            elif file_id == chosen:
                why = reason
        if why:
            raise Conflict(why)
        await self._wake_library(caller, chosen)
        if position is None:
            position = await self._positions.where_stopped(caller, chosen)
        row = ShowingRow(
            id=new_id("g"),
            player_id=player.id,
            user_id=caller.user_id,
            user_name=caller.name,
            session_id=caller.session_id,
            device=caller.device,
            queue=Queue(tuple(kept), kept.index(chosen), repeat),
            position=position,
            started_at=now_ms(),
        )
        await self._end_current(player)
        async with self._database.write() as connection:
            await store.add_showing(connection, row)
        self.grants.open(row)
        showing = Showing(row, self._describe, self._note, self._changed)
        self._showings[player.id] = showing
        self._errors.pop(player.id, None)
        self._background(player.id, self._bring_up(player, showing))
        return player

    async def turn(self, caller: Caller, player_id: str, *, back: bool = False) -> Player:
        """Next, or previous; within the first seconds of a file previous is the one before."""
        player, showing = self._running(caller, player_id)
        if back and showing.position > 5 and showing.playback.can_seek:
            await self._commanded(showing.seek(0))
        else:
            queue = showing.queue.previous() if back else showing.queue.next()
            self._background(player.id, self._commanded(showing.turn(queue)))
        return player

    async def command(self, caller: Caller, player_id: str, word: str, value: float = 0) -> Player:
        """`pause`, `resume`, `seek` to a second, `stop`. Raises Unavailable where the player does not."""
        player, showing = self._running(caller, player_id)
        calls: dict[str, Callable[[], Awaitable[None]]] = {
            "pause": showing.pause,
            "resume": showing.resume,
            "seek": lambda: showing.seek(value),
            "stop": showing.stop,
        }
        await self._commanded(calls[word]())
        return player

    async def sound(self, caller: Caller, player_id: str, volume: float | None, muted: bool | None) -> Player:
        player = self._usable(caller, player_id)
        try:
            connection = await self.house.connected(player)
        except PlayerError as error:
            raise Unavailable(player.shown_name, str(error)) from error
        if volume is not None:
            await self._commanded(connection.set_volume(volume))
        if muted is not None:
            await self._commanded(connection.set_muted(muted))
        self._tell(player.id)
        return player

    async def enqueue(self, caller: Caller, player_id: str, file_ids: tuple[str, ...]) -> Player:
        """Add to the end of what plays."""
        player, showing = self._running(caller, player_id)
        for file_id in file_ids:
            if why := why_not(player, await self._library.file(file_id, caller.sees)):
                raise Conflict(why)
        showing.queue = replace(showing.queue, files=showing.queue.files + file_ids)
        await self._changed(showing)
        return player

    async def set_repeat(self, caller: Caller, player_id: str, repeat: Repeat) -> Player:
        player, showing = self._running(caller, player_id)
        showing.queue = replace(showing.queue, repeat=repeat)
        await self._changed(showing)
        return player

    async def end_all(self, user_id: str | None = None) -> None:
        """End every showing, or one person's, and cut its bytes at once."""
        self.grants.cut(user_id)
        for showing in tuple(self._showings.values()):
            if user_id is None or showing.row.user_id == user_id:
                with contextlib.suppress(PlayerError, MantelError):
                    await showing.stop()

    async def change(self, player_id: str, changes: dict[str, Any]) -> Player:
        """Rename, hide, allow, block. What plays on a player that is blocked ends. Raises NotFound."""
        player = await self.house.change(player_id, **changes)
        if player.standing is Standing.BLOCKED and (showing := self._showings.get(player_id)):
            self.grants.open(showing.row).cut.set()
            with contextlib.suppress(PlayerError, MantelError):
                await showing.stop()
        return player

    def error(self, player_id: str) -> str | None:
        """Why the last showing on it ended, if it was not meant to."""
        return self._errors.get(player_id)

    async def forget(self, player_id: str) -> None:
        await self._end_current(self.house.player(player_id))
        await self.house.forget(player_id)

    # Within

    async def _wake_library(self, caller: Caller, file_id: str) -> None:
        try:
            (await self._library.open(file_id, caller.sees)).close()
        except RootAway as away:
            raise await waking(self._power, away, caller) from away
        except MantelError:
            pass  # the player meets it, and the showing tells

    def _usable(self, caller: Caller, player_id: str) -> Player:
        player = self.house.player(player_id)
        if player.standing is Standing.BLOCKED or (player.hidden and not caller.may(Role.ADMIN)):
            raise NotFound("player", player_id)
        if player.standing is Standing.NEW:
            raise Forbidden(f"{player.shown_name} is new here. An admin allows it first, under Players.")
        if not caller.may(player.least_role):
            raise Forbidden(f"{player.shown_name} is not for you.")
        return player

    def _running(self, caller: Caller, player_id: str) -> tuple[Player, Showing]:
        player = self._usable(caller, player_id)
        showing = self._showings.get(player_id)
        if showing is None:
            raise Conflict(f"Nothing of ours plays on {player.shown_name}.")
        return player, showing

    async def _commanded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except PlayerError as error:
            raise Unavailable("The player", str(error)) from error

    def _background(self, player_id: str, work: Any) -> None:
        if old := self._work.pop(player_id, None):
            old.cancel()
        task = asyncio.create_task(work, name=f"player {player_id}")
        self._work[player_id] = task
        task.add_done_callback(_tell_failure)

    async def _bring_up(self, player: Player, showing: Showing) -> None:
        """Wake the player if it is away, and begin."""
        try:
            if not self.house.is_present(player):
                showing.stage = Stage.WAKING
                await self._changed(showing)
                if player.mac:
                    with contextlib.suppress(TooMany):  # it was asked a moment ago
                        await self._power.wake_mac(player.mac, player.shown_name)
                await self.house.until_present(player)
            connection = await self.house.connected(self.house.player(player.id))
        except (MantelError, PlayerError) as error:
            await showing.end(str(error))
        else:
            await showing.begin(connection)

    async def _end_current(self, player: Player) -> None:
        if task := self._work.pop(player.id, None):
            task.cancel()
        if showing := self._showings.get(player.id):
            await showing.end()
        if row := self._unfinished.pop(player.id, None):
            await self._finish(row)

    async def _finish(self, row: ShowingRow) -> None:
        async with self._database.write() as connection:
            await store.end_showing(connection, row.id, now_ms())
        self.grants.linger(row)

    async def _arrived(self, player: Player, connection: Connection | None) -> None:
        showing, row = self._showings.get(player.id), self._unfinished.pop(player.id, None)
        if showing and showing.stage is Stage.LOST:
            self._background(player.id, self._bring_up(player, showing))
        elif row and showing is None:
            showing = Showing(row, self._describe, self._note, self._changed)
            self._background(player.id, self._take_up(player, showing))

    async def _take_up(self, player: Player, showing: Showing) -> None:
        """After our own restart: go on with what plays, and leave alone what does not."""
        try:
            connection = await self.house.connected(player)
            now = connection.playback
            if now.transport is Transport.IDLE or showing.id not in (now.url or ""):
                raise Unavailable(player.shown_name, "it plays something else now")
            self._showings[player.id] = showing
            await showing.adopt(connection)
        except (MantelError, PlayerError) as error:
            log.info("A showing from before the start is over: %s", error)
            self._showings.pop(player.id, None)
            await self._finish(showing.row)

    def _left(self, player: Player) -> None:
        if (showing := self._showings.get(player.id)) and showing.stage is not Stage.WAKING:
            showing.lose()

    async def _watch_rights(self) -> None:
        """Who was removed, and everyone at a lockdown, loses their showings within a second."""
        async for _ in self._database.writes(RIGHTS_EVERY):
            try:
                async with self._database.read() as connection:
                    epoch = await people.epoch(connection)
                if epoch != self._epoch:
                    self._epoch = epoch
                    await self.end_all()
                for user_id in await self.grants.cut_the_removed([s.row for s in self._showings.values()]):
                    await self.end_all(user_id)
            except Exception:
                log.exception("Rights of showings could not be looked at; trying again")

    async def _describe(self, showing: Showing, file_id: str) -> tuple[File, Media]:
        row, player = showing.row, self.house.player(showing.row.player_id)
        sees = Caller(row.user_id, row.user_name, await self.grants.role(row), Via.CAST).sees
        file = await self._library.file(file_id, sees)
        origin = self.house.origin(player)

        def url(rendition: str, extension: str) -> str:
            return origin + self.grants.path(row, file_id, rendition, extension)

        tracks: tuple[Track, ...] = ()
        if file.kind is FileKind.VIDEO:
            with contextlib.suppress(MantelError):
                tracks = await self._subtitles.tracks(file_id, sees)
        return file, media(file, url, tracks, player.kind, family(player))

    async def _note(self, showing: Showing, state: str, seconds: float) -> None:
        player = self.house.player(showing.row.player_id)
        await self._positions.note(showing.row, showing.file, player, state, seconds)

    async def _changed(self, showing: Showing) -> None:
        """Write what must survive, and tell the pages; both no oftener than needed."""
        row = showing.row
        if showing.stage is Stage.ENDED:
            if self._showings.get(row.player_id) is showing:
                del self._showings[row.player_id]
            self._errors |= {row.player_id: showing.error} if showing.error else {}
            self.grants.linger(row)
            async with self._database.write() as connection:
                await store.end_showing(connection, row.id, now_ms())
            self._tell(row.player_id)
            return
        now = time.monotonic()
        written, at = self._written.get(row.id, (None, 0.0))
        if written != showing.queue or now - at >= PROGRESS_EVERY:
            self._written[row.id] = (showing.queue, now)
            await self._write(showing)
        playback = showing.playback
        state = (
            *(showing.stage, showing.queue, showing.paused),
            *(playback.transport, playback.volume, playback.muted),
        )
        told, at, was_at = self._told.get(row.player_id, (None, 0.0, 0.0))
        runs_to = was_at + (now - at if playback.transport is Transport.PLAYING else 0)
        if told != state or now - at >= TELL_EVERY or abs(showing.position - runs_to) > JUMP:
            self._told[row.player_id] = (state, now, showing.position)
            self._tell(row.player_id)

    async def _write(self, showing: Showing) -> None:
        async with self._database.write() as connection:
            await store.note_progress(connection, showing.id, showing.queue, showing.position)


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("A showing failed", exc_info=error)
