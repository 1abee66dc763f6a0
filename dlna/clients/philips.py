"""Philips TVs, and others with the same stack. Sources: UMS Philips-*.conf, minidlna clients.c."""

from __future__ import annotations

from dlna.clients.client import Client

# `Allegro-Software-WebClient/4.61 DLNADOC/1.00`, `49PUS8503/12`, `PhilipsIntelSDK/1.4`
PHILIPS = Client(
    "philips",
    signs=(
        (
            "user-agent",
            r"PhilipsIntelSDK|\b\d{2}[PHO][FUL][LSET]\w?\d{4}|Allegro-Software-WebClient.*DLNADOC",
        ),
        ("description", r"(?i)philips"),
    ),
)

# `IPI/1.0 UPnP/1.0 DLNADOC/1.50`: Vizio and others on NetFront; sorts nothing itself (minidlna).
NETFRONT = Client(
    "netfront",
    signs=(("user-agent", r"IPI/1\.0"),),
    forced_sort="+upnp:class,+upnp:originalDiscNumber,+upnp:originalTrackNumber,+dc:title",
)

FAMILIES = (PHILIPS, NETFRONT)
