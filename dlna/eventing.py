"""GENA: who wants to hear of changes, and telling them (UDA 1.0 §4).

Rule 1: only the subscriber's own address is called back (CallStranger, CVE-2020-12695).
Rule 2: a slow or dead subscriber holds up nobody: its own task, a short timeout, gone after three failures.
Rule 3: the initial event follows the answer to SUBSCRIBE, and leaves the caller time to read it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from dlna.xml_text import xml_text

log = logging.getLogger(__name__)

SHORTEST_LEASE, LONGEST_LEASE = 300, 1800
"""Seconds. A lease that is short takes dead TVs off the list soon."""
SUBSCRIPTIONS_PER_PEER = 8
SUBSCRIPTIONS = 256
LONGEST_CALLBACK = 256
"""Characters of one URL, and 6 of them at most (gssdp's limits)."""
CALLBACKS = 6
FAILURES = 3
NOTIFY_TIMEOUT = 5.0
FIRST_DELAY, SPACING = 0.1, 2.0
"""Seconds: after quiet a change is told soon, then at most one event in two seconds. SystemUpdateID and
ContainerUpdateIDs are moderated at 0.5 Hz (ContentDirectory:1 §2.5.20, §2.5.21)."""


INITIAL_DELAY = 0.15
"""Seconds. GUPnP 1.6 loses an initial event that comes while it still reads the answer with the SID: seen."""


class Refused(Exception):
    """Answered with this HTTP status: 400, 412 or 503 (UDA 1.0 table 4-4)."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass
class Subscription:
    sid: str
    peer: str
    callbacks: tuple[str, ...]
    until: float
    """On the monotonic clock."""
    sequence: int = 0
    failures: int = 0
    waiting: asyncio.Queue[dict[str, str]] = field(default_factory=lambda: asyncio.Queue(8))
    task: asyncio.Task[None] | None = None


def callbacks_of(header: str, peer: str, own: frozenset[str]) -> tuple[str, ...]:
    """URLs of a CALLBACK header. Raises Refused unless each is plain HTTP to the peer's own address.

    `own` are our addresses: never called, but for 127.0.0.1 when that is the peer.
    """
    urls = tuple(re.findall(r"<([^<>]*)>", header[: LONGEST_CALLBACK * CALLBACKS]))
    if not urls or len(urls) > CALLBACKS:
        raise Refused(412, "CALLBACK has no URL in angle brackets, or too many")
    for url in urls:
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError:
            raise Refused(412, "CALLBACK is no URL") from None
        fine = parts.scheme.lower() == "http" and port != 0 and not parts.username and url.isprintable()
        if not fine or len(url) > LONGEST_CALLBACK or not url.isascii() or " " in url:
            raise Refused(412, "CALLBACK is no plain http URL")
        if host != peer or (host in own and host != "127.0.0.1"):
            raise Refused(412, "CALLBACK is not the caller's own address")
    return urls


def lease(header: str | None) -> int:
    """Seconds granted for a TIMEOUT header: `Second-300`, `Second-infinite`, or nothing."""
    match = re.fullmatch(r"(?i)\s*second-(\d{1,9})\s*", header or "")
    return min(max(int(match[1]), SHORTEST_LEASE), LONGEST_LEASE) if match else LONGEST_LEASE


def wait_before(now: float, last: float) -> float:
    """Seconds from a first change until the event that tells of it; `last` is when one was sent before."""
    return max(FIRST_DELAY, last + SPACING - now)


class Publisher:
    """The subscriptions of one service. `initial()` gives all evented variables."""

    def __init__(self, initial: Callable[[], Mapping[str, str]]) -> None:
        self._initial = initial
        self._subscriptions: dict[str, Subscription] = {}
        self._http: aiohttp.ClientSession | None = None
        self._pending: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, peer: str, callbacks: tuple[str, ...], seconds: int) -> Subscription:
        """A new subscription; `begin()` it once the answer is sent. Raises Refused 503."""
        self._sweep()
        same = [s for s in self._subscriptions.values() if s.peer == peer]
        for old in [s for s in same if s.callbacks == callbacks]:
            self._drop(old)  # the TV was switched off and on: one event is enough
            same.remove(old)
        if len(same) >= SUBSCRIPTIONS_PER_PEER or len(self._subscriptions) >= SUBSCRIPTIONS:
            raise Refused(503, "too many subscriptions")
        one = Subscription(f"uuid:{uuid.uuid4()}", peer, callbacks, time.monotonic() + seconds)
        self._subscriptions[one.sid] = one
        return one

    def begin(self, one: Subscription) -> None:
        """Send the initial event in a moment, then whatever follows."""
        if one.sid in self._subscriptions and one.task is None:
            one.waiting.put_nowait(dict(self._initial()))
            one.task = asyncio.create_task(self._deliver(one))

    def renew(self, peer: str, sid: str, seconds: int) -> Subscription:
        """Raises Refused 412 for a SID that is unknown, run out or another's."""
        one = self._known(peer, sid)
        one.until = time.monotonic() + seconds
        return one

    def unsubscribe(self, peer: str, sid: str) -> None:
        self._drop(self._known(peer, sid))

    def changed(self, values: Mapping[str, str]) -> None:
        """These variables are other now; sent soon, together with what else changes until then."""
        self._pending.update(values)
        if self._timer is None:
            wait = wait_before(time.monotonic(), self._last)
            self._timer = asyncio.get_running_loop().call_later(wait, self._flush)

    async def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
        for one in list(self._subscriptions.values()):
            self._drop(one)
        if self._http:
            await self._http.close()

    def pending(self, variable: str) -> str | None:
        """The value that waits to be sent, for variables that gather (ContainerUpdateIDs)."""
        return self._pending.get(variable)

    def _flush(self) -> None:
        self._timer, self._last = None, time.monotonic()
        values, self._pending = self._pending, {}
        self._sweep()
        for one in list(self._subscriptions.values()):
            if one.task is None:
                continue  # its initial event is still to come and says the newest anyway
            if one.waiting.full():
                self._drop(one)
            else:
                one.waiting.put_nowait(values)

    def _known(self, peer: str, sid: str) -> Subscription:
        self._sweep()
        one = self._subscriptions.get(sid.strip())
        if one is None or one.peer != peer:
            raise Refused(412, "no such subscription")
        return one

    def _sweep(self) -> None:
        now = time.monotonic()
        for one in [s for s in self._subscriptions.values() if s.until < now]:
            self._drop(one)

    def _drop(self, one: Subscription) -> None:
        self._subscriptions.pop(one.sid, None)
        if one.task and one.task is not asyncio.current_task():
            one.task.cancel()

    async def _deliver(self, one: Subscription) -> None:
        await asyncio.sleep(INITIAL_DELAY)
        while one.sid in self._subscriptions:
            values = await one.waiting.get()
            if await self._notify(one, values):
                one.failures = 0
            else:
                one.failures += 1
                if one.failures >= FAILURES:
                    log.info("%s does not take events any more", one.peer)
                    self._drop(one)
            # UDA 1.0 §4.2.1: the key wraps to 1, 0 is the initial event alone.
            one.sequence = one.sequence + 1 if one.sequence < 2**32 - 1 else 1

    async def _notify(self, one: Subscription, values: Mapping[str, str]) -> bool:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                # No limit of its own: a hundred dead TVs would hold up the rest (rule 2).
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=NOTIFY_TIMEOUT),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {
            "CONTENT-TYPE": 'text/xml; charset="utf-8"',
            "NT": "upnp:event",
            "NTS": "upnp:propchange",
            "SID": one.sid,
            "SEQ": str(one.sequence),
            "CONNECTION": "close",
        }
        body = property_set(values)
        for url in one.callbacks:
            try:
                async with self._http.request(
                    "NOTIFY", url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    if answer.status == 412:
                        self._drop(one)
                    return answer.status < 400
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                continue
        return False


def property_set(values: Mapping[str, str]) -> bytes:
    """The body of a NOTIFY."""
    inside = "".join(
        f"<e:property><{name}>{xml_text(value)}</{name}></e:property>" for name, value in values.items()
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0">{inside}</e:propertyset>'
    ).encode()
