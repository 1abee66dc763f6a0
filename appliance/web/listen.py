"""Serving an ASGI app on sockets that we bind ourselves, and stopping in time.

Binding before anything else starts gives early port errors, port 0 in tests, and systemd's sockets.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import weakref
from pathlib import Path
from typing import Any

import h11
import hypercorn.asyncio.run
from hypercorn.asyncio import serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol

from appliance.errors import Unavailable
from appliance.streaming.zero_copy import WIRE, Wire
from appliance.units import SECONDS

log = logging.getLogger(__name__)

BACKLOG = 1024
"""Hypercorn's 100 loses SYNs when 200 clients come at once."""
GRACE = 1.5 * SECONDS
"""How long running answers may go on after the stop."""
KEEP_ALIVE = 20 * SECONDS
"""5 s, the default, closes between a player's range requests."""
LOOK_EVERY = 20 * SECONDS
"""How soon a renewed certificate is served."""

SILENT_PEER = 40 * SECONDS
SOCKET = "mantel.socket"

_writers: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()


class WatchedConnection(TCPServer):
    """Hypercorn's connection, with its writer on record and its wire in the state of its scopes.

    Hypercorn waits without limit for a client that reads slowly (its issue 308); aborting the
    transport after the grace is the cure, and needs the writer.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        _writers.add(self.writer)
        self.state = {**self.state, WIRE: self._wire, SOCKET: self.writer.get_extra_info("socket")}

    async def _read_data(self) -> None:
        await super()._read_data()
        # The peer has closed. Hypercorn would wait for its next request, and hold the descriptor, as long as
        # for anybody's.
        await self.idle_task.stop()

    def _wire(self) -> Wire | None:
        http = self.protocol.protocol
        if self.writer.get_extra_info("ssl_object") or not isinstance(http, H11Protocol):
            return None
        framing = http.connection
        if not isinstance(framing, h11.Connection):
            return None

        def passed(count: int) -> None:
            # h11 counts what it has not seen: its own way for sendfile.
            framing.send_with_data_passthrough(h11.Data(data=_Unseen(count)))  # type: ignore[arg-type]

        return Wire(self.writer.transport, self.writer.drain, passed)


def drop_silent_peer(scope: Any) -> None:
    """Let the kernel end this request's connection when what we send is not acknowledged for SILENT_PEER.

    For streams with a heartbeat: a phone that left the house says no goodbye (RFC 5482 §1).
    """
    sock = (scope.get("state") or {}).get(SOCKET)
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_PEER * 1000)


class _Unseen:
    """So many bytes that go by."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count


hypercorn.asyncio.run.TCPServer = WatchedConnection  # type: ignore[assignment,attr-defined]


def bind(address: str, port: int) -> socket.socket:
    """A listening TCP socket. Port 0 takes any. Raises Unavailable with the reason."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise Unavailable(f"port {port}", error.strerror or str(error)) from error
    return sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def quiet_cancellation(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for the loop: Python 3.11 reports each connection that a stop cancels."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


class _Tls(Config):
    """Hypercorn's settings, with the context that it makes of them."""

    def create_ssl_context(self) -> ssl.SSLContext | None:
        self.context = super().create_ssl_context()
        return self.context


def _changed_at(file: Path) -> int:
    return file.stat().st_mtime_ns


async def _follow(config: _Tls, chain: Path, key: Path) -> None:
    """Serves a renewed certificate to whoever connects next. What cannot be read is not taken."""
    seen = _changed_at(chain)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            now = _changed_at(chain)
            if now != seen and config.context:
                config.context.load_cert_chain(chain, key)
                seen = now
                log.info("The renewed certificate in %s is served.", chain)
        except (OSError, ssl.SSLError) as error:
            log.warning("The certificate in %s is not taken: %s", chain, error)


async def serve_until(
    app: Any, sock: socket.socket, stop: asyncio.Event, tls: tuple[Path, Path] | None = None
) -> None:
    """Serve `app` on `sock` until `stop` is set; then at most GRACE more, whoever still reads.

    `tls`: certificate chain and key.
    """
    config = _Tls()
    config.context = None
    config.bind = [f"fd://{os.dup(sock.fileno())}"]
    if tls:
        config.certfile, config.keyfile = str(tls[0]), str(tls[1])
        # HTTP/1.1 only: HTTP/2 halves the speed of a film here.
        config.alpn_protocols = ["http/1.1"]
    config.backlog = BACKLOG
    config.include_server_header = False
    config.graceful_timeout = GRACE
    config.shutdown_timeout = GRACE
    config.keep_alive_timeout = KEEP_ALIVE
    config.accesslog = None
    config.errorlog = None
    config.websocket_ping_interval = None

    async def abort_after_grace() -> None:
        await stop.wait()
        await asyncio.sleep(GRACE)
        for writer in list(_writers):
            writer.transport.abort()

    beside = [asyncio.create_task(abort_after_grace(), name="abort after grace")]
    if tls:
        beside.append(asyncio.create_task(_follow(config, *tls), name="certificate"))
    try:
        await serve(app, config, shutdown_trigger=stop.wait)
    finally:
        for task in beside:
            task.cancel()
