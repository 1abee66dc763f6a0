"""VLC on another machine of the house: finds a server by SSDP, opens its folders, plays a video, seeks in it.

    python -m tests.system.vlc_at_home INTERFACE SEEK_SECONDS FOLDER… TITLE     prints what it met, as JSON

libVLC 3 by python-vlc. What is waited for and does not come is missing from the answer. VLC's own log goes
to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import vlc

PATIENCE = 30
"""Seconds for one step; a step takes well under one on an idle machine."""
STARTED_MS = 500


def main(interface: str, seek_seconds: int, path: list[str]) -> dict[str, Any]:
    instance = vlc.Instance("--miface", interface, "--verbose", "2", "--vout", "dummy", "--aout", "dummy")
    met: dict[str, Any] = {"opened": []}
    discoverer = instance.media_discoverer_new("upnp")
    met["looking"] = discoverer.start() == 0
    servers = discoverer.media_list()
    if not until(lambda: servers.count()):
        return met
    here = servers.item_at_index(0)
    met["server"] = here.get_meta(vlc.Meta.Title)
    for name in path:
        inside = opened(here)
        met["opened"].append(sorted(inside))
        if name not in inside:
            return met
        here = inside[name]
    met["url"] = here.get_mrl()
    return met | played(instance, here, seek_seconds)


def opened(folder: vlc.Media) -> dict[str, vlc.Media]:
    """What is in this folder, by title."""
    folder.parse_with_options(vlc.MediaParseFlag.network, PATIENCE * 1000)
    until(folder.get_parsed_status)
    inside = folder.subitems()
    items = [inside.item_at_index(number) for number in range(inside.count())]
    return {item.get_meta(vlc.Meta.Title): item for item in items}


def played(instance: vlc.Instance, media: vlc.Media, seek_seconds: int) -> dict[str, Any]:
    player = instance.media_player_new()
    player.set_media(media)
    player.play()
    started = until(lambda: player.get_time() > STARTED_MS and frames(media))
    before, shown = player.get_time(), frames(media)
    player.set_time(seek_seconds * 1000)
    went_on = until(lambda: player.get_time() > seek_seconds * 1000 + STARTED_MS and frames(media) > shown)
    met = {
        "started": started,
        "went_on": went_on,
        "times_ms": [before, player.get_time()],
        "length_ms": player.get_length(),
        "seekable": bool(player.is_seekable()),
        "state": str(player.get_state()),
    }
    player.stop()
    return met


def frames(media: vlc.Media) -> int:
    """Pictures decoded so far."""
    stats = vlc.MediaStats()
    return int(stats.decoded_video) if media.get_stats(stats) else 0


def until(true: Callable[[], object]) -> bool:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])))
