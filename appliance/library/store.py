"""Questions about files and folders, and the trash. Where the tables are asked for callers."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.accounts.tables import users
from appliance.library.items import File, Folder, Kind
from appliance.library.kinds import EVERYONES
from appliance.library.tables import files, folders, library_state, thumbnails, trash

T = TypeVar("T")


HERE = files.c.gone_at.is_(None)


CHUNK = 500
"""Values in one IN list; SQLite before 3.32 took 999 at most."""


def new_id() -> str:
    """16 characters, 80 random bits."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def new_folder_pk() -> int:
    """Drawn, not counted, so that a folder's files can be prepared before the folder is saved."""
    return secrets.randbits(62)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def chunks(values: Collection[T]) -> Iterable[list[T]]:
    every = list(values)
    return (every[n : n + CHUNK] for n in range(0, len(every), CHUNK))


async def revision(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(library_state.c.revision))).scalar() or 0)


async def next_revision(connection: AsyncConnection) -> int:
    raised = update(library_state).values(revision=library_state.c.revision + 1)
    found = (await connection.execute(raised.returning(library_state.c.revision))).scalar()
    if found is None:
        await connection.execute(insert(library_state).values(one=1, revision=1))
        return 1
    return int(found)


# Files and folders, as callers may see them


def with_folder() -> Select[Any]:
    """Files with `folder` (the display path), `folder_id` and `uploader_name`."""
    uploader = (
        select(users.c.username)
        .where(users.c.id == files.c.uploaded_by, users.c.privacy == "full")
        .scalar_subquery()
    )
    return select(
        files,
        folders.c.id.label("folder_id"),
        folders.c.display_path.label("folder"),
        uploader.label("uploader_name"),
    ).join(folders, folders.c.pk == files.c.folder_pk)


def visible_files(root_pks: Collection[int], sees: frozenset[Audience]) -> Select[Any]:
    """Files of the configured roots that these audiences may know of, joined with their folders."""
    return with_folder().where(HERE, *allowed(root_pks, sees))


def allowed(root_pks: Collection[int], sees: frozenset[Audience]) -> list[Any]:
    # + 0: of a few roots each has most of the files, so an index by root only leads astray.
    conditions: list[Any] = [(files.c.root_pk + 0).in_(list(root_pks))]
    if sees != frozenset(Audience):
        conditions.append(files.c.audience.in_([audience.value for audience in sees]))
    return conditions


async def file_with_place(
    connection: AsyncConnection, file_id: str, root_pks: Collection[int], sees: frozenset[Audience]
) -> Any:
    """The whole row of one visible file, with `folder` and `folder_id`; None when there is none."""
    query = visible_files(root_pks, sees).where(files.c.id == file_id)
    return (await connection.execute(query)).first()


async def rows_by_id(connection: AsyncConnection, ids: Collection[str]) -> list[Any]:
    """Whole rows, with `folder` (the display path), of files that are here."""
    found: list[Any] = []
    for some in chunks(ids):
        found += (await connection.execute(with_folder().where(files.c.id.in_(some), HERE))).all()
    return found


async def any_rows_by_id(connection: AsyncConnection, ids: Collection[str]) -> list[Any]:
    """Whole rows of files, here or gone."""
    found: list[Any] = []
    for some in chunks(ids):
        found += (await connection.execute(select(files).where(files.c.id.in_(some)))).all()
    return found


async def file_raw(connection: AsyncConnection, folder_pk: int, name: bytes) -> Any:
    """The row, with `folder` and `folder_id`, that has this raw name in a folder, here or gone."""
    query = with_folder().where(files.c.folder_pk == folder_pk, files.c.raw_name == name)
    return (await connection.execute(query)).first()


