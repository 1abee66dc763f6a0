"""Queries of the shelf on the library's tables; it only reads.

A listing is asked for as its order alone, as packed keys; a page is then a slice of it, so that the last
page of a long list costs as the first.
"""

from __future__ import annotations

import operator
import re
from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.journal.tables import favourites, popularity, positions
from appliance.library.items import Kind
from appliance.library.names import LONGEST_FOLDED, fold
from appliance.library.tables import files, folders
from appliance.streaming.subtitles import BESIDE
from dlna.search_criteria import And, Criteria, Exists, Or

MEDIA = (Kind.VIDEO.value, Kind.AUDIO.value, Kind.IMAGE.value)
NOT_FOR_TVS = ("image/svg+xml",)
"""Images that are programs."""
CHUNK = 500


@dataclass(frozen=True)
class Chosen:
    """Which files: all conditions hold. Text is compared exactly."""

    kinds: tuple[str, ...] = MEDIA
    folder_pk: int | None = None
    artist: str | None = None
    album: tuple[str, str] | None = None
    """Name, and album artist (empty where none is known)."""
    genre: str | None = None
    criteria: Criteria | None = None
    """Narrows what has to be looked at: whatever fits is chosen, and maybe more."""


_tags = files.c.facts["tags"]
GENRE = _tags["genre"].as_string()
ALBUM_ARTIST = func.coalesce(_tags["albumArtist"].as_string(), "")
TRACK = _tags["track"].as_string()
DISC = _tags["disc"].as_string()
TAKEN = files.c.facts["takenAt"].as_string()


def _shown(root_pks: Collection[int]) -> list[ColumnElement[bool]]:
    return [
        files.c.gone_at.is_(None),
        files.c.audience == Audience.EVERYONE.value,
        files.c.root_pk.in_(list(root_pks)),
        files.c.mime_type.not_in(NOT_FOR_TVS),
    ]


def _where(root_pks: Collection[int], chosen: Chosen) -> list[ColumnElement[bool]]:
    found = [*_shown(root_pks), files.c.kind.in_(chosen.kinds)]
    if chosen.folder_pk is not None:
        found.append(files.c.folder_pk == chosen.folder_pk)
    if chosen.artist is not None:
        found.append(files.c.artist == chosen.artist)
    if chosen.album is not None:
        found += [files.c.album == chosen.album[0], ALBUM_ARTIST == chosen.album[1]]
    if chosen.genre is not None:
        found.append(GENRE == chosen.genre)
    if chosen.criteria is not None and (narrowed := narrowing(chosen.criteria)) is not None:
        found.append(narrowed)
    return found


def narrowing(criteria: Criteria) -> ColumnElement[bool] | None:
    """A condition that holds for every row that fits `criteria`; None where there is none to be had.

    The words of a file are searched where its name, artist, album and title stand folded; search_criteria
    decides in the end, so that both databases and every test mean the same by a match.
    """
    if isinstance(criteria, And):
        parts = [one for part in criteria.parts if (one := narrowing(part)) is not None]
        return and_(*parts) if parts else None
    if isinstance(criteria, Or):
        every = [one for part in criteria.parts if (one := narrowing(part)) is not None]
        return or_(*every) if len(every) == len(criteria.parts) else None
    if isinstance(criteria, Exists):
        return None
    if criteria.property == "res@size" and criteria.operator in _SIGNS:
        return _SIGNS[criteria.operator](files.c.size_bytes, int(criteria.value)) if (
            re.fullmatch(r"\d{1,15}", criteria.value, re.ASCII)
        ) else None  # fmt: skip
    words = fold(criteria.value) if criteria.value.isascii() else ""
    if not words or criteria.operator not in ("contains", "startswith", "="):
        return None
    within = or_(files.c.folded.contains(words), func.length(files.c.folded) >= LONGEST_FOLDED)
    if criteria.property in ("dc:title", "upnp:album", "dc:creator"):
        return within
    if criteria.property == "upnp:artist":
        others = (_tags["albumArtist"].as_string(), _tags["composer"].as_string())
        return or_(within, *(other.is_not(None) for other in others))
    return None


