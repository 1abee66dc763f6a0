"""Samsung TVs and players. Sources: gerbera clients.h, minidlna clients.c, UMS Samsung-*.conf, rclone."""

from __future__ import annotations

from dlna.catalog import MUSIC, PHOTOS, VIDEOS
from dlna.clients.client import Bookmarks, Captions, Client

BASICVIEW = {"A": MUSIC, "V": VIDEOS, "I": PHOTOS}
"""Ids that series C to J ask for without reading X_GetFeatureList (minidlna, gerbera)."""

# `SEC_HHP_[TV] Samsung Q7 Series (49)/1.0`, `SEC_HHP_Samsung QN90AA 50 TV/1.0`, `SEC_HHP_[TV] Samsung 7
# Series (55)/1.0`, `… QE55Q80 …`, `SEC_HHP_[TV] Samsung TU7000 …`
NEW = Client(
    "samsung-new",
    signs=(
        (
            "user-agent",
            r"SEC_HHP_.*(Samsung\s+(Q[NE]?|[A-DM-NR-U]U|UN|S\d|LS)\w*|\bQ[EN]\d{2}|Series \(\d+\))",
        ),
        ("description", r"(?i)samsung.*(QE?\d{2}|QN\d{2}|UE\d{2}[R-Z]U|[UG][EQ]\d{2}[A-D]U)"),
    ),
    mime_types={"video/x-matroska": "video/x-mkv"},
    bookmarks=Bookmarks.SAMSUNG_MILLISECONDS,
    # 2019 and later keep what they saw of an id for good (UMS NeedVersionedObjectId).
    versioned_ids=True,
    samsung_capabilities=True,
    interactive_av=True,
    aliases=BASICVIEW,
)

# `SamsungWiselinkPro/1.0` (series A), `Samsung DTV DMR` as model name (series B): AVI under this name only.
SERIES_A = Client(
    "samsung-a",
    signs=(("user-agent", r"SamsungWiselinkPro"), ("description", r"(?i)Samsung DTV DMR")),
    mime_types={"video/x-matroska": "video/x-mkv", "video/x-msvideo": "video/mpeg"},
    interactive_av=True,
    aliases=BASICVIEW,
)

# `DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0`, `SEC_HHP_ Family TV`, `SEC_HHP_[TV]UE32EH5307/1.0 DLNADOC/1.50`;
# fetches as `samsung-agent/1.1`. A C7000 reads the description as `SEC_HHP_TV-40C7000/1.0` and then calls as
# `DLNADOC/1.50` alone: it is known by the first.
OLD = Client(
    "samsung",
    signs=(
        ("user-agent", r"SEC_HHP_|SEC_[A-Z]{3}_|samsung-agent"),
        ("description", r"(?i)samsung electronics"),
    ),
    mime_types={"video/x-matroska": "video/x-mkv"},
    bookmarks=Bookmarks.SAMSUNG_SECONDS,
    samsung_capabilities=True,
    interactive_av=True,
    aliases=BASICVIEW,
)

# `SEC_HHP_[BD]J5500`, `SEC_HHP_BD-D5100`, AllShare on a PC `SEC_HHP_[PC]LPC001`: a caption res breaks
# the list of a folder, and profile names its playing (minidlna, gerbera).
PLAYER = Client(
    "samsung-player",
    signs=(("user-agent", r"SEC_HHP_(\[?BD\]?|\[PC\])"),),
    mime_types={"video/x-matroska": "video/x-mkv"},
    profile_names=False,
    captions=Captions.SEC | Captions.HEADER,
    interactive_av=True,
)

FAMILIES = (PLAYER, NEW, SERIES_A, OLD)
