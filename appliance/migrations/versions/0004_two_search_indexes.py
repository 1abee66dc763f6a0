"""Search by words and by trigrams, shortest names first; the vocabulary in the order in which words came."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RANK = "min(length({0}.folded_name), 127) << 32 | {0}.pk"
INDEXED = (
    "{0}.folded_name, substr({0}.folded, length({0}.folded_name) + 1), "
    "CASE {0}.audience WHEN 'household' THEN 'hou' ELSE '' END, substr({0}.kind, 1, 3)"
)
COLUMNS = "name, rest, who, what"
SEEN = ("folded", "folded_name", "audience", "kind", "gone_at")


def upgrade() -> None:
    connection = op.get_bind()
    op.drop_table("words")
    words = op.create_table(
        "words",
        sa.Column("pk", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("word", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_words"),
        sa.UniqueConstraint("word", name="uq_words_word"),
    )
    met: dict[str, None] = {}
    for (folded,) in connection.execute(
        sa.text("SELECT folded FROM files WHERE gone_at IS NULL ORDER BY pk")
    ):
        met |= dict.fromkeys(word for word in folded.split() if word.isalpha())
    every = list(met)
    for n in range(0, len(every), 1000):
        connection.execute(sa.insert(words), [{"word": word} for word in every[n : n + 1000]])
    if connection.dialect.name == "sqlite":
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER files_search_{name}")
        op.execute("DROP TABLE files_search")
        _index("files_words", "tokenize='ascii', prefix='2 3'")
        _index("files_trigrams", "tokenize='trigram'")


def _index(name: str, options: str) -> None:
    out = f"INSERT INTO {name}({name}, rowid, {COLUMNS}) SELECT 'delete', {RANK}, {INDEXED}".format("old")
    every = f"INSERT INTO {name}(rowid, {COLUMNS}) SELECT {RANK}, {INDEXED}"
    into = every.format("new")
    differs = " OR ".join(f"old.{column} IS NOT new.{column}" for column in SEEN)
    op.execute(f"CREATE VIRTUAL TABLE {name} USING fts5({COLUMNS}, content='', {options})")
    op.execute(f"{every.format('files')} FROM files WHERE gone_at IS NULL ORDER BY 1")
    op.execute(
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON files WHEN new.gone_at IS NULL BEGIN {into}; END"
    )
    op.execute(
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON files WHEN old.gone_at IS NULL BEGIN {out}; END"
    )
    op.execute(
        f"CREATE TRIGGER {name}_update AFTER UPDATE OF {', '.join(SEEN)} ON files WHEN {differs} BEGIN "
        f"{out} WHERE old.gone_at IS NULL; {into} WHERE new.gone_at IS NULL; END"
    )
