"""Who plays what where, now: from what players tell and from the bytes that leave.

Rules:
1. A player that tells its position is believed for FRESH seconds; `ended` and `hidden` end it at once.
2. One that tells nothing (a TV, a foreign program) plays as long as bytes leave, and SILENT seconds more.
3. Both together are one: the same device with the same file, or what one person cast of it. No I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from appliance.journal.entry import Action, Entry
from appliance.journal.span import Span
from appliance.units import SECONDS

FRESH = 45 * SECONDS
"""The page tells every ten seconds, and a phone in a pocket a little later."""
SILENT = 15 * SECONDS
MOST = 500
OVER = ("ended", "hidden")

Key = tuple[str, str, str]
State = Literal["playing", "paused", "streaming"]
"""`streaming`: bytes leave, and that is all we know."""


@dataclass(frozen=True)
class Playing:
    """One file on one device. Times: epoch milliseconds."""

    user_id: str | None
    device: str | None
    file_id: str
    source: str
    """`web`, `tv`, `cast`."""
    state: State
    position: float | None
    """Seconds, as last told."""
    player: str | None
    """The TV or speaker that was cast to."""
    address: str | None
    user_agent: str | None
    bytes: int
    """Sent in this go."""
    started_at: int
    seen_at: int


class PlayingBook:
    """What was told lately. `now` gives epoch milliseconds, `spans` what is being sent."""

    def __init__(self, now: Callable[[], int], spans: Callable[[], Iterable[Span]]) -> None:
        self._now, self._spans = now, spans
        self._told: dict[Key, Playing] = {}
        self._said: dict[Key, State] = {}

    def hear(self, entry: Entry) -> None:
        """A PING or CAST_POSITION; others are passed over."""
        if entry.action not in (Action.PING, Action.CAST_POSITION) or entry.file_id is None:
            return
        cast = entry.action is Action.CAST_POSITION
        key = _key("cast" if cast else "web", entry.user_id, entry.device or entry.ip, entry.file_id)
        state = entry.payload.get("state")
        if state in OVER:
            self._told.pop(key, None)
            return
        before = self._told.get(key)
        if before is None and len(self._told) >= MOST:
            self._told.pop(next(iter(self._told)))
        now = self._now()
        self._told[key] = Playing(
            user_id=entry.user_id,
            device=entry.device,
            file_id=entry.file_id,
            source="cast" if cast else "web",
            state="paused" if state == "paused" else "playing",
            position=entry.payload.get("position"),
            player=entry.payload.get("player"),
            address=entry.ip,
            user_agent=entry.user_agent,
            bytes=0,
            started_at=before.started_at if before else now,
            seen_at=now,
        )

    def items(self) -> tuple[Playing, ...]:
        """All that plays now, lately begun first."""
        return tuple(sorted(self._now_by_key().values(), key=lambda one: (-one.started_at, one.file_id)))

    def changed(self) -> bool:
        """Whether something began, ended or paused since the last call."""
        now: dict[Key, State] = {key: one.state for key, one in self._fresh().items()}
        for key, _ in self._sending():
            now.setdefault(key, "streaming")
        was, self._said = self._said, now
        return was != now

    def _now_by_key(self) -> dict[Key, Playing]:
        found = dict(self._fresh())
        for key, span in self._sending():
            found[key] = _with_span(found.get(key), span)
        return found

    def _fresh(self) -> dict[Key, Playing]:
        now = self._now()
        for key in [key for key, one in self._told.items() if now - one.seen_at > FRESH * 1000]:
            del self._told[key]
        return self._told

    def _sending(self) -> Iterable[tuple[Key, Span]]:
        now = self._now()
        for span in self._spans():
            if span.readers or (span.bytes and now - span.ended_at <= SILENT * 1000):
                yield _key(span.source, span.user_id, span.device or span.ip, span.file_id), span


def _key(source: str, user_id: str | None, device: str | None, file_id: str) -> Key:
    """What was cast is told by the person's phone and fetched by the player: the person holds it together."""
    return ("cast", user_id or device or "", file_id) if source == "cast" else ("", device or "", file_id)


def _with_span(told: Playing | None, span: Span) -> Playing:
    return Playing(
        user_id=span.user_id,
        device=span.device,
        file_id=span.file_id,
        source=told.source if told and told.source == "cast" else span.source,
        state=told.state if told else "streaming",
        position=told.position if told else None,
        player=told.player if told else None,
        address=span.ip,
        user_agent=span.user_agent,
        bytes=(told.bytes if told else 0) + span.bytes,
        started_at=min(told.started_at, span.started_at) if told else span.started_at,
        seen_at=max(told.seen_at, span.ended_at) if told else span.ended_at,
    )
