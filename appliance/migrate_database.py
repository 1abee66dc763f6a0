"""`mantel migrate-database`: from SQLite to PostgreSQL, each row compared, the old store left as it is.

The appliance's store and the daemon's lie in two schemas of one database and are moved one by one, each by
the user whose role owns the schema.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from appliance.accounts.tables import users
from appliance.copying import copy_rows
from appliance.database import Database
from appliance.errors import BadSetting, Conflict, Unavailable
from appliance.library.tables import files
from appliance.migrations.tables import metadata
from appliance.settings import Settings

DAEMON_SCHEMA, HISTORY = "analytics", "schema_history"


async def migrate_database(settings: Settings, url: str) -> AsyncIterator[tuple[str, int]]:
    """The appliance's rows; gives (table, rows). Nothing is kept of a migration that does not end well.

    BadSetting for a URL that is not PostgreSQL's, Conflict when Mantel runs, when there is nothing to move
    or the target is in use, Unavailable when it cannot be reached.
    """
    _is_postgresql(url)
    source = Path(settings.appliance_database_url.removeprefix("sqlite+aiosqlite:///"))
    is_sqlite = settings.appliance_database_url.startswith("sqlite")
    if not is_sqlite or not await asyncio.to_thread(source.exists):
        raise Conflict("There is no SQLite database to migrate from.")
    if await asyncio.to_thread(_answers, settings.internal_port):
        raise Conflict("Mantel runs and would go on writing to the old database; stop it first.")
    old, new = Database(settings.appliance_database_url), Database(url)
    try:
        await old.migrate()
        await new.migrate()
        # A writer on the old side too: whoever started meanwhile has to wait.
        async with old.write() as reading, new.write() as writing:
            await refuse_in_use(writing)
            async for moved in copy_rows(reading, writing, metadata.sorted_tables):
                yield moved
    except (OSError, SQLAlchemyError) as error:
        raise _away(error) from error
    finally:
        await old.close()
        await new.close()


async def refuse_in_use(connection: AsyncConnection) -> None:
    """Conflict when people or files are known there: nothing is overwritten."""
    for table in (users, files):
        if (await connection.execute(select(table).limit(1))).first():
            raise Conflict(f"The new database is in use: its {table.name} are not empty.")


async def migrate_daemon(file: Path, url: str) -> AsyncIterator[tuple[str, int]]:
    """The daemon's rows from its SQLite `file`. The daemon must have begun once on the new database."""
    _is_postgresql(url)
    if not await asyncio.to_thread(file.exists):
        raise Conflict(f"{file} is not there.")
    old = create_async_engine(
        f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true",
        execution_options={"schema_translate_map": {DAEMON_SCHEMA: None}},
    )
    new = create_async_engine(url)
    try:
        async with old.connect() as reading, new.begin() as writing:
            tables = await _daemon_tables(writing)
            if (await writing.execute(select(tables["event"]).limit(1))).first():
                raise Conflict("The new database is in use: its events are not empty.")
            async for moved in copy_rows(reading, writing, tables.values()):
                yield moved
    except (OSError, SQLAlchemyError) as error:
        raise _away(error) from error
    finally:
        await old.dispose()
        await new.dispose()


async def _daemon_tables(connection: AsyncConnection) -> dict[str, Table]:
    """As they are in PostgreSQL, but for the migrations' own."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names(DAEMON_SCHEMA))
    if HISTORY not in names:
        raise Conflict(
            "The daemon's tables are not there; start the daemon once on the new database, and stop it."
        )
    found = MetaData(schema=DAEMON_SCHEMA)
    wanted = [name for name in names if name != HISTORY]
    await connection.run_sync(lambda sync: found.reflect(sync, only=wanted))
    return {table.name: table for table in found.sorted_tables}


def _is_postgresql(url: str) -> None:
    if not url.startswith("postgresql+asyncpg://"):
        raise BadSetting("URL", url.partition(":")[0] + ":…", "postgresql+asyncpg://… is needed")


def _away(error: Exception) -> Unavailable:
    return Unavailable(
        "A database", str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
    )


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
