"""The migrations make what the tables say, on both databases, and running them twice changes nothing."""

import contextlib
import importlib
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

from appliance.accounts.tables import users
from appliance.database import Database
from appliance.migrations.tables import metadata
from tests.postgres import any_database as any_database
from tests.postgres import postgres_url as postgres_url

first = importlib.import_module("appliance.migrations.versions.0001_first")


def differences(connection: Connection) -> list[object]:
    """What alembic would still change, but for what each database has in its own way (search, tags)."""

    def is_common(_object: object, name: str | None, *_: object) -> bool:
        return not (name or "").startswith(("files_search", "ix_files_folded_trgm", "ix_files_tags"))

    context = MigrationContext.configure(connection, opts={"include_object": is_common})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables(any_database: Database) -> None:
    async with any_database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(any_database: Database) -> None:
    await any_database.migrate()
    async with any_database.read() as connection:
        assert (
            await connection.execute(text("SELECT version_num FROM alembic_version"))
        ).scalars().all() == ["0003"]


async def test_a_database_of_the_first_release_comes_up_with_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "mantel.db"
    with contextlib.closing(sqlite3.connect(file)) as old:
        sql = Path(str(first.__file__)).with_name("0001_sqlite.sql").read_text(encoding="utf-8")
        for statement in sql.split(first.BETWEEN):
            old.execute(statement)
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
        old.execute("INSERT INTO users VALUES ('u1', 'mira', 'mira', 'x', 4, 'full', 1, NULL)")
        old.commit()
    database = Database(f"sqlite+aiosqlite:///{file}")
    await database.migrate()
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.execute(select(users.c.username))).scalars().all() == ["mira"]
    await database.close()
