"""Where people are in what they cast: for resume, and as plays in the journal."""

from __future__ import annotations

from appliance.accounts.caller import Caller
from appliance.casting.player import Player
from appliance.casting.store import ShowingRow
from appliance.journal.entry import Action, Entry
from appliance.journal.journal import Journal
from appliance.library.items import File
from appliance.library.library import Library

RESUME_UNTIL = 0.95
"""Whoever stopped later than this share of a film begins anew."""


class Positions:
    def __init__(self, journal: Journal, library: Library) -> None:
        self._journal, self._library = journal, library

    async def where_stopped(self, caller: Caller, file_id: str) -> float:
        """Seconds at which this person's film goes on; 0 for one that was seen to its end."""
        if caller.user_id is None:
            return 0
        position = await self._journal.position(caller.user_id, file_id) or 0
        duration = (await self._library.file(file_id, caller.sees)).duration_sec
        return 0 if duration and position > RESUME_UNTIL * duration else position

    async def note(
        self, row: ShowingRow, file: File | None, player: Player, state: str, seconds: float
    ) -> None:
        """`state`: playing, paused, seeked, ended, hidden, as the page's own pings."""
        if row.user_id is None or file is None:
            return
        if state != "seeked":
            # Who has seen it to the end begins anew the next time.
            await self._journal.set_position(row.user_id, file.id, 0 if state == "ended" else seconds)
        told = {"state": state, "position": round(seconds, 1), "rate": 1.0, "player": player.shown_name}
        await self._journal.note(
            Entry(
                Action.CAST_POSITION,
                user_id=row.user_id,
                device=row.device,
                file_id=file.id,
                payload=told,
            )
        )
