"""LG TVs, NetCast and webOS. Sources: rygel-lg-tv-hacks.vala, UMS LG-*.conf, jellyfin PR 6907."""

from __future__ import annotations

from dlna.clients.client import Client

# `Linux/2.6.18 UPnP/1.0 … LGE_DLNA_SDK/1.6.0 [TV][LG]42UB820V-ZH/04.02.00 DLNADOC/1.50`,
# `LGE WebOS TV LGE_DLNA_SDK/1.6.0/04.30.13`; `DLNADeviceName.lge.com: %5bLG%5d%20webOS%20TV%20LQ63006LA`
LG = Client(
    "lg",
    signs=(
        ("user-agent", r"LGE_DLNA_SDK|\[LG\]|LG Electronics|WebOS TV"),
        ("dlnadevicename.lge.com", r"."),
        ("description", r"(?i)LG Electronics|webOS"),
    ),
    # A profile name on these greys the file out (rygel); bit 29 gives the seek bar back on a CX (jellyfin).
    nameless=frozenset({"video/x-matroska", "video/mp4"}),
    av_flags="21700000",
)

FAMILIES = (LG,)
