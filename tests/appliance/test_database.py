"""Noticing writes without asking the tables."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

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
