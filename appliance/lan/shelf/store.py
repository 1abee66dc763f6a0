"""Queries of the shelf on the library's tables; it only reads.

A listing is asked for as its order alone, as packed keys; a page is then a slice of it, so that the last
page of a long list costs as the first.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.journal.tables import favourites, popularity, positions
from appliance.library.items import Kind
from appliance.library.tables import files, folders
from appliance.streaming.subtitles import BESIDE

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
    month: str | None = None
    """`2024-07`, of photos."""


_tags = files.c.facts["tags"]
GENRE = _tags["genre"].as_string()
ALBUM_ARTIST = func.coalesce(_tags["albumArtist"].as_string(), "")
TRACK = _tags["track"].as_string()
DISC = _tags["disc"].as_string()
TAKEN = files.c.facts["takenAt"].as_string()

SORTS: dict[str, ColumnElement[Any]] = {
    "dc:title": files.c.sort_name,
    "dc:date": files.c.created_at,
    "dc:creator": files.c.artist,
    "upnp:artist": files.c.artist,
    "upnp:album": files.c.album,
    "upnp:class": files.c.kind,
    "upnp:genre": GENRE,
    "res@size": files.c.size_bytes,
    "res@duration": files.c.duration_sec,
}
"""SortCriteria's properties that the database sorts by; for track and disc see `by_album`."""


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
    return found


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
    sort: Iterable[tuple[str, bool]] = (),
    folder_pks: frozenset[int] | None = None,
) -> array[int]:
    """Keys of all files chosen, in order. `sort` are (property, descending); names break ties."""
    order = [SORTS[name].desc() if down else SORTS[name].asc() for name, down in sort if name in SORTS]
    order += [files.c.sort_name.asc(), files.c.pk.asc()]
    where = _where(root_pks, chosen)
    if folder_pks is not None:
        rows = await connection.execute(select(files.c.pk, files.c.folder_pk).where(*where).order_by(*order))
        return array("q", (row.pk for row in rows if row.folder_pk in folder_pks))
    if connection.dialect.name == "postgresql":
        inner = select(files.c.pk, func.row_number().over(order_by=order).label("place")).where(*where)
        numbered = inner.subquery()
        joined = func.string_agg(
            aggregate_order_by(cast(numbered.c.pk, String), numbered.c.place.asc()), literal(",")
        )
        text = (await connection.execute(select(joined).select_from(numbered))).scalar()
    else:
        # One text of all keys: a row each costs ten times as much on its way through the driver.
        keys = select(files.c.pk).where(*where).order_by(*order).subquery()
        text = (await connection.execute(select(func.group_concat(keys.c.pk)))).scalar()
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
