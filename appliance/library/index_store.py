"""What a scan compares and saves: roots, folders and files as rows, and the counts of folders."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.library.names import display, sort_key
from appliance.library.roots import Known, Plan
from appliance.library.store import HERE, chunks, new_folder_pk, new_id, now_ms
from appliance.library.tables import files, folders, roots, trash, words

ANALYZE_AFTER = 1_000
"""Files added by one scan, after which the database's planner looks at its indexes again."""


async def known_roots(connection: AsyncConnection) -> list[Known]:
    rows = await connection.execute(select(roots.c.pk, roots.c.root_id, roots.c.path))
    return [Known(row.pk, row.root_id, Path(os.fsdecode(row.path))) for row in rows]


async def root_pks(connection: AsyncConnection) -> set[int]:
    return set((await connection.execute(select(roots.c.pk))).scalars())


async def save_root(connection: AsyncConnection, root: Plan) -> tuple[int, int]:
    """Write a root and its own folder; returns both keys."""
    values = {"root_id": root.root_id, "path": os.fsencode(root.path)}
    if root.pk is None:
        row = insert(roots).values(**values, adopted_at=now_ms()).returning(roots.c.pk)
        pk = int((await connection.execute(row)).scalar_one())
    else:
        pk = root.pk
        await connection.execute(update(roots).where(roots.c.pk == pk).values(**values))
    mine = select(folders.c.pk).where(folders.c.root_pk == pk, folders.c.parent_pk.is_(None))
    folder_pk = (await connection.execute(mine)).scalar()
    name = display(os.fsencode(root.path.name)) or "Library"
    if folder_pk is None:
        folder_pk = new_folder_pk()
        await insert_rows(
            connection,
            folders,
            [
                {
                    "pk": folder_pk,
                    "id": new_id(),
                    "root_pk": pk,
                    "parent_pk": None,
                    "raw_name": b"",
                    "path": b"",
                    "name": name,
                    "display_path": "",
                    "sort_name": sort_key(name),
                    "depth": 0,
                    "inode": 0,
                }
            ],
        )
    else:
        renamed = update(folders).where(folders.c.pk == folder_pk).values(name=name, sort_name=sort_key(name))
        await connection.execute(renamed)
    return pk, int(folder_pk)


async def folder_row(connection: AsyncConnection, pk: int) -> Any:
    return (await connection.execute(select(folders).where(folders.c.pk == pk))).first()


_CHILD_FOLDERS = select(folders).where(folders.c.parent_pk.in_(bindparam("pks", expanding=True)))


async def child_folders(connection: AsyncConnection, parent_pks: Collection[int]) -> dict[int, list[Any]]:
    """Rows of the folders in each of these folders, those that are gone too."""
    found: dict[int, list[Any]] = {}
    for some in chunks(parent_pks):
        for row in (await connection.execute(_CHILD_FOLDERS, {"pks": some})).all():
            found.setdefault(row.parent_pk, []).append(row)
    return found


_COMPARED = (
    files.c.pk,
    files.c.id,
    files.c.folder_pk,
    files.c.raw_name,
    files.c.path,
    files.c.size_bytes,
    files.c.mtime_ns,
    files.c.inode,
    files.c.gone_at,
)


_CHILD_FILES = select(*_COMPARED).where(files.c.folder_pk.in_(bindparam("pks", expanding=True)))


async def child_files(connection: AsyncConnection, folder_pks: Collection[int]) -> dict[int, list[Any]]:
    """What a scan compares of the files in each of these folders, those that are gone too."""
    found: dict[int, list[Any]] = {}
    for some in chunks(folder_pks):
        for row in (await connection.execute(_CHILD_FILES, {"pks": some})).all():
            found.setdefault(row.folder_pk, []).append(row)
    return found


async def files_by_inode(connection: AsyncConnection, root_pk: int, inodes: Collection[int]) -> list[Any]:
    found: list[Any] = []
    for some in chunks(inodes):
        mine = select(*_COMPARED).where(files.c.root_pk == root_pk, files.c.inode.in_(some))
        found += (await connection.execute(mine)).all()
    return found


async def files_of_size(connection: AsyncConnection, root_pk: int, sizes: Collection[int]) -> list[Any]:
    """Also those that are gone, but not what lies in the trash."""
    found: list[Any] = []
    thrown_away = select(trash.c.file_pk)
    for some in chunks(sizes):
        mine = select(*_COMPARED).where(
            files.c.root_pk == root_pk, files.c.size_bytes.in_(some), files.c.pk.not_in(thrown_away)
        )
        found += (await connection.execute(mine)).all()
    return found


async def folders_by_inode(connection: AsyncConnection, root_pk: int, inodes: Collection[int]) -> list[Any]:
    found: list[Any] = []
    for some in chunks(inodes):
        mine = select(folders).where(folders.c.root_pk == root_pk, folders.c.inode.in_(some))
        found += (await connection.execute(mine)).all()
    return found


