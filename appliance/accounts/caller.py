"""Who is calling, as every feature sees it.

`web/guard.py` finds the caller before any route runs; a route asks `calling()`.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from appliance.errors import NotSignedIn


class Role(IntEnum):
    """Each role may what the ones before it may."""

    GUEST = 1
    VIEWER = 2
    EDITOR = 3
    ADMIN = 4


class Audience(StrEnum):
    """Who a top folder, or a file in the root itself, is for."""

    EVERYONE = "everyone"
    HOUSEHOLD = "household"


class Via(StrEnum):
    """By which credential a request came."""

    COOKIE = "cookie"
    BEARER = "bearer"
    SHARE = "share"
    CAST = "cast"
    TV = "tv"
    SERVICE = "service"


@dataclass(frozen=True)
class Caller:
    """One signed-in person (or TV, or link) for the length of one request."""

    user_id: str | None
    name: str
    role: Role
    via: Via
    session_id: str | None = None
    device: str | None = None
    """Stable id of the device that the session belongs to; the journal's `device`."""
    address: str = ""
    user_agent: str = ""

    def may(self, role: Role) -> bool:
        return self.role >= role

    @property
    def sees(self) -> frozenset[Audience]:
        """Audiences whose files this caller may know of. Guests and TVs: everyone's only."""
        if self.role >= Role.VIEWER:
            return frozenset(Audience)
        return frozenset({Audience.EVERYONE})


_calling: ContextVar[Caller | None] = ContextVar("calling", default=None)


def calling() -> Caller:
    """The caller of the request that runs now. Raises NotSignedIn where there is none."""
    caller = _calling.get()
    if caller is None:
        raise NotSignedIn()
    return caller


def calling_or_none() -> Caller | None:
    """The caller, for a public route that treats the signed-in otherwise."""
    return _calling.get()


def set_calling(caller: Caller | None) -> None:
    """For `web/guard.py`, the LAN listener and tests alone."""
    _calling.set(caller)
