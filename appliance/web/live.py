"""What happens, told to open pages: server-sent events (HTML Living Standard §9.2).

Rules:
1. Each event has its least role in `web/access.py`; one that is not there is told to nobody.
2. Each message has an id. A page that comes back with `Last-Event-ID` is told what it missed, or `gap` where
   that is not known any more: then it asks anew for what it shows.
3. A page that does not keep up is let go; it comes back by itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
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
KEPT = 512
"""Messages that a page may have missed and is told again."""


@dataclass(frozen=True)
class _Message:
    number: int
    least: Role
    text: bytes


class Live:
    """One hub for the process: `publish` never waits, `listen` is one page's stream."""

    def __init__(self, least_roles: Mapping[str, Role], heartbeat: float = HEARTBEAT) -> None:
        self._least_roles, self._heartbeat = least_roles, heartbeat
        self._listening: dict[asyncio.Queue[bytes | None], Role] = {}
        self._run = secrets.token_hex(4)
        """Of this process: an id of another run says nothing here."""
        self._recent: deque[_Message] = deque(maxlen=KEPT)
        self._number = 0
        self._stopped = False

    def publish(self, event: str, data: Mapping[str, Any], least_role: Role = Role.GUEST) -> None:
        """Tell pages whose caller has `least_role`, and the table's role of that event, or more."""
        if event not in self._least_roles:
            log.error("live event %r stands in no table; not sent", event)
            return
        self._number += 1
        least = max(least_role, self._least_roles[event])
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        message = f"id: {self._run}-{self._number}\nevent: {event}\ndata: {text}\n\n".encode()
        self._recent.append(_Message(self._number, least, message))
        for queue, role in tuple(self._listening.items()):
            if role < least:
                continue
            if queue.qsize() >= WAITING:
                self._end(queue)
            else:
                queue.put_nowait(message)

    def listen(self, role: Role, last_id: str | None = None) -> AsyncIterator[bytes]:
        """The stream for one page, until it leaves or `stop`. TooMany beyond LISTENERS.

        `last_id`: what it heard last, as it says itself.
        """
        if len(self._listening) >= LISTENERS:
            raise TooMany("open pages", 10)
        return self._stream(role, last_id)

    async def _stream(self, role: Role, last_id: str | None) -> AsyncIterator[bytes]:
        if self._stopped:
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        # Nothing may wait between these two: an event between them would be told twice or not at all.
        missed = self._missed(role, last_id)
        self._listening[queue] = role
        try:
            yield f"retry: {RETRY}\n\n".encode()
            for message in missed:
                yield message
            while True:
                try:
                    told = await asyncio.wait_for(queue.get(), self._heartbeat)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if told is None:
                    return
                yield told
        finally:
            self._listening.pop(queue, None)

    def _missed(self, role: Role, last_id: str | None) -> list[bytes]:
        if last_id is None:
            return []
        run, _, number = last_id.partition("-")
        oldest = self._recent[0].number if self._recent else self._number + 1
        good = run == self._run and number.isascii() and number.isdigit() and len(number) < 16
        if not good or not oldest - 1 <= int(number) <= self._number:
            return [f"id: {self._run}-{self._number}\nevent: gap\ndata: {{}}\n\n".encode()]
        return [one.text for one in self._recent if one.number > int(number) and role >= one.least]

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
