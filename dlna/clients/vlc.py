"""VLC, and any program on libupnp: their User-Agent is the same. Source: seen, VLC 3.0."""

from __future__ import annotations

from dlna.clients.client import Captions, Client

# Browses as `Linux/6.1.0, UPnP/1.0, Portable SDK for UPnP devices/1.14.16`.
# Fetches as `VLC/3.0.21 LibVLC/3.0.21`
VLC = Client(
    "vlc",
    signs=(("user-agent", r"LibVLC|Portable SDK for UPnP devices"),),
    captions=Captions.RESOURCE | Captions.SEC,
    caption_kinds=("srt",),
)

FAMILIES = (VLC,)
