"""The containers of a TV's shelf beside the folders: by kind, by artist, by month. Pure.

0 ── folders · videos · music · photos · favourites · popular
videos ── all · recent · continue       music ── artists · albums · genres · all · recent
photos ── years (→ year → month) · folders · recent · all
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from dlna.catalog import (
    FAVOURITES,
    FOLDERS,
    MUSIC,
    MUSIC_ALBUMS,
    MUSIC_ALL,
    MUSIC_ARTISTS,
    MUSIC_GENRES,
    MUSIC_RECENT,
    PHOTOS,
    PHOTOS_ALL,
    PHOTOS_FOLDERS,
    PHOTOS_RECENT,
    PHOTOS_YEARS,
    POPULAR,
    ROOT,
    VIDEOS,
    VIDEOS_ALL,
    VIDEOS_CONTINUE,
    VIDEOS_RECENT,
)

RECENT = 100
"""Items in a list of the newest."""
MOST_POPULAR = 50

TITLES = {
    FOLDERS: "Folders",
    VIDEOS: "Videos",
    VIDEOS_ALL: "All videos",
    VIDEOS_RECENT: "Recently added",
    VIDEOS_CONTINUE: "Continue watching",
    MUSIC: "Music",
    MUSIC_ARTISTS: "Artists",
    MUSIC_ALBUMS: "Albums",
    MUSIC_GENRES: "Genres",
    MUSIC_ALL: "All songs",
    MUSIC_RECENT: "Recently added",
    PHOTOS: "Photos",
    PHOTOS_YEARS: "By date",
    PHOTOS_FOLDERS: "By folder",
    PHOTOS_RECENT: "Recently added",
    PHOTOS_ALL: "All photos",
    FAVOURITES: "Favourites",
    POPULAR: "Most popular this week",
}

INSIDE = {
    ROOT: (FOLDERS, VIDEOS, MUSIC, PHOTOS, FAVOURITES, POPULAR),
    VIDEOS: (VIDEOS_ALL, VIDEOS_RECENT, VIDEOS_CONTINUE),
    MUSIC: (MUSIC_ARTISTS, MUSIC_ALBUMS, MUSIC_GENRES, MUSIC_ALL, MUSIC_RECENT),
    PHOTOS: (PHOTOS_YEARS, PHOTOS_FOLDERS, PHOTOS_RECENT, PHOTOS_ALL),
}
"""Containers that hold other views."""

PARENTS = {inner: outer for outer, inside in INSIDE.items() for inner in inside}
NOT_WHEN_EMPTY = (FAVOURITES, POPULAR, VIDEOS_CONTINUE)
KINDS = {
    **dict.fromkeys((VIDEOS, VIDEOS_ALL, VIDEOS_RECENT, VIDEOS_CONTINUE), ("video",)),
    **dict.fromkeys((MUSIC, MUSIC_ALL, MUSIC_ARTISTS, MUSIC_ALBUMS, MUSIC_GENRES, MUSIC_RECENT), ("audio",)),
    **dict.fromkeys((PHOTOS, PHOTOS_ALL, PHOTOS_YEARS, PHOTOS_FOLDERS, PHOTOS_RECENT), ("image",)),
}
"""View → the kinds that are in it; others hold any."""
WHOLE = (
    *(ROOT, FOLDERS, VIDEOS, VIDEOS_ALL, MUSIC, MUSIC_ALL, PHOTOS, PHOTOS_ALL, PHOTOS_YEARS, PHOTOS_FOLDERS),
)
"""Views below which every file of their kinds lies."""

GROUPS = {MUSIC_ARTISTS: "artist", MUSIC_ALBUMS: "album", MUSIC_GENRES: "genre"}
CLASSES = {
    "artist": "object.container.person.musicArtist",
    "album": "object.container.album.musicAlbum",
    "genre": "object.container.genre.musicGenre",
}


@dataclass(frozen=True)
class Group:
    """Songs that belong together."""

    id: str
    name: str
    key: tuple[str, str]
    songs: int
    artist: str | None


def groups(view: str, found: Iterable[tuple[tuple[str, str], int, str | None]]) -> dict[str, Group]:
    """By id. Names can be long and hold anything, so an id is made of their digest: stable, short, plain."""
    made = {}
    for key, songs, artist in found:
        digest = hashlib.sha256("\0".join(key).encode("utf-8", "replace")).hexdigest()[:16]
        made[f"{view}/{digest}"] = Group(f"{view}/{digest}", key[0], key, songs, artist)
    return made


@dataclass(frozen=True)
class Photos:
    """Keys of photos by month, the newest month first, within a month as they were taken."""

    months: dict[str, list[int]]

    @property
    def years(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for month in self.months:
            found.setdefault(month[:4], []).append(month)
        return found


def photos_by_month(found: Iterable[tuple[str | None, int, int]]) -> Photos:
    """`found` are (when the camera says, mtime in ns, key)."""
    dated = []
    for taken, mtime_ns, pk in found:
        if not taken:
            try:
                taken = datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat()
            except (OverflowError, ValueError, OSError):
                taken = "1970-01-01"
        dated.append((taken, pk))
    months: dict[str, list[int]] = {}
    for taken, pk in sorted(dated):
        months.setdefault(taken[:7], []).append(pk)
    return Photos({month: months[month] for month in sorted(months, reverse=True)})


MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def month_title(month: str) -> str:
    """`2024-07` is "July 2024"."""
    year, _, number = month.partition("-")
    return f"{MONTHS[int(number) - 1]} {year}" if number.isdecimal() and 1 <= int(number) <= 12 else year
