"""Being found: one SSDP socket for all interfaces.

Rule 1: one socket on 0.0.0.0:1900. Several with SO_REUSEPORT get each other's datagrams.
Rule 2: IP_MULTICAST_ALL=0 and a membership per interface index, so a datagram is heard only where it came in.
Rule 3: the answer leaves by the interface that the question came by, with that interface's LOCATION.
Rule 4: only a source on the same link is answered, and not without bound.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field

from dlna import ssdp_messages
from dlna.device import MULTICAST, Device
from dlna.interfaces import Interface

log = logging.getLogger(__name__)

BURST = 3
TTL = 4
SOURCE_PER_SECOND = 10
ALL_PER_SECOND = 50
LONGEST_DELAY = 0.8
"""Seconds: an answer is spread over MX, but a person is waiting."""
SEARCHERS = 16
"""Addresses remembered for each interface."""

_IP_MULTICAST_ALL = 49
_IP_PKTINFO = 8


@dataclass(frozen=True)
class Rhythm:
    """How often we announce ourselves, in seconds. TVs that never search live on `alive` (gerbera#1333)."""

    alive: float = 45.0
    jitter: float = 15.0
    """An alive follows the last one after `alive` ± `jitter`, so that servers do not speak in chorus."""
    burst_gap: float = 0.15


@dataclass
class Traffic:
    """What one interface sent, heard and answered; shown by `mantel doctor`."""

    sent: int = 0
    heard: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    last_heard: float | None = None
    """Epoch seconds of the last M-SEARCH from anyone."""
    last_error: str = ""
    searchers: dict[str, float] = field(default_factory=dict)
    """Address → epoch seconds of its last M-SEARCH, the newest last; at most SEARCHERS."""

    def hear(self, source: str, now: float) -> None:
        """An M-SEARCH came in."""
        self.heard += 1
        self.last_heard = now
        self.searchers.pop(source, None)
        self.searchers[source] = now
        if len(self.searchers) > SEARCHERS:
            del self.searchers[next(iter(self.searchers))]


class Rate:
    """At most so many a second: from one source, and in all."""

    def __init__(self, one: int = SOURCE_PER_SECOND, everyone: int = ALL_PER_SECOND) -> None:
        self._one, self._everyone = one, everyone
        self._second = 0
        self._counts: dict[str, int] = defaultdict(int)
        self._total = 0

    def allows(self, source: str, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._total = int(now), 0
            self._counts.clear()
        if self._counts[source] >= self._one or self._total >= self._everyone:
            return False
        self._counts[source] += 1
        self._total += 1
        return True


class Ssdp:
    """Announces the device on each interface and answers searches."""

    def __init__(
        self,
        device: Device,
        port: int,
        path: str = "/description.xml",
        boot_id: int | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._device, self._port, self._path = device, port, path
        self._rhythm = rhythm or Rhythm()
        self._interfaces: dict[int, list[Interface]] = {}
        self._socket: socket.socket | None = None
        self._alive: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._rate = Rate()
        self.boot_id = boot_id or int(time.time()) & 0x7FFFFFFF
        self.traffic: dict[str, Traffic] = defaultdict(Traffic)

    def start(self) -> None:
        """Bind and listen; nothing is announced until `interfaces()` says where."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
        sock.bind(("0.0.0.0", MULTICAST[1]))  # noqa: S104 - rule 1
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock, self._readable)
        self._alive = asyncio.create_task(self._keep_alive())

    def interfaces(self, now: Iterable[Interface]) -> None:
        """These serve from now on. New ones hear byebye and a burst of alive, the others an update."""
        before = set(self._all())
        after = set(_one_a_link(now, before))
        if before == after:
            return
        for index in {one.index for one in before - after}:
            self._membership(index, join=False)
        self._interfaces = defaultdict(list)
        for one in sorted(after, key=_order):
            self._interfaces[one.index].append(one)
        next_boot = max(self.boot_id + 1, int(time.time()) & 0x7FFFFFFF)
        if before:
            for one in before & after:
                self._send_all(
                    one, ssdp_messages.update(self._device, self.location(one), self.boot_id, next_boot)
                )
            self.boot_id = next_boot
        self._join_anew()
        self._spawn(self._introduce(sorted(after - before, key=_order), sorted(before & after, key=_order)))

    async def stop(self) -> None:
        """Say byebye twice everywhere and close."""
        if self._socket is None:
            return
        for task in (self._alive, *self._tasks):
            if task:
                task.cancel()
        for again in range(2):
            if again:
                await asyncio.sleep(0.05)
            for one in self._all():
                self._send_all(one, ssdp_messages.byebye(self._device, self.boot_id))
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None

    def location(self, interface: Interface) -> str:
        return f"http://{interface.address}:{self._port}{self._path}"

    def _all(self) -> list[Interface]:
        return [one for group in self._interfaces.values() for one in group]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _introduce(self, new: list[Interface], known: list[Interface]) -> None:
        for one in new:
            self._send_all(one, ssdp_messages.byebye(self._device, self.boot_id))
        for _ in range(BURST):
            await asyncio.sleep(self._rhythm.burst_gap)
            for one in (*new, *known):
                self._send_all(one, ssdp_messages.alive(self._device, self.location(one), self.boot_id))

    async def _keep_alive(self) -> None:
        while True:
            jitter = self._rhythm.jitter
            await asyncio.sleep(self._rhythm.alive + random.uniform(-jitter, jitter))  # noqa: S311
            self._join_anew()
            for one in self._all():
                self._send_all(one, ssdp_messages.alive(self._device, self.location(one), self.boot_id))

    def _join_anew(self) -> None:
        """A switch that snoops IGMP without a querier forgets us after 260 s."""
        for index in self._interfaces:
            self._membership(index, join=False)
            self._membership(index, join=True)

    def _membership(self, index: int, *, join: bool) -> None:
        assert self._socket
        mreqn = struct.pack("4s4si", socket.inet_aton(MULTICAST[0]), b"\0\0\0\0", index)
        what = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, what, mreqn)
        except OSError as error:
            if join:  # leaving what we never joined, or an interface that is gone, is no news
                log.warning("cannot join the SSDP group on interface %d: %s", index, error)

    def _send_all(self, interface: Interface, messages: Iterable[bytes]) -> None:
        for message in messages:
            self._send(interface, message, MULTICAST)

    def _send(self, interface: Interface, message: bytes, to: tuple[str, int]) -> None:
        if self._socket is None:
            return
        traffic = self.traffic[interface.name]
        source = struct.pack("i4s4s", interface.index, interface.address.packed, b"\0\0\0\0")
        try:
            self._socket.sendmsg([message], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, to)
            traffic.sent += 1
        except OSError as error:
            traffic.failed += 1
            if traffic.last_error != str(error):  # once, not each time: a dead interface fills the log
                traffic.last_error = str(error)
                log.warning("SSDP on %s: %s", interface.name, error)

    def _readable(self) -> None:
        assert self._socket
        for _ in range(32):  # then the loop gets its turn
            try:
                data, ancillary, _, source = self._socket.recvmsg(
                    ssdp_messages.LONGEST + 1, socket.CMSG_SPACE(12)
                )
            except OSError:
                return
            for level, kind, value in ancillary:
                if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                    self._heard(data, struct.unpack_from("i", value)[0], source)

    def _heard(self, data: bytes, index: int, source: tuple[str, int]) -> None:
        message = ssdp_messages.read(data)
        group = self._interfaces.get(index)
        if message is None or not group or not ssdp_messages.is_search(message):
            return
        traffic = self.traffic[group[0].name]
        traffic.hear(source[0], time.time())
        interface = next((one for one in group if _is_neighbour(one, source[0])), None)
        if interface is None or source[1] < 1 or not self._rate.allows(source[0], time.monotonic()):
            traffic.refused += 1
            return
        found = ssdp_messages.matches(self._device, message.headers.get("st", ""))
        if found:
            traffic.answered += 1
            self._spawn(self._answer(interface, found, source, ssdp_messages.patience(message)))

    async def _answer(
        self, interface: Interface, found: list[tuple[str, str]], to: tuple[str, int], patience: float
    ) -> None:
        await asyncio.sleep(random.uniform(0, min(patience, LONGEST_DELAY)))  # noqa: S311
        for target, usn in found:
            self._send(
                interface,
                ssdp_messages.answer(self._device, self.location(interface), self.boot_id, target, usn),
                to,
            )
            await asyncio.sleep(0.01)


def _one_a_link(found: Iterable[Interface], announced: set[Interface]) -> list[Interface]:
    """One address of each network on each link, the announced one first: two LOCATIONs make a TV flap."""
    chosen: dict[object, Interface] = {}
    for one in sorted(found, key=lambda one: (one not in announced, _order(one))):
        chosen.setdefault((one.index, one.network), one)
    return list(chosen.values())


def _order(interface: Interface) -> tuple[int, int]:
    return interface.index, int(interface.address)


def _is_neighbour(interface: Interface, source: str) -> bool:
    """On this link, or a program on this very machine."""
    return interface.reaches(source) or source == str(interface.address)
