"""The migrations make what the tables say, on both databases, and running them twice changes nothing."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from appliance.database import Database
from appliance.migrations.tables import metadata
from tests.postgres import any_database as any_database
from tests.postgres import postgres_url as postgres_url


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
        ).scalars().all() == ["0001"]
