"""PlayStation 3 and 4. Sources: minidlna clients.c, UMS PS3.conf and PS4.conf, gerbera#821."""

from __future__ import annotations

from dlna.clients.client import Captions, Client

# `PLAYSTATION 3` in `X-AV-Client-Info: av=5.0; cn="Sony Computer Entertainment Inc."; mn="PLAYSTATION 3"`
PS3 = Client(
    "playstation-3",
    signs=(("user-agent", r"PLAYSTATION ?3"), ("x-av-client-info", r"PLAYSTATION ?3")),
    mime_types={"video/x-msvideo": "video/divx"},
    captions=Captions(0),
)

# `PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)`
PS4 = Client("playstation-4", signs=(("user-agent", r"PlayStation 4|\(PS4\)"),))

FAMILIES = (PS3, PS4)