async def visible_by_id(
    connection: AsyncConnection, ids: Collection[str], root_pks: Collection[int], sees: frozenset[Audience]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in chunks(ids):
        query = visible_files(root_pks, sees).where(files.c.id.in_(some))
        found |= {row.id: row for row in await connection.execute(query)}
    return found


def as_file(row: Any) -> File:
    return File(
        id=row.id,
        name=row.name,
        folder=row.folder,
        folder_id=row.folder_id,
        kind=Kind(row.kind),
        mime_type=row.mime_type,
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
        audience=Audience(row.audience),
        created_at=row.created_at,
        last_indexed_at=row.last_indexed_at,
        last_accessed_at=row.last_accessed_at,
        uploaded_by=row.uploaded_by,
        uploader_name=row.uploader_name,
        sha256=row.sha256,
        duration_sec=row.duration_sec,
        resolution=row.resolution,
        facts=row.facts or {},
        artist=row.artist,
        album=row.album,
        title=row.title,
        tags=tuple(row.tags or ()),
    )


def visible_folders(root_pks: Collection[int], sees: frozenset[Audience]) -> Select[Any]:
    """Folders that hold something these audiences may know of; the household sees empty ones too."""
    parent = folders.alias()
    query = (
        select(folders, parent.c.id.label("parent_id"))
        .outerjoin(parent, parent.c.pk == folders.c.parent_pk)
        .where(folders.c.root_pk.in_(list(root_pks)), folders.c.gone_at.is_(None))
    )
    if Audience.HOUSEHOLD not in sees:
        query = query.where(or_(folders.c.files_everyone > 0, folders.c.folders_everyone > 0))
    return query


async def folder_by_id(
    connection: AsyncConnection, folder_id: str, root_pks: Collection[int], sees: frozenset[Audience]
) -> Any:
    query = visible_folders(root_pks, sees).where(folders.c.id == folder_id)
    return (await connection.execute(query)).first()


async def folders_in(
    connection: AsyncConnection, parent_id: str | None, root_pks: Collection[int], sees: frozenset[Audience]
) -> list[Folder]:
    """Folders directly in one, by name; the roots for None."""
    query = visible_folders(root_pks, sees).order_by(folders.c.sort_name, folders.c.pk)
    if parent_id is None:
        query = query.where(folders.c.parent_pk.is_(None))
    else:
        mine = select(folders.c.pk).where(folders.c.id == parent_id).scalar_subquery()
        query = query.where(folders.c.parent_pk == mine)
    return [as_folder(row, sees) for row in await connection.execute(query)]


async def count(connection: AsyncConnection, kinds: Collection[Kind]) -> tuple[int, int]:
    """All files that are here, and those of `kinds` that are not described."""
    not_described = files.c.facts_from.is_(None) & files.c.kind.in_([kind.value for kind in kinds])
    counted = select(func.count(), func.sum(case((not_described, 1), else_=0))).select_from(files).where(HERE)
    every, undescribed_ones = (await connection.execute(counted)).one()
    return int(every), int(undescribed_ones or 0)


async def undescribed(
    connection: AsyncConnection, root_pks: Collection[int], kinds: Collection[Kind], limit: int
) -> list[str]:
    query = (
        select(files.c.id)
        .where(
            files.c.facts_from.is_(None),
            HERE,
            files.c.root_pk.in_(list(root_pks)),
            files.c.kind.in_([kind.value for kind in kinds]),
        )
        .order_by(files.c.created_at.desc())
        .limit(limit)
    )
    return [row.id for row in await connection.execute(query)]


async def folders_at(
    connection: AsyncConnection, path: str, root_pks: Collection[int], sees: frozenset[Audience]
) -> list[Folder]:
    """Folders directly in those with this display path, by name."""
    inside = select(folders.c.pk).where(
        folders.c.display_path == path, folders.c.root_pk.in_(list(root_pks)), folders.c.gone_at.is_(None)
    )
    query = visible_folders(root_pks, sees).where(folders.c.parent_pk.in_(inside))
    rows = await connection.execute(query.order_by(folders.c.sort_name, folders.c.pk))
    return [as_folder(row, sees) for row in rows]


async def folder_raw(connection: AsyncConnection, parent_pk: int, name: bytes) -> Any:
    query = select(folders).where(folders.c.parent_pk == parent_pk, folders.c.raw_name == name)
    return (await connection.execute(query)).first()


async def folder_named(connection: AsyncConnection, parent_pk: int, name: str) -> Any:
    """A folder that is here, by its display name."""
    query = select(folders.c.pk).where(
        folders.c.parent_pk == parent_pk, folders.c.name == name, folders.c.gone_at.is_(None)
    )
    return (await connection.execute(query)).first()


def as_folder(row: Any, sees: frozenset[Audience]) -> Folder:
    household = Audience.HOUSEHOLD in sees
    for_everyone = row.files_everyone > 0 or row.folders_everyone > 0
    return Folder(
        id=row.id,
        parent_id=row.parent_id,
        name=row.name,
        path=row.display_path,
        audience=Audience.EVERYONE if for_everyone else Audience.HOUSEHOLD,
        audience_rule=Audience(row.audience_rule) if row.audience_rule else None,
        files=row.files if household else row.files_everyone,
        folders=row.folders if household else row.folders_everyone,
    )


async def set_audience(
    connection: AsyncConnection, folder_pks: Collection[int], audience: Audience | None
) -> list[str]:
    """Give the files in these folders an audience, None: by kind; ids of those that it changed."""
    by_kind = case(
        (files.c.kind.in_([kind.value for kind in EVERYONES]), Audience.EVERYONE.value),
        else_=Audience.HOUSEHOLD.value,
    )
    wanted: Any = audience.value if audience else by_kind
    ids: list[str] = []
    for some in chunks(folder_pks):
        changed = (
            update(files)
            .where(files.c.folder_pk.in_(some), files.c.audience != wanted)
            .values(audience=wanted)
            .returning(files.c.id)
        )
        ids += [row.id for row in await connection.execute(changed)]
    return ids


async def touch(connection: AsyncConnection, accessed: Mapping[str, int]) -> None:
    """When files were last read: id → epoch milliseconds."""
    if accessed:
        statement = (
            update(files).where(files.c.id == bindparam("file_id")).values(last_accessed_at=bindparam("at"))
        )
        await connection.execute(statement, [{"file_id": i, "at": at} for i, at in accessed.items()])


# The trash


def _trashed() -> Select[Any]:
    return (
        with_folder()
        .add_columns(trash.c.raw_name.label("trash_name"), trash.c.trashed_at, trash.c.trashed_by)
        .join(trash, trash.c.file_pk == files.c.pk)
    )


async def trashed_row(connection: AsyncConnection, file_id: str) -> Any:
    return (await connection.execute(_trashed().where(files.c.id == file_id))).first()


async def trashed_rows(connection: AsyncConnection, root_pks: Collection[int]) -> list[Any]:
    """Newest first."""
    query = _trashed().where(files.c.root_pk.in_(list(root_pks))).order_by(trash.c.trashed_at.desc())
    return list((await connection.execute(query)).all())


async def forget_trash(connection: AsyncConnection, pks: Collection[int]) -> None:
    for some in chunks(pks):
        await connection.execute(delete(trash).where(trash.c.file_pk.in_(some)))


async def delete_files(connection: AsyncConnection, pks: Collection[int]) -> None:
    for some in chunks(pks):
        await connection.execute(delete(files).where(files.c.pk.in_(some)))


async def delete_long_gone(connection: AsyncConnection, before_ms: int) -> list[str]:
    """Drop rows of files that were away for so long that they will not come back, trash aside; their ids."""
    kept = select(trash.c.file_pk)
    long_gone = (
        delete(files).where(files.c.gone_at < before_ms, files.c.pk.not_in(kept)).returning(files.c.id)
    )
    ids = [row.id for row in await connection.execute(long_gone)]
    still = select(files.c.folder_pk)
    inner = folders.alias()
    parents = select(inner.c.parent_pk).where(inner.c.parent_pk.is_not(None))
    await connection.execute(
        delete(folders).where(
            folders.c.gone_at < before_ms, folders.c.pk.not_in(still), folders.c.pk.not_in(parents)
        )
    )
    return ids


# Thumbnails


FOLDER_ART = ("cover", "folder", "front", "album", "albumart")
"""Names, without extension, of a picture that stands for a folder of songs; the first one counts."""


async def folder_art(
    connection: AsyncConnection, song: Any, root_pks: Collection[int], sees: frozenset[Audience]
) -> str | None:
    """Id of the picture that stands for a song's folder; None for other kinds, and when there is none."""
    if song.kind != Kind.AUDIO:
        return None
    order = case({name: place for place, name in enumerate(FOLDER_ART)}, value=files.c.folded_name)
    pictures = (
        select(files.c.id)
        .where(
            files.c.folder_pk == song.folder_pk,
            HERE,
            files.c.kind == Kind.IMAGE.value,
            files.c.folded_name.in_(FOLDER_ART),
            *allowed(root_pks, sees),
        )
        .order_by(order, files.c.pk)
    )
    found: str | None = (await connection.execute(pictures)).scalars().first()
    return found


async def thumbnail(connection: AsyncConnection, file_id: str, size: int) -> Any:
    query = select(thumbnails).where(thumbnails.c.file_id == file_id, thumbnails.c.size == size)
    return (await connection.execute(query)).first()


async def save_thumbnail(
    connection: AsyncConnection, file_id: str, size: int, path: str | None, stamp: str
) -> None:
    mine = (thumbnails.c.file_id == file_id) & (thumbnails.c.size == size)
    await connection.execute(delete(thumbnails).where(mine))
    row = {"file_id": file_id, "size": size, "thumb_path": path, "stamp": stamp, "generated_at": now_ms()}
    await connection.execute(insert(thumbnails), [row])


async def forget_thumbnails(connection: AsyncConnection, file_ids: Collection[str]) -> list[str]:
    """Paths that nothing refers to any more."""
    paths: list[str] = []
    for some in chunks(file_ids):
        gone = delete(thumbnails).where(thumbnails.c.file_id.in_(some)).returning(thumbnails.c.thumb_path)
        paths += [row.thumb_path for row in await connection.execute(gone) if row.thumb_path]
    return paths
