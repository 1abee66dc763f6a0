"""The magic packet: out of each interface, to its subnet's broadcast address, more than once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import wakeonlan

from dlna.interfaces import Interface

log = logging.getLogger(__name__)

PORT = 9
"""discard; what every BIOS and `etherwake` uses. The card looks at the bytes alone."""
TIMES, APART = 3, 0.3
"""Packets, and seconds between them: UDP gets lost, and Wi-Fi bridges drop broadcasts."""


async def send(mac: str, secure_on: str | None, interfaces: Sequence[Interface]) -> tuple[str, ...]:
    """Send the packets; names of the interfaces by which they left. Empty: none would take them.

    255.255.255.255 leaves by the default route alone, and a unicast needs an ARP answer that a sleeper does
    not give: so the directed broadcast, from the interface's own address.
    """
    word = f"{mac}/{secure_on}" if secure_on else mac
    left: dict[str, None] = {}
    for turn in range(TIMES):
        if turn:
            await asyncio.sleep(APART)
        for interface in interfaces:
            if interface.network.prefixlen >= 31:
                continue
            try:
                wakeonlan.wake(
                    word, host=str(interface.broadcast), port=PORT, interface=str(interface.address)
                )
            except OSError as error:
                log.warning("No magic packet by %s: %s", interface.name, error)
            else:
                left[interface.name] = None
    return tuple(left)
