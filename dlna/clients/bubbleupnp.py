"""BubbleUPnP on Android: searches richly, shows art, plays on or passes on to a renderer."""

from __future__ import annotations

from dlna.clients.client import Captions, Client

# `Android/13 UPnP/1.0 BubbleUPnP/4.3.1`
BUBBLEUPNP = Client(
    "bubbleupnp",
    signs=(("user-agent", r"BubbleUPnP"),),
    captions=Captions.RESOURCE | Captions.SEC | Captions.PV,
    caption_kinds=("srt",),
)

FAMILIES = (BUBBLEUPNP,)
