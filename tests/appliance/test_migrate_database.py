"""Every row arrives on PostgreSQL as it was, and comes back; a move that fails leaves nothing."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.tables import users
from appliance.copying import copy_rows
from appliance.database import Database
from appliance.errors import BadSetting, Conflict
from appliance.library.tables import files, folders
from appliance.migrate_database import migrate_daemon, migrate_database
from appliance.migrations.tables import metadata
from appliance.settings import Settings, read_settings
from tests.ports import free_port

pytestmark = pytest.mark.postgres
ROWS = (2, 1, 0)
"""Numbers of a table's rows. The parent of the others comes first and has the largest key."""
LARGE = 2**40


def value(column: Column[Any], n: int) -> Any:
    """Awkward, and fit for its column: row `n` refers to row `n` of the other table."""
    if column.name == "parent_pk":
        return None if n == ROWS[0] else LARGE + ROWS[0]
    if column.nullable and n == 1 and not column.foreign_keys:
        return null()
    if column.name in ("depth", "one"):
        return int(n != ROWS[0])
    match column.type:
        case JSON():
            return [JSON.NULL, {"ä": [1.5, "\u2028"]}, ["z", None, {"a": {}}]][n]
        case Boolean():
            return n == 0
        case LargeBinary():
            return bytes([n, 0, 255])
        case Float():
            return n / 3
        case BigInteger():
            return LARGE + n
        case Integer():
            return n
    return ("Zz", "aä漢", "Ä'\n")[n]


async def fill(connection: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        await connection.execute(table.delete())
        for n in ROWS[:1] if "one" in table.c else ROWS:
            await connection.execute(table.insert().values({c.name: value(c, n) for c in table.columns}))


def settings(folder: Path) -> Settings:
    (folder / "media").mkdir(parents=True)
    return read_settings(
        {
            "MANTEL_STATE": str(folder / "var"),
            "MANTEL_LIBRARY": str(folder / "media"),
            "MANTEL_INTERNAL_PORT": str(free_port()),
        }
    )


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[tuple[Settings, Database]]:
    """A filled store on SQLite, of an appliance that does not run."""
    of = settings(tmp_path)
    of.state.mkdir()
    database = Database(of.appliance_database_url)
    await database.migrate()
    async with database.write() as connection:
        await fill(connection)
    yield of, database
    await database.close()


async def test_every_row_arrives_and_comes_back(
    old: tuple[Settings, Database], postgres_url: str, tmp_path: Path
) -> None:
    of, here = old
    moved = [table async for table in migrate_database(of, postgres_url)]
    assert dict(moved) == {t.name: 1 if "one" in t.c else len(ROWS) for t in metadata.sorted_tables}
    there, again = Database(postgres_url), Database(f"sqlite+aiosqlite:///{tmp_path / 'again.db'}")
    await again.migrate()
    async with there.read() as source, again.write() as target:
        assert [table async for table in copy_rows(source, target, metadata.sorted_tables)] == moved
    for table in metadata.sorted_tables:
        statement = select(table, *(c.is_(null()) for c in table.columns)).order_by(
            *table.primary_key.columns
        )
        async with here.read() as first, again.read() as last:
            assert (await first.execute(statement)).all() == (await last.execute(statement)).all(), table.name
    async with there.write() as connection:
        keep = {c.name: c for c in folders.columns if c.name not in ("pk", "id")}
        copied = select(func.concat("new"), *keep.values()).limit(1)
        new = await connection.execute(
            folders.insert().from_select(["id", *keep], copied).returning(folders.c.pk)
        )
        assert new.scalar_one() == LARGE + ROWS[0] + 1
    await there.close()
    await again.close()


async def test_what_cannot_arrive_leaves_nothing(old: tuple[Settings, Database], postgres_url: str) -> None:
    of, here = old
    async with here.write() as connection:
        await connection.execute(files.update().where(files.c.pk == LARGE).values(title="a\0b"))
    with pytest.raises(Conflict, match="A row of files is not taken"):
        _ = [table async for table in migrate_database(of, postgres_url)]
    there = Database(postgres_url)
    async with there.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(users))).scalar_one() == 0
    await there.close()


async def test_a_row_that_differs_is_named(old: tuple[Settings, Database], postgres_url: str) -> None:
    there = Database(postgres_url)
    await there.migrate()
    async with old[1].read() as source:
        with pytest.raises(Conflict, match="Row 2 of users"):
            async with there.write() as target:
                async for table, _rows in copy_rows(source, _Forgetful(target), [users]):
                    raise AssertionError(table)
    await there.close()


class _Forgetful:
    """A database that writes another name than it was given, in one row."""

    def __init__(self, target: AsyncConnection) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    async def stream(self, statement: Any) -> Any:
        second = select(users.c.id).order_by(users.c.id.collate("C")).offset(1).limit(1).scalar_subquery()
        await self._target.execute(users.update().where(users.c.id == second).values(username="else"))
        return await self._target.stream(statement)


async def test_it_is_refused_while_mantel_runs(old: tuple[Settings, Database], postgres_url: str) -> None:
    with (
        socket.create_server(("127.0.0.1", old[0].internal_port)),
        pytest.raises(Conflict, match="stop it first"),
    ):
        _ = [table async for table in migrate_database(old[0], postgres_url)]


async def test_a_database_in_use_is_not_overwritten(
    old: tuple[Settings, Database], postgres_url: str
) -> None:
    _ = [table async for table in migrate_database(old[0], postgres_url)]
    with pytest.raises(Conflict, match="in use"):
        _ = [table async for table in migrate_database(old[0], postgres_url)]


async def test_only_postgresql_is_moved_to(old: tuple[Settings, Database], tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        _ = [table async for table in migrate_database(old[0], "sqlite+aiosqlite:///x.db")]
    with pytest.raises(Conflict, match="not there"):
        _ = [table async for table in migrate_daemon(tmp_path / "none.db", "postgresql+asyncpg:///x")]
