"""The composition root: what is started, in which order, top to bottom; stopped bottom to top."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from appliance.settings import Settings


async def serve(settings: Settings, beside: Coroutine[Any, Any, None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `beside` runs as long and is cancelled then."""
    raise NotImplementedError
