"""Word of interfaces that come, go or change address, from the kernel (rtnetlink)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

from dlna.interfaces import IFF_RUNNING, IFF_UP, Interface, flags, interfaces

_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR = 0x1, 0x10
_SETTLE = 0.3
"""Seconds: a cable that is plugged in makes a handful of messages."""


class InterfaceWatch:
    """Calls `changed(interfaces)` at the start and whenever those that can carry packets are others."""

    def __init__(self, named: Sequence[str] | None, changed: Callable[[tuple[Interface, ...]], None]) -> None:
        self._named, self._changed = named, changed
        self.current: tuple[Interface, ...] = ()
        self._socket: socket.socket | None = None
        self._later: asyncio.TimerHandle | None = None

    def start(self) -> None:
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        link.bind((0, _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR))
        self._socket = link
        asyncio.get_running_loop().add_reader(link, self._heard)
        self.look()

    def stop(self) -> None:
        if self._later:
            self._later.cancel()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def look(self) -> None:
        self._later = None
        now = tuple(i for i in interfaces(self._named) if carries(i.name))
        if now != self.current:
            self.current = now
            self._changed(now)

    def _heard(self) -> None:
        assert self._socket
        try:
            while self._socket.recv(1 << 16):
                pass
        except OSError:
            pass  # drained, or messages were dropped (ENOBUFS): we look at the whole table anyway
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(_SETTLE, self.look)


def carries(name: str) -> bool:
    """Whether the interface is up and has a link: a pulled cable keeps its address."""
    return flags(name) & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING
