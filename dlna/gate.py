"""Who gets in at all: peers on our own links, with an honest Host, and not all sockets for one.

Rule 1: a peer is on the link of the interface that it came in by, or is this machine itself.
Rule 2: Host is exactly our numeric address and port; HTTP/1.0 may leave it away (DNS rebinding).
Rule 3: a request with an Origin comes from a web page; only what a route allows by itself is answered.
Rule 4: a connection that says nothing, or one too many from the same address, is closed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dlna.interfaces import Interface, facing

CONNECTIONS_PER_PEER = 32
CONNECTIONS = 512
SILENCE = 15.0
"""Seconds in which a new connection has to bring a whole request head."""
SWEEP_SECONDS = 2.0


@dataclass(frozen=True)
class Entered:
    """A request that passed the gate."""

    peer: str
    interface: str
    host: str
    """Our `address:port` as the peer reached it."""


class Turned(Exception):
    """Answered with `status` and nothing else."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def enter(
    peer: str,
    local: tuple[str, int],
    host: str | None,
    version: tuple[int, int],
    served: Iterable[Interface],
) -> Entered:
    """Pure. Raises Turned 403 (stranger), 505 (no HTTP/1), 400 (no Host), 421 (another's Host)."""
    address, port = local
    here = [i for i in served if str(i.address) == address]
    if not here:
        raise Turned(403, "this address is not served")
    inside = facing(peer, here) or (here[0] if peer == address else None)
    if inside is None:
        raise Turned(403, "not on this network")
    if version not in ((1, 0), (1, 1)):
        raise Turned(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    own = f"{address}:{port}"
    if host is None:
        if version >= (1, 1):
            raise Turned(400, "HTTP/1.1 needs a Host")
    elif host.strip() != own and not (port == 80 and host.strip() == address):
        raise Turned(421, "not the Host of this server")
    return Entered(peer, inside.name, own)


class Crowd:
    """Closes connections that are silent or too many; `sweep()` every SWEEP_SECONDS."""

    def __init__(self) -> None:
        self._since: dict[RequestHandler, float] = {}
        self._spoke: set[object] = set()

    def spoke(self, request: web.BaseRequest) -> None:
        """This connection has brought a request; its idle times are aiohttp's keep-alive business."""
        self._spoke.add(request.protocol)

    def sweep(self, connections: Iterable[RequestHandler]) -> int:
        """How many were closed."""
        now, closed, total = time.monotonic(), 0, 0
        per_peer: Counter[str] = Counter()
        open_now = list(connections)
        self._spoke.intersection_update(open_now)
        self._since = {one: self._since.get(one, now) for one in open_now}
        for one in open_now:
            transport = one.transport
            if transport is None:
                continue
            peer = (transport.get_extra_info("peername") or ("",))[0]
            per_peer[peer] += 1
            total += 1
            silent = one not in self._spoke and now - self._since[one] > SILENCE
            if silent or per_peer[peer] > CONNECTIONS_PER_PEER or total > CONNECTIONS:
                transport.abort()
                closed += 1
        return closed
