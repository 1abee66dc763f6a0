"""Xbox 360 and Xbox One. Sources: minidlna clients.c and its folder aliases, UMS Xbox-*.conf, Jellyfin."""

from __future__ import annotations

from dlna.catalog import (
    FOLDERS,
    MUSIC,
    MUSIC_ALBUMS,
    MUSIC_ALL,
    MUSIC_ARTISTS,
    MUSIC_GENRES,
    PHOTOS,
    PHOTOS_ALL,
    PHOTOS_FOLDERS,
    PHOTOS_YEARS,
    VIDEOS,
    VIDEOS_ALL,
)
from dlna.clients.client import Captions, Client

WINDOWS_FOLDERS = {
    "1": MUSIC,
    "2": VIDEOS,
    "3": PHOTOS,
    "4": MUSIC_ALL,
    "5": MUSIC_GENRES,
    "6": MUSIC_ARTISTS,
    "7": MUSIC_ALBUMS,
    "8": VIDEOS_ALL,
    "B": PHOTOS_ALL,
    "C": PHOTOS_YEARS,
    "D2": PHOTOS_FOLDERS,
    "14": FOLDERS,
    "15": FOLDERS,
    "16": FOLDERS,
}
"""Windows Media Connect's ids, which an Xbox 360 asks for by heart (minidlna scanner.h)."""

# `Xbox/2.0.8955.0 UPnP/1.0 Xbox/2.0.8955.0`, `Xenon`
XBOX_360 = Client(
    "xbox-360",
    signs=(("user-agent", r"Xbox/2\.0|Xenon"),),
    mime_types={"video/x-msvideo": "video/avi"},
    windows_media=True,
    captions=Captions(0),
    aliases=WINDOWS_FOLDERS,
)

# `NSPlayer/12.00.9600.16411 WMFSDK/12.00.9600.16411`, `Xbox-SystemOS`; shows no subtitles of any kind
XBOX_ONE = Client(
    "xbox-one",
    signs=(
        ("user-agent", r"NSPlayer|Xbox-SystemOS|WMFSDK"),
        ("friendlyname.dlna.org", r"(?i)xbox"),
        ("description", r"(?i)xbox one|xbox series"),
    ),
    windows_media=True,
    captions=Captions(0),
)

FAMILIES = (XBOX_360, XBOX_ONE)
