"""One writer at a time, whatever becomes of it; noticing writes without asking the tables."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from appliance import database as database_module
from appliance.database import Database


async def test_a_quiet_database_lets_its_watchers_rest(tmp_path: Path) -> None:
    """Until another process writes; and never for longer than LONGEST_PAUSE."""
    file = tmp_path / "mantel.db"
    database = Database(f"sqlite+aiosqlite:///{file}")
    elsewhere = sqlite3.connect(file)
    elsewhere.execute("PRAGMA journal_mode=WAL")
    elsewhere.execute("CREATE TABLE t (n INTEGER)")
    looks = 0

    async def watch() -> None:
        nonlocal looks
        async for _ in database.writes(0.01):
            looks += 1

    watching = asyncio.create_task(watch())
    try:
        await asyncio.sleep(0.3)
        quiet = looks
        assert quiet <= 2, "it was asked once what was there, and once more after the table was made"
        for number in range(3):
            elsewhere.execute("INSERT INTO t VALUES (?)", (number,))
            elsewhere.commit()
            async with asyncio.timeout(5):
                while looks == quiet + number:
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert looks == quiet + 3
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        elsewhere.close()
        await database.close()


async def test_a_watcher_that_hears_nothing_looks_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LONGEST_PAUSE", 0.02)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    looks = 0
    async with asyncio.timeout(5):
        async for _ in database.writes(0.01):
            looks += 1
            if looks == 5:
                break
    await database.close()


@pytest.mark.parametrize("cancels", [1, 2])
async def test_a_write_that_is_broken_off_keeps_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancels: int
) -> None:
    """As by a stop, with Python's collector still to come."""
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT", 1)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER)"))
    written: list[int] = []

    async def write(moment: int) -> None:
        async with database.write() as connection:
            for _ in range(3):
                rows = [{"n": moment} for _ in range(50)]
                await connection.execute(text("INSERT INTO t VALUES (:n)"), rows)
        written.append(moment)

    gc.disable()
    try:
        for moment in range(100):
            writing = asyncio.create_task(write(moment))
            await asyncio.sleep(moment * 20e-6)
            for _ in range(cancels):
                writing.cancel()
                await asyncio.sleep(0)
            await asyncio.gather(writing, return_exceptions=True)
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO t VALUES (-1)"))
        async with database.read() as connection:
            rows = (await connection.execute(text("SELECT n FROM t"))).scalars().all()
        assert rows.count(-1) == 100
        assert {rows.count(moment) for moment in written} <= {150}
        assert {rows.count(moment) for moment in range(100)} <= {0, 150}, "half a transaction"
    finally:
        gc.enable()
        await database.close()


def test_a_connection_is_closed_though_its_disk_has_gone() -> None:
    class Away(database_module._Connection):
        def rollback(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    connection = sqlite3.connect(":memory:", factory=Away)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
