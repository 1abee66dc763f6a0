"""Finding renderers: M-SEARCH out of each interface, NOTIFY listened to on each.

One socket hears the multicasts. It is bound to the group's address, so that unicast to port 1900 stays with
the media server beside us. Each interface has a socket of its own for searching; answers come back to it.
The library's listener is not used: it binds 0.0.0.0:1900 with SO_REUSEPORT, which takes datagrams from
others on this machine, and hears each interface on every socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from async_upnp_client.exceptions import UpnpError
from async_upnp_client.ssdp import build_ssdp_search_packet, decode_ssdp_packet, is_valid_ssdp_packet

from dlna.casting.sightings import Change, Sighting, Sightings
from dlna.interfaces import Interface, facing

log = logging.getLogger(__name__)

GROUP, PORT = "239.255.255.250", 1900
SEARCH_TARGET = "urn:schemas-upnp-org:device:MediaRenderer:1"
"""Version 2 and 3 answer to a search for 1 (UDA 1.1 §1.3.2)."""
SEARCH_EVERY = 30.0
"""Seconds. After the first three, sent close together since UDP gets lost."""
SILENT_AFTER = 95.0
"""Seconds: three searches unanswered. Then a connection decides, since some TVs answer no search."""
KNOCK_PATIENCE = 3.0
IP_MULTICAST_ALL = 49
"""<linux/in.h>; not in the socket module of 3.11"""


class Discovery:
    """Calls `on_change` for each renderer that appears or vanishes.

    `interfaces()` is asked anew at each search.
    """

    def __init__(
        self, interfaces: Callable[[], Sequence[Interface]], on_change: Callable[[Change], None]
    ) -> None:
        self._interfaces, self._on_change = interfaces, on_change
        self._current: tuple[Interface, ...] = ()
        self._gateway: str | None = None
        self._sightings = Sightings()
        self._listening: asyncio.DatagramTransport | None = None
        self._searching: list[tuple[asyncio.DatagramTransport, Interface]] = []
        self._wake = asyncio.Event()

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        return self._sightings.all

    async def run(self) -> None:
        """Search and listen until cancelled."""
        round_number = 0
        try:
            while True:
                try:
                    await self._follow_interfaces()
                    self._search()
                    await self._check_the_silent()
                except OSError as error:
                    # Another program holds port 1900 for itself, or an interface just went: the next round.
                    log.warning("Looking for players failed, it goes on: %s", error)
                round_number += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1.0 if round_number < 3 else SEARCH_EVERY)
                self._wake.clear()
        finally:
            self._close()

    def search_now(self) -> None:
        """Ask again at once: somebody looks at the list, or has woken a TV."""
        self._wake.set()

    def confirm(self, udn: str) -> None:
        self._sightings.confirm(udn, time.monotonic())

    def lost(self, udn: str) -> None:
        """A connection to it failed: gone until it is seen again."""
        if change := self._sightings.forget(udn):
            self._on_change(change)

    async def _follow_interfaces(self) -> None:
        current, self._gateway = tuple(self._interfaces()), gateway()
        if current == self._current and self._listening:
            return
        self._close()
        self._current = current
        loop = asyncio.get_running_loop()
        self._listening, _ = await loop.create_datagram_endpoint(
            lambda: _Heard(self._hear), sock=_listening_socket(current)
        )
        for interface in current:
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Heard(self._hear), sock=_searching_socket(interface)
                )
            except OSError as error:
                log.warning("No search on %s: %s", interface.name, error)
                continue
            self._searching.append((transport, interface))

    def _search(self) -> None:
        packet = build_ssdp_search_packet((GROUP, PORT), 2, SEARCH_TARGET)
        for transport, _ in self._searching:
            transport.sendto(packet, (GROUP, PORT))

    async def _check_the_silent(self) -> None:
        for sighting in self._sightings.silent_since(time.monotonic() - SILENT_AFTER):
            if await _answers(sighting):
                self._sightings.confirm(sighting.udn, time.monotonic())
            else:
                self.lost(sighting.udn)

    def _hear(self, data: bytes, sender: str) -> None:
        if facing(sender, self._current) is None or sender == self._gateway or not is_valid_ssdp_packet(data):
            return
        try:
            _, found = decode_ssdp_packet(data, None, (sender, 0))
        except (UpnpError, ValueError, LookupError):
            return
        headers = {str(k).lower(): str(v) for k, v in found.items() if not str(k).startswith("_")}
        if data.startswith(b"M-SEARCH"):
            return
        if change := self._sightings.see(headers, sender, time.monotonic()):
            self._on_change(change)

    def _close(self) -> None:
        for transport in (self._listening, *(t for t, _ in self._searching)):
            if transport:
                transport.close()
        self._listening, self._searching = None, []


class _Heard(asyncio.DatagramProtocol):
    def __init__(self, hear: Callable[[bytes, str], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hear(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        log.debug("SSDP socket: %s", exc)  # an interface went away; the next search looks again


def _listening_socket(interfaces: Sequence[Interface]) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setblocking(False)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
    listening.bind((GROUP, PORT))
    for index in {i.index for i in interfaces}:
        membership = struct.pack("@4s4si", socket.inet_aton(GROUP), b"\0" * 4, index)
        try:
            listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as error:
            log.warning("No SSDP from interface %d: %s", index, error)
    return listening


def _searching_socket(interface: Interface) -> socket.socket:
    searching = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    searching.setblocking(False)
    searching.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
    out = struct.pack("@4s4si", b"\0" * 4, interface.address.packed, interface.index)
    searching.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)
    searching.bind((str(interface.address), 0))
    return searching


async def _answers(sighting: Sighting) -> bool:
    """Whether a TCP connection to the place of its description succeeds."""
    host_and_port = sighting.location.split("/")[2]
    _, _, port = host_and_port.partition(":")
    try:
        async with asyncio.timeout(KNOCK_PATIENCE):
            _, writer = await asyncio.open_connection(sighting.address, int(port or 80))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def gateway() -> str | None:
    """Address of the default route's router, which is never taken for a player."""
    try:
        lines = Path("/proc/thread-self/net/route").read_text().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        _, destination, router, *_ = line.split()
        if destination == "00000000" and router != "00000000":
            return socket.inet_ntoa(bytes.fromhex(router)[::-1])
    return None
