"""What a player's state means for the showing that runs on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from dlna.casting.playback import Playback, Transport

NEAR_END = 5.0
"""Seconds: polls come each second, some players stop early, and durations in tags are a little long."""
NEAR_END_SHARE = 0.03
STARTS_WITHIN = 20.0
"""Seconds from a load that went well to the first sign that it plays."""


class Verdict(Enum):
    GOES_ON = auto()
    FINISHED = auto()
    """It came to its end: what is next?"""
    STOPPED = auto()
    """Somebody stopped it at the player."""
    TAKEN_OVER = auto()
    """The player shows somebody else's thing now."""
    FAILED = auto()


@dataclass(frozen=True)
class Seen:
    """What was seen of the current file up to now."""

    started: bool = False
    position: float | None = None
    duration: float | None = None


def judge(seen: Seen, now: Playback, showing_id: str, since_load: float, is_image: bool) -> Verdict:
    """`since_load` in seconds. Our URLs carry the showing's id, so a foreign one is told from ours."""
    if now.transport is not Transport.IDLE:
        foreign = bool(now.url) and showing_id not in str(now.url)
        # Just after a load some players still tell the URL from before.
        return Verdict.TAKEN_OVER if foreign and since_load > 3 else Verdict.GOES_ON
    if is_image:
        return Verdict.GOES_ON  # a renderer is idle once it has drawn it
    if not seen.started:
        failed = now.error is not None or since_load > STARTS_WITHIN
        return Verdict.FAILED if failed else Verdict.GOES_ON
    if now.ended is not None:
        return Verdict.FINISHED if now.ended else Verdict.STOPPED
    if seen.duration is None or seen.position is None:
        return Verdict.FINISHED
    left = seen.duration - seen.position
    return Verdict.FINISHED if left <= max(NEAR_END, NEAR_END_SHARE * seen.duration) else Verdict.STOPPED


def follow(seen: Seen, now: Playback) -> Seen:
    """`seen` with what `now` adds."""
    if now.transport is Transport.IDLE:
        return seen
    started = seen.started or now.transport in (Transport.PLAYING, Transport.PAUSED)
    return Seen(
        started,
        seen.position if now.position is None else now.position,
        seen.duration if now.duration is None else now.duration,
    )
