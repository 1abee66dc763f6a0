"""LG TVs, NetCast and webOS. Sources: rygel-lg-tv-hacks.vala, UMS LG-*.conf, jellyfin#6907, gerbera#839."""

from __future__ import annotations

from dlna.clients.client import Client

NAMELESS = frozenset({"video/x-matroska", "video/mp4"})
"""A profile name on these greys the file out (rygel)."""
BYTE_SEEK = "21700000"
"""Bit 29 gives the seek bar back on a CX (jellyfin)."""

# `LGE WebOS TV LGE_DLNA_SDK/1.6.0/04.30.13`, `Linux/3.16.0-61.beehive4tv.3 UPnP/1.0 LGE WebOS TV
# LGE_DLNA_SDK/1.6.0/04.00.90 DLNADOC/1.50`; `DLNADeviceName.lge.com: %5bLG%5d%20webOS%20TV%20LQ63006LA`.
# Fetches previews as `Mozilla/5.0 (Web0S; Linux/SmartTV) … WebAppManager`, with a zero.
WEBOS = Client(
    "lg",
    signs=(
        ("user-agent", r"(?i)\bweb[o0]s\b"),
        ("dlnadevicename.lge.com", r"(?i)webos"),
        ("description", r"(?i)webOS"),
    ),
    nameless=NAMELESS,
    av_flags=BYTE_SEEK,
)

# `Linux/2.6.18 UPnP/1.0 … LGE_DLNA_SDK/1.6.0 [TV][LG]42UB820V-ZH/04.02.00 DLNADOC/1.50`
OLD = Client(
    "lg-old",
    signs=(
        ("user-agent", r"LGE_DLNA_SDK|\[LG\]|LG Electronics|LG-\w+"),
        ("dlnadevicename.lge.com", r"."),
        ("description", r"(?i)LG Electronics"),
    ),
    nameless=NAMELESS,
    av_flags=BYTE_SEEK,
    # Captions of an item whose title has no dot are not shown (minidlna's change log).
    dotted_titles=True,
)

FAMILIES = (WEBOS, OLD)
