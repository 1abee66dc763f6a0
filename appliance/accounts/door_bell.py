"""Tells open pages that who can get in has changed, and at once when somebody should look.

Whoever changes something rings; pages hear of it a moment later, when the transaction around the ring is
through, and once for many changes of a kind. An alarm is told by itself, with what is known of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

from appliance.units import SECONDS

Tell = Callable[[str, Mapping[str, Any]], None]
What = Literal["session", "user", "pairing", "link", "setting", "lockdown"]

PAUSE = 0.3 * SECONDS


class DoorBell:
    """`tell(event, data)` is the live hub's; events are `door` (admins) and `pairing` (whoever may pair)."""

    def __init__(self, tell: Tell = lambda _event, _data: None) -> None:
        self._tell = tell
        self._waiting: set[str] = set()

    def ring(self, what: What) -> None:
        """Something of this kind opened, closed or changed."""
        if what in self._waiting:
            return
        self._waiting.add(what)
        asyncio.get_running_loop().call_later(PAUSE, self._say, what)

    def _say(self, what: str) -> None:
        self._waiting.discard(what)
        self._tell("door", {"what": what})

    def alarm(self, about: str, **known: str) -> None:
        """`about`: `pairing` (a second device used a code), `refresh` (a spent sign-in came back)."""
        self._tell("door", {"what": "alarm", "about": about, **known})

    def pairing(self, pairing_id: str, state: str) -> None:
        """A pairing went on, for the page that shows its code."""
        self._tell("pairing", {"id": pairing_id, "state": state})
        self.ring("pairing")
