"""A player of the house, DLNA or Google Cast, as a value; and what each kind can do once it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from appliance.accounts.caller import Role
from dlna.casting.playback import Media, Playback

LONGEST_NAME = 40


class Kind(StrEnum):
    DLNA = "dlna"
    CAST = "cast"


class Standing(StrEnum):
    """Whether a player may be played on. A known name behind another MAC is new again."""

    NEW = "new"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Player:
    """One player that was seen once. It is remembered until an admin forgets it."""

    id: str
    kind: Kind
    key: str
    """UDN of a renderer, UUID of a Cast device."""
    name: str
    """What it calls itself, cleaned."""
    given_name: str | None = None
    """What the household calls it."""
    maker: str = ""
    model: str = ""
    standing: Standing = Standing.NEW
    hidden: bool = False
    least_role: Role = Role.VIEWER
    mac: str | None = None
    """None on `lo`, and until the neighbour table tells."""
    address: str = ""
    sink: frozenset[str] = frozenset()
    """MIME types that it takes; empty: it does not say."""
    last_seen_at: int = 0
    """Epoch milliseconds."""

    @property
    def shown_name(self) -> str:
        return self.given_name or self.name

    @property
    def can_video(self) -> bool:
        return not self.sink or any(entry.startswith(("video/", "*")) for entry in self.sink)


class Connection(Protocol):
    """A player that is there now: `dlna.casting.renderer.Renderer` and `CastDevice` are such.

    Commands raise PlayerError (Refused, Away). Times in seconds, volume 0..1.
    """

    on_change: Callable[[Playback], None]
    on_lost: Callable[[], None]

    @property
    def playback(self) -> Playback: ...
    async def load(self, media: Media, position: float = 0) -> None: ...
    async def play(self) -> None: ...
    async def pause(self) -> None: ...
    async def stop(self) -> None: ...
    async def seek(self, position: float) -> None: ...
    async def set_volume(self, volume: float) -> None: ...
    async def set_muted(self, muted: bool) -> None: ...
    async def close(self) -> None: ...


def clean_name(name: str, fallback: str = "A player") -> str:
    """A name that strangers chose, fit to be shown: printable, one line, at most LONGEST_NAME characters."""
    printable = "".join(c if c.isprintable() else " " for c in name)
    return " ".join(printable.split())[:LONGEST_NAME].strip() or fallback
