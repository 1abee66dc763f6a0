"""What happens, told to open pages: server-sent events (HTML Living Standard §9.2).

Each event has its least role in `web/access.py`; one that is not there is told to nobody.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from appliance.accounts.caller import Role
from appliance.errors import TooMany
from appliance.units import SECONDS

log = logging.getLogger(__name__)

HEARTBEAT = 15 * SECONDS
WAITING = 256
"""Events that a slow page may lag behind; beyond that its stream ends and it comes back by itself."""
LISTENERS = 64
RETRY = 2_000
"""Milliseconds after which a page comes back."""


class Live:
    """One hub for the process: `publish` never waits, `listen` is one page's stream."""

    def __init__(self, least_roles: Mapping[str, Role], heartbeat: float = HEARTBEAT) -> None:
        self._least_roles, self._heartbeat = least_roles, heartbeat
        self._listening: dict[asyncio.Queue[bytes | None], Role] = {}
        self._stopped = False

    def publish(self, event: str, data: Mapping[str, Any], least_role: Role = Role.GUEST) -> None:
        """Tell pages whose caller has `least_role`, and the table's role of that event, or more."""
        if event not in self._least_roles:
            log.error("live event %r stands in no table; not sent", event)
            return
        least = max(least_role, self._least_roles[event])
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        message = f"event: {event}\ndata: {text}\n\n".encode()
        for queue, role in tuple(self._listening.items()):
            if role < least:
                continue
            if queue.qsize() >= WAITING:
                self._end(queue)
            else:
                queue.put_nowait(message)

    def listen(self, role: Role) -> AsyncIterator[bytes]:
        """The stream for one page, until it leaves or `stop`. TooMany beyond LISTENERS."""
        if len(self._listening) >= LISTENERS:
            raise TooMany("open pages", 10)
        return self._stream(role)

    async def _stream(self, role: Role) -> AsyncIterator[bytes]:
        if self._stopped:
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listening[queue] = role
        try:
            yield f"retry: {RETRY}\n\n".encode()
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), self._heartbeat)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if message is None:
                    return
                yield message
        finally:
            self._listening.pop(queue, None)

    def listeners(self) -> int:
        return len(self._listening)

    def stop(self) -> None:
        """End every stream; pages come back when there is something to come back to."""
        self._stopped = True
        for queue in tuple(self._listening):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._listening.pop(queue, None)
        queue.put_nowait(None)
