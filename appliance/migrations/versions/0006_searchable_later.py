"""Files that are listed at once and found by searches a moment later; files of one size from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RANK = "min(length({0}.folded_name), 127) << 32 | {0}.pk"
INDEXED = (
    "{0}.folded_name, substr({0}.folded, length({0}.folded_name) + 1), "
    "CASE {0}.audience WHEN 'household' THEN 'hou' ELSE '' END, substr({0}.kind, 1, 3)"
)
COLUMNS = "name, rest, who, what"
SEEN = ("folded", "folded_name", "audience", "kind", "gone_at", "searchable")
INDEXES = ("files_words", "files_trigrams")


def upgrade() -> None:
    # A table is not changed while a trigger on it is there: SQLite would read all of them again.
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if on_sqlite:
        for name in INDEXES:
            for event in ("insert", "delete", "update"):
                op.execute(f"DROP TRIGGER {name}_{event}")
    op.add_column("files", sa.Column("searchable", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index(
        "ix_files_not_searchable",
        "files",
        ["searchable"],
        sqlite_where=sa.text("NOT searchable"),
        postgresql_where=sa.text("NOT searchable"),
    )
    op.create_index("ix_files_size_bytes", "files", ["size_bytes"])
    if on_sqlite:
        for name in INDEXES:
            _triggers(name)


def _triggers(name: str) -> None:
    out = f"INSERT INTO {name}({name}, rowid, {COLUMNS}) SELECT 'delete', {RANK}, {INDEXED}".format("old")
    into = f"INSERT INTO {name}(rowid, {COLUMNS}) SELECT {RANK}, {INDEXED}".format("new")
    was, is_now = (f"{which}.gone_at IS NULL AND {which}.searchable" for which in ("old", "new"))
    differs = " OR ".join(f"old.{column} IS NOT new.{column}" for column in SEEN)
    op.execute(f"CREATE TRIGGER {name}_insert AFTER INSERT ON files WHEN {is_now} BEGIN {into}; END")
    op.execute(f"CREATE TRIGGER {name}_delete AFTER DELETE ON files WHEN {was} BEGIN {out}; END")
    op.execute(
        f"CREATE TRIGGER {name}_update AFTER UPDATE OF {', '.join(SEEN)} ON files WHEN {differs} BEGIN "
        f"{out} WHERE {was}; {into} WHERE {is_now}; END"
    )
