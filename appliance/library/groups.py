"""What the library falls into for somebody who looks around: albums, months of photos, tags."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.library import store
from appliance.library.items import Kind
from appliance.library.library import Library
from appliance.library.moment import TAKEN
from appliance.library.tables import files

MOST_ALBUMS = 20_000
MOST_TAGS = 1_000


@dataclass(frozen=True)
class Album:
    """Songs that name the same album and the same artist of it."""

    name: str
    artist: str
    files: int
    duration_sec: float
    cover: str
    """The id of a file whose picture stands for it."""


@dataclass(frozen=True)
class Month:
    month: str
    """`2026-11`"""
    files: int


@dataclass(frozen=True)
class Tag:
    name: str
    files: int


class Groups:
    def __init__(self, database: Database, library: Library) -> None:
        self._database, self._library = database, library

    def _shown(self, sees: frozenset[Audience]) -> list[ColumnElement[bool]]:
        roots = [root.pk for root in self._library.roots]
        return [store.HERE, *store.allowed(roots, sees)]

    async def albums(self, sees: frozenset[Audience]) -> list[Album]:
        """By artist, then album. An album without the tag of its artist belongs to those of its songs."""
        tags = files.c.facts["tags"]
        artist = func.coalesce(tags["albumArtist"].as_string(), files.c.artist, "")
        query = (
            select(
                files.c.album,
                artist.label("of"),
                func.count().label("files"),
                func.coalesce(func.sum(files.c.duration_sec), 0.0).label("seconds"),
                func.min(files.c.id).label("cover"),
            )
            .where(*self._shown(sees), files.c.kind == Kind.AUDIO.value, files.c.album.is_not(None))
            .group_by(files.c.album, artist)
            .order_by(func.lower(artist), func.lower(files.c.album))
            .limit(MOST_ALBUMS)
        )
        return [
            Album(row.album, row.of, row.files, row.seconds, row.cover) for row in await self._rows(query)
        ]

    async def months(self, sees: frozenset[Audience]) -> list[Month]:
        """How many photos were taken in each month, the latest first: the order of `sort=-taken`."""
        month = func.substr(TAKEN, 1, 7)
        query = (
            select(month.label("month"), func.count().label("files"))
            .where(*self._shown(sees), files.c.kind == Kind.IMAGE.value)
            .group_by(month)
            .order_by(month.desc())
        )
        return [Month(row.month, row.files) for row in await self._rows(query)]

    async def tags(self, sees: frozenset[Audience]) -> list[Tag]:
        """The household's own tags, most used first."""
        query = select(files.c.tags, func.count().label("files")).where(
            *self._shown(sees), files.c.tag_keys != ""
        )
        found: Counter[str] = Counter()
        for row in await self._rows(query.group_by(files.c.tags)):
            for tag in row.tags:
                found[tag] += row.files
        ranked = sorted(found.items(), key=lambda one: (-one[1], one[0].casefold()))
        return [Tag(name, count) for name, count in ranked[:MOST_TAGS]]

    async def _rows(self, query: Any) -> list[Any]:
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())
