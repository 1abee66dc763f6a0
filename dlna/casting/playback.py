"""What is played and how it stands, as values. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Transport(StrEnum):
    """What a player does, in the words of every kind of player."""

    IDLE = "idle"
    """Nothing is loaded, or it has ended, or was stopped."""
    BUFFERING = "buffering"
    PLAYING = "playing"
    PAUSED = "paused"


@dataclass(frozen=True)
class Subtitles:
    """One track beside the film. `mime_type`: `text/srt` for UPnP, `text/vtt` for Cast."""

    url: str
    mime_type: str
    language: str = ""
    name: str = ""


@dataclass(frozen=True)
class Media:
    """One thing to play, with all that a player is told of it."""

    url: str
    """Plain HTTP, a numeric address, a real extension: TVs resolve no names and look at the ending."""
    title: str
    mime_type: str
    kind: str
    """`video`, `audio` or `image`"""
    features: str = "*"
    """Fourth field of protocolInfo: DLNA.ORG_PN, OP, CI, FLAGS."""
    size_bytes: int | None = None
    duration_sec: float | None = None
    resolution: str | None = None
    artist: str | None = None
    album: str | None = None
    art_url: str | None = None
    subtitles: tuple[Subtitles, ...] = field(default=())


@dataclass(frozen=True)
class Playback:
    """How a player stands now. Positions and durations in seconds, volume 0..1; None: not known."""

    transport: Transport = Transport.IDLE
    url: str | None = None
    position: float | None = None
    duration: float | None = None
    volume: float | None = None
    muted: bool | None = None
    can_pause: bool = True
    can_seek: bool = True
    ended: bool | None = None
    """While idle: True when the last thing played to its end, False when it was stopped, None: not told."""
    error: str | None = None
    """Why the last thing did not play, in the player's words."""


class PlayerError(Exception):
    """A player that does not do what was asked. `str()` says what it answered."""


class BrokenDescription(PlayerError):
    """Its description cannot be used: no AVTransport, another UDN, not XML."""


class Refused(PlayerError):
    """It said no. `code` of a renderer by UDA 1.1 §3.2.2 and AVTransport:1 §2.4."""

    def __init__(self, action: str, code: int | None, words: str) -> None:
        super().__init__(f"{action} was refused ({code or 'no code'}: {words})")
        self.action, self.code = action, code


class Away(PlayerError):
    """It does not answer."""
