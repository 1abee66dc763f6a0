"""The kernel's neighbour table: which MAC has which address on which interface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path("/proc/thread-self/net/arp")
COMPLETE = 0x2
"""ATF_COM in <linux/if_arp.h>: the neighbour has answered."""


@dataclass(frozen=True)
class Neighbour:
    interface: str
    mac: str
    address: str


def read_table(text: str) -> tuple[Neighbour, ...]:
    """The lines of /proc/net/arp whose neighbour has answered; lines that are off are left out."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) == 6 and int(words[2], 16) & COMPLETE and words[3] != "00:00:00:00:00:00":
            found.append(Neighbour(words[5], words[3].lower(), words[0]))
    return tuple(found)


def neighbours() -> tuple[Neighbour, ...]:
    """Empty where the table cannot be read."""
    try:
        return read_table(TABLE.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ()


def address_of(mac: str) -> str | None:
    """Where a MAC was last heard of."""
    return next((n.address for n in neighbours() if n.mac == mac.lower()), None)


def mac_of(address: str) -> str | None:
    return next((n.mac for n in neighbours() if n.address == address), None)
