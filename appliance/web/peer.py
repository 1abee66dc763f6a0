"""Where a request came from and whom it asked for, told from the connection and from settings.

Rules:
1. Names: our own numeric address, `localhost`, `<name>.local` (also as mDNS changed it) and MANTEL_HOSTS.
   Anything else is misdirected, so that a page elsewhere cannot rebind its name to us. A trusted proxy was
   reached by another address than we are; a private number is no name that can be rebound.
2. X-Forwarded-* counts from a trusted proxy alone.
3. A peer with a public address is refused unless the settings let it in.
4. Cookies go to every port of a host, so a page of another port is told apart by Origin (RFC 6454) alone.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import lru_cache, partial

from appliance.accounts.client import Channel
from appliance.errors import Forbidden
from appliance.lan.mdns import host_label
from appliance.settings import Settings
from appliance.web.errors import Misdirected


@dataclass(frozen=True)
class Peer:
    address: str
    """Numeric; behind a trusted proxy, the one that the proxy names."""
    channel: Channel
    origin: str
    """Scheme, host and port by which the peer speaks to us."""
    base: Callable[[], str]
    """Where the household reaches us: from settings and the socket, never from Host. Asks the kernel."""


SAFE_METHODS = frozenset({"GET", "HEAD"})


class Door:
    """Checks a request's Host, peer and Origin against the settings.

    `announced`: the names that mDNS told the network, `mantel-2.local` where another was first.
    """

    def __init__(self, settings: Settings, announced: Container[str] = ()) -> None:
        self._announced = announced
        self._names = {
            "localhost",
            f"{host_label(settings.name)}.local",
            *(host.lower() for host in settings.hosts),
        }
        self._hosts = settings.hosts
        self._proxies = frozenset(settings.trusted_proxies)
        self._public = settings.public_peers == "on"

    def peer(
        self, scheme: str, client: str, server: tuple[str, int], host: str | None, forwarded: tuple[str, str]
    ) -> Peer:
        """`server`: our end of the connection; `forwarded`: X-Forwarded-For and -Proto as sent.

        Raises Misdirected (421) or Forbidden.
        """
        address = _plain(client)
        if not host or not self._is_ours(host, server[0], address in self._proxies):
            raise Misdirected(host or "")
        base = partial(self._base, scheme, server)
        if address in self._proxies:
            far, proto = forwarded
            hops = [hop for hop in (_plain(part) for part in far.split(",")) if hop]
            address = next((hop for hop in reversed(hops) if hop not in self._proxies), address)
            scheme = proto.strip().lower() if proto.strip().lower() in ("http", "https") else scheme
            if self._hosts:
                base = partial("{}://{}".format, scheme, self._hosts[0])
        elif not self._public and _is_public(address):
            raise Forbidden("Mantel answers at home only.")
        return Peer(address, "tls" if scheme == "https" else "plain", f"{scheme}://{host.lower()}", base)

    def _base(self, scheme: str, server: tuple[str, int]) -> str:
        """This listener by its name or number: a certificate names hosts, a number works on every phone."""
        address = _plain(server[0])
        if scheme == "https" and self._hosts:
            address = self._hosts[0]
        elif not address or ipaddress.ip_address(address).is_loopback:
            address = own_address() or "localhost"
        return f"{scheme}://{f'[{address}]' if ':' in address else address}:{server[1]}"

    def _is_ours(self, host: str, server: str, by_proxy: bool) -> bool:
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?", host)
        if not match:
            return False
        name = match[1].lower().rstrip(".")
        if name in self._names or name in self._announced:
            return True
        number = _plain(name)
        return number != "" and (number == _plain(server) or (by_proxy and not _is_public(number)))


def check_origin(method: str, origin: str | None, site: str | None, has_cookie: bool, ours: str) -> None:
    """Forbidden for an unsafe request that a page of another origin may have caused.

    Over plain HTTP browsers send no Sec-Fetch-Site, and cookies cross ports: Origin decides. What has
    neither header is no browser, and passes only if it carries no cookie.
    """
    if method in SAFE_METHODS:
        return
    if origin is not None:
        allowed = origin.lower() == ours
    elif site is not None:
        allowed = site == "same-origin"
    else:
        allowed = not has_cookie
    if not allowed:
        raise Forbidden("This did not come from Mantel's own page.")


def own_address() -> str | None:
    """Our address towards the rest of the network; None without one. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            # Connecting a UDP socket only looks up the route.
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(asking.getsockname()[0])


@lru_cache(1024)
def _plain(address: str) -> str:
    """A numeric address without brackets, zone or IPv4 mapping; empty when it is none."""
    try:
        found = ipaddress.ip_address(address.strip().strip("[]").split("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)


@lru_cache(1024)
def _is_public(address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address).is_global
