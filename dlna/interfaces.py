"""The machine's own network interfaces: where SSDP is spoken, and who is on the same link.

IPv4 only: every TV in the field speaks it, and a LOCATION with an IPv6 address breaks many.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from ipaddress import AddressValueError, IPv4Address, IPv4Network

import ifaddr

NEVER_BY_ITSELF = ("lo", "docker*", "br-*", "virbr*", "veth*", "tun*", "tap*", "wg*", "podman*", "zt*")
"""Loopback, containers and tunnels: served only where the settings name them.

So is every link with one peer alone (IFF_POINTOPOINT), whatever it is called: VPNs have many names.
"""

IFF_UP, IFF_POINTOPOINT, IFF_RUNNING = 0x1, 0x10, 0x40
_SIOCGIFFLAGS = 0x8913
"""<linux/if.h>, <linux/sockios.h>"""


@dataclass(frozen=True)
class Interface:
    """One IPv4 address of one interface; an interface with two addresses is two of these."""

    name: str
    index: int
    address: IPv4Address
    network: IPv4Network

    @property
    def broadcast(self) -> IPv4Address:
        """The subnet's directed broadcast address."""
        return self.network.broadcast_address

    def reaches(self, address: str | IPv4Address) -> bool:
        """Whether `address` is a numeric neighbour on this link: not we ourselves, not the broadcast."""
        try:
            other = IPv4Address(address)
        except AddressValueError:
            return False
        edges = (self.network.network_address, self.broadcast) if self.network.prefixlen < 31 else ()
        return other in self.network and other != self.address and other not in edges


def interfaces(named: Sequence[str] | None = None) -> tuple[Interface, ...]:
    """Interfaces called `named`; without names each that has a private address and is not listed above.

    One that is named and missing is left out: it may come later.
    """
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if not ip.is_IPv4 or adapter.index is None:
                continue
            name, address = str(adapter.name), IPv4Address(str(ip.ip))
            wanted = (
                name in named
                if named is not None
                else address.is_private
                and not address.is_loopback
                and not address.is_link_local
                and not any(fnmatch(name, pattern) for pattern in NEVER_BY_ITSELF)
                and not flags(name) & IFF_POINTOPOINT
            )
            if wanted:
                network = IPv4Network(f"{address}/{ip.network_prefix}", strict=False)
                found.append(Interface(name, adapter.index, address, network))
    return tuple(sorted(found, key=lambda i: (i.index, i.address)))


def facing(address: str | IPv4Address, candidates: Iterable[Interface]) -> Interface | None:
    """The interface on whose link `address` is, the narrowest network first; None for a stranger.

    127.0.0.1 faces itself over `lo`, for tests and for a renderer on this very machine.
    """
    fitting = [
        i for i in candidates if i.reaches(address) or (i.name == "lo" and str(address) == "127.0.0.1")
    ]
    return max(fitting, key=lambda i: i.network.prefixlen, default=None)


def flags(name: str) -> int:
    """What the kernel says of an interface (netdevice(7)); 0 for one that is not there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sH14x", os.fsencode(name), 0))
        except OSError:
            return 0
    return int(struct.unpack_from("H", answer, 16)[0])
