"""What the media route asks of casting: whose right a URL with the purpose `cast` carries.

Casting stands above the listener, so the listener knows it by this alone; wiring hands it in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from appliance.accounts.caller import Caller
from appliance.lan.media_urls import Grant


@dataclass(frozen=True)
class Admitted:
    """Whose right a fetch carries: open the file as `caller` sees it, and note the span for `caller`."""

    caller: Caller
    cut: asyncio.Event
    """Set when the bytes must stop at once."""


class Casts(Protocol):
    async def admit(self, grant: Grant, address: str) -> Admitted:
        """For a fetch from `address`. Raises Forbidden: it has ended, or another device has fetched it."""
        ...
