"""Kodi (Platinum). Sources: gerbera xml_builder.cc, minidlna UpdateObject, Kodi's own UPnP code as seen."""

from __future__ import annotations

from dlna.clients.client import Bookmarks, Captions, Client

# `UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13` to browse, `Kodi/21.0 (Linux) …` to fetch
KODI = Client(
    "kodi",
    signs=(("user-agent", r"\bKodi/|\bXBMC/|Platinum/"),),
    captions=Captions.SEC | Captions.RESOURCE | Captions.PV,
    caption_kinds=("srt",),
    bookmarks=Bookmarks.KODI,
)

FAMILIES = (KODI,)
