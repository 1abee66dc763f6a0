"""The other end of a connection, as far as accounts care."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Channel = Literal["plain", "tls"]


@dataclass(frozen=True)
class Client:
    """Who knocks: numeric address, User-Agent (cut at 200), channel, and what its device cookie says.

    `base` tells where devices of the household reach this listener, by number: `http://192.0.2.7:8000`.
    """

    address: str
    user_agent: str
    channel: Channel
    device_token: str | None = None
    base: Callable[[], str] = str

    @property
    def neighbourhood(self) -> str:
        """What a throttle counts as one address: an IPv4 address, or the /64 of an IPv6 one."""
        try:
            address = ipaddress.ip_address(self.address.split("%")[0])
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "Mac"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """A name that a person knows the device by: `Chrome on Android`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    first = re.sub(r"[^\w .-]", "", user_agent.split("/")[0])[:40].strip()
    return browser or system or first or "A device"


_knocking: ContextVar[Client | None] = ContextVar("knocking", default=None)


def knocking() -> Client:
    """The other end of the request that runs now. Raises LookupError outside of one."""
    client = _knocking.get()
    if client is None:
        raise LookupError("no request is running")
    return client


def set_knocking(client: Client | None) -> None:
    """For `web/guard.py` and tests alone."""
    _knocking.set(client)