async def file_rows(connection: AsyncConnection, pks: Collection[int]) -> list[Any]:
    """Whole rows by key."""
    found: list[Any] = []
    for some in chunks(pks):
        found += (await connection.execute(select(files).where(files.c.pk.in_(some)))).all()
    return found


async def has_files(connection: AsyncConnection, root_pk: int) -> bool:
    """Whether the index ever had a file of this root."""
    query = select(files.c.pk).where(files.c.root_pk == root_pk).limit(1)
    return (await connection.execute(query)).first() is not None


async def insert_rows(connection: AsyncConnection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await connection.execute(insert(table), list(rows))


async def update_rows(connection: AsyncConnection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row carries its `pk` and the columns to set; all rows the same columns."""
    if rows:
        columns = [name for name in rows[0] if name != "pk"]
        statement = (
            update(table)
            .where(table.c.pk == bindparam("row_pk"))
            .values({name: bindparam(f"new_{name}") for name in columns})
        )
        values = [{"row_pk": row["pk"], **{f"new_{n}": row[n] for n in columns}} for row in rows]
        await connection.execute(statement, values)


async def not_searchable(connection: AsyncConnection, limit: int) -> list[int]:
    """Keys of files that are not in the indexes for searches yet."""
    return list(
        (await connection.execute(select(files.c.pk).where(~files.c.searchable).limit(limit))).scalars()
    )


async def make_searchable(connection: AsyncConnection, pks: Sequence[int]) -> None:
    await connection.execute(update(files).where(files.c.pk.in_(pks)).values(searchable=True))


async def park(connection: AsyncConnection, table: Any, rows: Iterable[Any]) -> None:
    """Free the names of rows whose place another file has taken; no name on a disk holds a NUL."""
    away = [
        {"pk": row.pk, "raw_name": row.raw_name.split(b"\0")[0] + b"\0" + row.id.encode()} for row in rows
    ]
    await update_rows(connection, table, away)


async def add_words(connection: AsyncConnection, new: Collection[str]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for some in chunks(new):
        statement = dialect.insert(words).on_conflict_do_nothing()
        await connection.execute(statement, [{"word": word} for word in some])


async def analyze(connection: AsyncConnection) -> None:
    """Let SQLite learn how its indexes are filled, and join the pieces of those for searches.

    PostgreSQL does so by itself.
    """
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("PRAGMA analysis_limit=400")
        await connection.exec_driver_sql("ANALYZE")
        for name in ("files_words", "files_trigrams"):
            await connection.exec_driver_sql(f"INSERT INTO {name}({name}) VALUES('optimize')")


async def inside(connection: AsyncConnection, folder_pks: Collection[int]) -> list[int]:
    """Keys of these folders and of all folders under them."""
    found = list(folder_pks)
    level = found
    while level:
        below: list[int] = []
        for some in chunks(level):
            rows = await connection.execute(select(folders.c.pk).where(folders.c.parent_pk.in_(some)))
            below += [row.pk for row in rows]
        found += below
        level = below
    return found


async def files_in(connection: AsyncConnection, folder_pks: Collection[int]) -> list[tuple[int, str]]:
    """(key, id) of the files here in these folders."""
    found: list[tuple[int, str]] = []
    for some in chunks(folder_pks):
        rows = await connection.execute(
            select(files.c.pk, files.c.id).where(files.c.folder_pk.in_(some), HERE)
        )
        found += [(row.pk, row.id) for row in rows]
    return found


async def set_gone(connection: AsyncConnection, table: Any, pks: Collection[int]) -> None:
    for some in chunks(pks):
        await connection.execute(update(table).where(table.c.pk.in_(some)).values(gone_at=now_ms()))


async def count_again(connection: AsyncConnection, folder_pks: Collection[int]) -> list[str]:
    """Make the counts of these folders, and of all above them, true; ids of the folders looked at."""
    ids: list[str] = []
    level = set(folder_pks)
    while level:
        above: set[int] = set()
        for some in chunks(level):
            await connection.execute(_COUNT, {"pks": some})
            for row in await connection.execute(_COUNTED, {"pks": some}):
                ids.append(row.id)
                if row.parent_pk is not None:
                    above.add(row.parent_pk)
        level = above
    return ids


def _counts() -> dict[str, Any]:
    mine = and_(files.c.folder_pk == folders.c.pk, HERE)
    below = folders.alias()
    inner = and_(below.c.parent_pk == folders.c.pk, below.c.gone_at.is_(None))
    shown = or_(below.c.files_everyone > 0, below.c.folders_everyone > 0)

    def number(source: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(source).where(*conditions).scalar_subquery()

    return {
        "files": number(files, mine),
        "files_everyone": number(files, mine, files.c.audience == Audience.EVERYONE),
        "folders": number(below, inner),
        "folders_everyone": number(below, inner, shown),
    }


_THESE = folders.c.pk.in_(bindparam("pks", expanding=True))
_COUNT = update(folders).where(_THESE).values(**_counts())
"""Made once: putting this statement together takes longer than a folder's counts."""
_COUNTED = select(folders.c.id, folders.c.parent_pk).where(_THESE)
