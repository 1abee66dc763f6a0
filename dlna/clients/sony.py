"""Sony TVs and players. Sources: minidlna clients.c, UMS Sony-*.conf, Jellyfin's Sony profiles."""

from __future__ import annotations

from dlna.clients.client import Client

# `X-AV-Client-Info: av=5.0; cn="Sony Corporation"; mn="Blu-ray Disc Player"; mv="2.0"`
PLAYER = Client(
    "sony-player",
    signs=(("x-av-client-info", r'mn="(Blu-ray Disc Player|BDP|Media Player|SMP)'),),
    # Seen on BDP-S: Matroska and AVI are taken under this name only (minidlna).
    mime_types={"video/x-matroska": "video/divx", "video/x-msvideo": "video/divx"},
    dates=False,
)

# XR and XH models refuse a resource that carries DLNA.ORG_FLAGS (UMS Sony-BraviaXR.conf).
BRAVIA_XR = Client(
    "sony-bravia-xr",
    signs=(
        ("x-av-client-info", r'mn="(BRAVIA )?(XR|K)-?\d{2}'),
        ("x-av-physical-unit-info", r'pa="(BRAVIA )?(XR|K)-\d{2}'),
        ("description", r"(?i)sony.*(BRAVIA )?\bXR-\d{2}"),
    ),
    org_flags=False,
)

# `X-AV-Client-Info: av=5.0; cn="Sony Corporation"; mn="BRAVIA KDL-40EX503"; mv="1.7"`
BRAVIA = Client(
    "sony-bravia",
    signs=(
        ("x-av-client-info", r"Sony Corporation|BRAVIA"),
        ("x-av-physical-unit-info", r"BRAVIA"),
        ("user-agent", r"BRAVIA"),
        ("description", r"(?i)sony corporation"),
    ),
    windows_media=True,
)

FAMILIES = (PLAYER, BRAVIA_XR, BRAVIA)
