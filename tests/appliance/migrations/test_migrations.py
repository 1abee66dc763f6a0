"""The migrations make what the tables say, on both databases, and running them twice changes nothing."""

import contextlib
import importlib
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.accounts.tables import users
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.migrations.tables import metadata

first = importlib.import_module("appliance.migrations.versions.0001_first")


def differences(connection: Connection) -> list[object]:
    """What alembic would still change, but for what each database has in its own way (search, tags)."""

    def is_common(_object: object, name: str | None, *_: object) -> bool:
        return not (name or "").startswith(
            ("files_words", "files_trigrams", "ix_files_folded_trgm", "ix_files_tags")
        )

    context = MigrationContext.configure(connection, opts={"include_object": is_common})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables(any_database: Database) -> None:
    async with any_database.read() as connection:
        assert await connection.run_sync(differences) == []


async def version(connection: AsyncConnection) -> list[str]:
    return list((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())


async def test_migrating_again_changes_nothing(any_database: Database) -> None:
    async with any_database.read() as connection:
        before = await version(connection)
    await any_database.migrate()
    async with any_database.read() as connection:
        assert await version(connection) == before


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


FIRST_ROWS = """
INSERT INTO roots (pk, root_id, path, adopted_at) VALUES (1, 'r', {path}, 0);
INSERT INTO folders (pk, id, root_pk, raw_name, path, name, display_path, sort_name, depth, inode,
  files, files_everyone, folders, folders_everyone)
  VALUES (7, 'folder', 1, {empty}, {empty}, 'media', '', 'media', 0, 0, 2, 2, 0, 0);
INSERT INTO files (pk, id, root_pk, folder_pk, raw_name, path, name, sort_name, kind, mime_type, size_bytes,
  mtime_ns, inode, audience, created_at, last_indexed_at, facts, tags, tag_keys, folded, folded_name, gone_at)
  VALUES (1, 'kept', 1, 7, {dune}, {dune}, 'Dune.mp4', 'dune', 'video', 'video/mp4', 1,
    1, 1, 'everyone', 1, 1, '{{}}', '[]', '', 'dune mp4', 'dune', NULL),
  (2, 'gone', 1, 7, {heat}, {heat}, 'Heat.mp4', 'heat', 'video', 'video/mp4', 1,
    1, 2, 'everyone', 1, 1, '{{}}', '[]', '', 'heat mp4', 'heat', 5);
INSERT INTO words (word) VALUES ('dune'), ('heat')
"""


async def test_files_of_the_first_release_are_found(any_database_url: str, tmp_path: Path) -> None:
    root = tmp_path / "media"
    (root / ".mantel").mkdir(parents=True)
    (root / ".mantel/root-id").write_text("r\n")
    found = Database(any_database_url)
    await found.migrate("0001")
    values = {
        name: f"X'{value.hex()}'" if found.is_sqlite else f"'\\x{value.hex()}'::bytea"
        for name, value in {
            "path": bytes(root),
            "empty": b"",
            "dune": b"Dune.mp4",
            "heat": b"Heat.mp4",
        }.items()
    }
    async with found.write() as connection:
        for statement in FIRST_ROWS.format(**values).split(";"):
            await connection.exec_driver_sql(statement)
    await found.migrate()
    library = Library(found, Journal(found), [root], state=tmp_path / "state")
    await library.adopt_roots()
    for typed, ids in {"dune": ["kept"], "dnue": ["kept"], "un": ["kept"], "heat": []}.items():
        page = await library.page(FileQuery(query=typed), frozenset(Audience))
        assert ([file.id for file in page.items], page.total) == (ids, len(ids))
    await library.stop()
    await found.close()
