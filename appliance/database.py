"""The appliance's one store: a reader that cannot write, and one writer at a time.

SQLite by default, PostgreSQL by URL; the same tables on both. Each feature declares its tables on
`metadata` in its own `tables.py`; `migrations/` makes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, MetaData, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from appliance.units import SECONDS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON().with_variant(JSONB(), "postgresql")
"""A JSON column; jsonb on PostgreSQL."""

BUSY_TIMEOUT = 10 * SECONDS
LONGEST_PAUSE = 10 * SECONDS
QUERIES, STATEMENTS = 200, 64
"""Kept ready by an engine and by each SQLite connection. A household asks in a hundred ways; who tries all
filters fills the usual 500 and 128, which are never given back."""


class Database:
    """Two engines on one store. `async with database.read() as connection`, `… .write() as connection`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self._reader = _sqlite_engine(url, begin="BEGIN", pool=5, pragmas=("query_only=ON",))
            # FULL: an acknowledged write survives a power cut; WAL with NORMAL may lose the last commits.
            # 8 MiB of pages: with the usual 2, a look's transaction writes some of its pages several times.
            # What a statement would put back if it failed would be forty pages a file in /var/tmp.
            pragmas = ("synchronous=FULL", "cache_size=-8192", "temp_store=MEMORY")
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool=1, pragmas=pragmas)
        else:
            self._reader = create_async_engine(
                url,
                pool_size=5,
                max_overflow=0,
                isolation_level="REPEATABLE READ",
                connect_args={"server_settings": {"default_transaction_read_only": "on"}},
            )
            self._writer = create_async_engine(url, pool_size=1, max_overflow=0)
        self._writing = asyncio.Lock()
        self._asking: sqlite3.Connection | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a read transaction: one snapshot for all its queries."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """The one write transaction; commits at the end, rolls back on any error. Keep it short."""
        async with self._writing, self._writer.begin() as connection:
            yield connection

    async def writes(self, pause: float) -> AsyncIterator[None]:
        """Yields when any process may have written, at most every `pause` seconds: a small box rests between.

        On PostgreSQL, which does not tell, after every pause; else after LONGEST_PAUSE at the latest.
        """
        seen, asked = -1, 0.0
        while True:
            await asyncio.sleep(pause)
            version = self._version()
            if version is None or version != seen or time.monotonic() - asked > LONGEST_PAUSE:
                seen, asked = version or -1, time.monotonic()
                yield

    def _version(self) -> int | None:
        """A number that changes when another connection commits (SQLite, PRAGMA data_version); 10 µs."""
        if not self.is_sqlite:
            return None
        try:
            if self._asking is None:
                self._asking = sqlite3.connect(make_url(self.url).database or "", timeout=0)
            return int(self._asking.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return None

    async def migrate(self, version: str = "head") -> None:
        """Bring the tables to this version. Repeatable; runs before anything listens."""
        async with self._writing, self._writer.connect() as connection:
            await connection.run_sync(_upgrade, version)

    async def close(self) -> None:
        if self._asking:
            self._asking.close()
            self._asking = None
        await self._reader.dispose()
        await self._writer.dispose()


class _Connection(sqlite3.Connection):
    """Gives its lock back when it is closed.

    SQLAlchemy closes a connection whose task was cancelled in a statement, as at a stop. SQLite keeps what
    is closed, with its transaction and lock, until the last cursor is gone ("zombie",
    sqlite.org/c3ref/close.html), and that waits in a cycle for Python's collector: until it came by, one
    write in eight that was broken off made the next fail after BUSY_TIMEOUT.
    """

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # closed before, or its disk is full or gone
            self.rollback()
        super().close()


def _sqlite_engine(url: str, *, begin: str, pool: int, pragmas: tuple[str, ...]) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        query_cache_size=QUERIES,
        connect_args={"cached_statements": STATEMENTS, "factory": _Connection},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # The driver's own transaction mode sends no BEGIN before a SELECT: take it over.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"busy_timeout={BUSY_TIMEOUT * 1000}",
            "foreign_keys=ON",
            *pragmas,
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _upgrade(connection: Any, version: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