_SIGNS: dict[str, Callable[[Any, int], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


async def folder_rows(connection: AsyncConnection, root_pks: Collection[int]) -> Sequence[Any]:
    """(pk, id, parent_pk, name) of every folder, in the order of names."""
    query = (
        select(folders.c.pk, folders.c.id, folders.c.parent_pk, folders.c.name)
        .where(folders.c.root_pk.in_(list(root_pks)), folders.c.gone_at.is_(None))
        .order_by(folders.c.sort_name, folders.c.pk)
    )
    return (await connection.execute(query)).all()


async def media_counts(connection: AsyncConnection, root_pks: Collection[int]) -> Sequence[Any]:
    """(folder_pk, kind, number) of what TVs may see."""
    query = (
        select(files.c.folder_pk, files.c.kind, func.count())
        .where(*_shown(root_pks), files.c.kind.in_(MEDIA))
        .group_by(files.c.folder_pk, files.c.kind)
    )
    return (await connection.execute(query)).all()


async def ordered(
    connection: AsyncConnection,
    root_pks: Collection[int],
    chosen: Chosen,
    folder_pks: frozenset[int] | None = None,
    newest: int | None = None,
) -> array[int]:
    """Keys of all files chosen, by name; of the `newest` so many, the newest first."""
    order = [files.c.sort_name.asc(), files.c.pk.asc()]
    if newest is not None:
        order = [files.c.created_at.desc(), files.c.pk.desc()]
    where = _where(root_pks, chosen)
    if folder_pks is not None or newest is not None:
        query = select(files.c.pk, files.c.folder_pk).where(*where).order_by(*order)
        if folder_pks is None:
            query = query.limit(newest)
        rows = await connection.execute(query)
        found = [row.pk for row in rows if folder_pks is None or row.folder_pk in folder_pks]
        return array("q", found[:newest])
    query = select(files.c.pk).where(*where).order_by(*order)
    if connection.dialect.name != "sqlite":
        return array("q", (await connection.execute(query)).scalars())
    # One text of all keys: a row each costs ten times as much on its way through this driver.
    text = (await connection.execute(select(func.group_concat(query.subquery().c.pk)))).scalar()
    return array("q", map(int, text.split(","))) if text else array("q")


async def by_album(
    connection: AsyncConnection,
    root_pks: Collection[int],
    chosen: Chosen,
    folder_pks: frozenset[int] | None = None,
) -> array[int]:
    """Keys by album, disc, track and name: the order in which an album is heard."""
    query = select(
        files.c.pk, files.c.folder_pk, files.c.album, DISC, TRACK, files.c.sort_name
    ).where(*_where(root_pks, chosen))  # fmt: skip
    rows = [
        (album or "", _number(disc), _number(track), name, pk)
        for pk, folder_pk, album, disc, track, name in await connection.execute(query)
        if folder_pks is None or folder_pk in folder_pks
    ]
    return array("q", (row[-1] for row in sorted(rows)))


def _number(text: str | None) -> int:
    """`3/12` is track 3."""
    digits = (text or "").partition("/")[0].strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


async def music_groups(
    connection: AsyncConnection, root_pks: Collection[int], what: str, folder_pks: frozenset[int] | None
) -> list[tuple[tuple[str, str], int, str | None]]:
    """(key, number of songs, artist) by name; `what` is artist, album or genre. The key's second part is
    the album artist."""
    column = {"artist": files.c.artist, "album": files.c.album, "genre": GENRE}[what]
    second: ColumnElement[Any] = ALBUM_ARTIST if what == "album" else func.coalesce("", "")
    query = (
        select(column, second, files.c.folder_pk, func.count(), func.min(files.c.artist))
        .where(*_where(root_pks, Chosen(kinds=("audio",))), column.is_not(None), column != "")
        .group_by(column, second, files.c.folder_pk)
    )
    found: dict[tuple[str, str], tuple[int, str | None]] = {}
    for name, other, folder_pk, number, artist in await connection.execute(query):
        if folder_pks is None or folder_pk in folder_pks:
            before = found.get((name, other), (0, other or artist))
            found[name, other] = (before[0] + number, before[1])
    return [
        (key, *found[key]) for key in sorted(found, key=lambda key: (key[0].casefold(), key[1].casefold()))
    ]


async def photos_by_day(
    connection: AsyncConnection, root_pks: Collection[int], folder_pks: frozenset[int] | None
) -> list[tuple[str | None, int, int]]:
    """(`2024-07-01T…` where the camera wrote it, mtime in ns, pk) of every photo."""
    query = select(TAKEN, files.c.mtime_ns, files.c.pk, files.c.folder_pk).where(
        *_where(root_pks, Chosen(kinds=("image",)))
    )
    return [
        (taken, mtime, pk)
        for taken, mtime, pk, folder_pk in await connection.execute(query)
        if folder_pks is None or folder_pk in folder_pks
    ]


ITEM_COLUMNS = (
    *(files.c.pk, files.c.id, files.c.folder_pk, files.c.kind, files.c.name, files.c.raw_name),
    *(files.c.title, files.c.artist, files.c.album, files.c.facts, files.c.mime_type, files.c.size_bytes),
    *(files.c.duration_sec, files.c.resolution, files.c.created_at, files.c.last_indexed_at),
    folders.c.id.label("folder_id"),
)
"""What an item is made of (objects.item)."""


async def rows(connection: AsyncConnection, root_pks: Collection[int], pks: Collection[int]) -> list[Any]:
    """ITEM_COLUMNS in the order of `pks`; what is gone since is left out."""
    found: dict[int, Any] = {}
    every = list(pks)
    for start in range(0, len(every), CHUNK):
        query = (
            select(*ITEM_COLUMNS)
            .join(folders, folders.c.pk == files.c.folder_pk)
            .where(files.c.pk.in_(every[start : start + CHUNK]), *_shown(root_pks))
        )
        found.update({row.pk: row for row in await connection.execute(query)})
    return [found[pk] for pk in every if pk in found]


async def row_of(connection: AsyncConnection, root_pks: Collection[int], file_id: str) -> Any:
    """One whole row; None where there is none for TVs."""
    query = (
        select(files, folders.c.id.label("folder_id"), folders.c.display_path.label("folder"))
        .join(folders, folders.c.pk == files.c.folder_pk)
        .where(files.c.id == file_id, files.c.kind.in_(MEDIA), *_shown(root_pks))
    )
    return (await connection.execute(query)).first()


async def pks_of(
    connection: AsyncConnection, root_pks: Collection[int], ids: Sequence[str], kinds: Collection[str] = MEDIA
) -> list[tuple[int, int]]:
    """(pk, folder pk) of these files, in their order, as far as TVs may see them."""
    query = select(files.c.id, files.c.pk, files.c.folder_pk).where(
        files.c.id.in_(list(ids)[:CHUNK]), files.c.kind.in_(list(kinds)), *_shown(root_pks)
    )
    found = {row.id: (row.pk, row.folder_pk) for row in await connection.execute(query)}
    return [found[one] for one in ids[:CHUNK] if one in found]


async def captions(connection: AsyncConnection, root_pks: Collection[int]) -> dict[int, tuple[bytes, ...]]:
    """Folder key → sorted raw names of files of subtitles."""
    query = select(files.c.folder_pk, files.c.raw_name).where(
        files.c.gone_at.is_(None),
        files.c.root_pk.in_(list(root_pks)),
        files.c.kind.not_in(MEDIA),
        or_(*(func.lower(files.c.name).endswith(f".{extension}") for extension in sorted(BESIDE))),
    )
    found: dict[int, list[bytes]] = {}
    for folder_pk, name in await connection.execute(query):
        found.setdefault(folder_pk, []).append(bytes(name))
    return {folder_pk: tuple(sorted(names)) for folder_pk, names in found.items()}


async def favourite_ids(connection: AsyncConnection, user_id: str | None) -> list[str]:
    """Newest first; of everyone where the TV is nobody's."""
    query = select(favourites.c.file_id).order_by(favourites.c.created_at.desc()).limit(CHUNK)
    if user_id is not None:
        query = query.where(favourites.c.user_id == user_id)
    return list(dict.fromkeys(row.file_id for row in await connection.execute(query)))


async def popular_ids(connection: AsyncConnection, limit: int) -> list[str]:
    query = (
        select(popularity.c.file_id)
        .where(popularity.c.plays > 0)
        .order_by(popularity.c.plays.desc(), popularity.c.file_id)
        .limit(limit)
    )
    return [row.file_id for row in await connection.execute(query)]


async def stopped_at(connection: AsyncConnection, user_id: str | None) -> dict[str, float]:
    """File id → seconds; the latest of all people where `user_id` is None."""
    query = select(positions.c.file_id, positions.c.seconds).order_by(positions.c.updated_at)
    if user_id is not None:
        query = query.where(positions.c.user_id == user_id)
    return {row.file_id: row.seconds for row in await connection.execute(query)}


async def recently_stopped(
    connection: AsyncConnection, user_id: str | None, limit: int
) -> list[tuple[str, float]]:
    """(file id, seconds), newest first."""
    query = (
        select(positions.c.file_id, positions.c.seconds).order_by(positions.c.updated_at.desc()).limit(limit)
    )
    if user_id is not None:
        query = query.where(positions.c.user_id == user_id)
    found: dict[str, float] = {}
    for row in await connection.execute(query):
        found.setdefault(row.file_id, row.seconds)
    return list(found.items())


async def whose_position(connection: AsyncConnection, file_id: str) -> str | None:
    """The person who was last somewhere in this file."""
    query = (
        select(positions.c.user_id)
        .where(positions.c.file_id == file_id)
        .order_by(positions.c.updated_at.desc())
        .limit(1)
    )
    return (await connection.execute(query)).scalar()
