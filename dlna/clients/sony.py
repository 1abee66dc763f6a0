"""Sony TVs and players. Sources: minidlna clients.c, UMS Sony-*.conf, Jellyfin's Sony profiles, UMS#4279."""

from __future__ import annotations

from dlna.catalog import Resource
from dlna.clients.client import Client

# `X-AV-Client-Info: av=5.0; cn="Sony Corporation"; mn="Blu-ray Disc Player"; mv="2.0"`
PLAYER = Client(
    "sony-player",
    signs=(
        ("x-av-client-info", r'mn="(Blu-ray Disc Player|BDP|Media Player|SMP)'),
        ("x-av-physical-unit-info", r'pa="(Blu-ray Disc Player|BDP|Media Player|SMP)'),
    ),
    # Seen on BDP-S: Matroska and AVI are taken under this name only (minidlna).
    mime_types={"video/x-matroska": "video/divx", "video/x-msvideo": "video/divx"},
    dates=False,
)

# XR and XH models refuse a resource that carries DLNA.ORG_FLAGS (UMS Sony-BraviaXR.conf).
# `X-AV-Client-Info: av=5.0; cn="Sony Corporation"; mn="BRAVIA XR-55X90K"; mv="3.0"` as `UPnP/1.0` (UMS#4279)
BRAVIA_XR = Client(
    "sony-bravia-xr",
    signs=(
        ("x-av-client-info", r'mn="(BRAVIA )?(XR|K)-?\d{2}'),
        ("x-av-physical-unit-info", r'pa="(BRAVIA )?(XR|K)-\d{2}'),
        ("description", r"(?i)sony.*(BRAVIA )?\bXR-\d{2}"),
    ),
    org_flags=False,
)


def _transport_stream(resource: Resource) -> tuple[str, str] | None:
    """H.264 and AC-3 in a transport stream plays under Sony's own names (minidlna; a Bravia's Sink has them).

    `.ts` has 188 bytes a packet, a camera's `.m2ts` or `.mts` 192 with time stamps.
    """
    if resource.mime_type != "video/mp2t" or resource.codecs != "h264+ac3":
        return None
    if resource.path.endswith(".ts"):
        return "video/mpeg", "AVC_TS_HD_50_AC3_ISO"
    return "video/vnd.dlna.mpeg-tts", "AVC_TS_HD_50_AC3_T"


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
    renamed=_transport_stream,
)

FAMILIES = (PLAYER, BRAVIA_XR, BRAVIA)
