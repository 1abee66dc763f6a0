"""Tables of the library: its roots, folders and files, and what the index is at.

A path is stored as the bytes that the file system has; beside it a name that is safe to show.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
    true,
)

from appliance.database import Json, metadata

_Key = BigInteger().with_variant(Integer, "sqlite")

roots = Table(
    "roots",
    metadata,
    Column("pk", _Key, primary_key=True),
    Column("root_id", String(64), nullable=False, unique=True),
    Column("path", LargeBinary, nullable=False, unique=True),
    Column("adopted_at", BigInteger, nullable=False),
)
"""`root_id` is what `.mantel/root-id` in the folder says; `path` where the settings had it last."""

folders = Table(
    "folders",
    metadata,
    Column("pk", _Key, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("root_pk", ForeignKey("roots.pk", ondelete="CASCADE"), nullable=False),
    Column("parent_pk", ForeignKey("folders.pk", ondelete="CASCADE")),
    Column("raw_name", LargeBinary, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("display_path", Text, nullable=False),
    Column("sort_name", Text, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("audience_rule", String(16)),
    Column("files", Integer, nullable=False, default=0),
    Column("files_everyone", Integer, nullable=False, default=0),
    Column("folders", Integer, nullable=False, default=0),
    Column("folders_everyone", Integer, nullable=False, default=0),
    Column("gone_at", BigInteger),
    UniqueConstraint("parent_pk", "raw_name"),
    Index("ix_folders_root_pk_inode", "root_pk", "inode"),
    Index("ix_folders_parent_pk_sort_name", "parent_pk", "sort_name"),
    Index("ix_folders_display_path", "display_path"),
)
"""`audience_rule` is an admin's word on a top folder or a root; the counts are direct children, for all
callers and for the audience everyone, kept true by store.count_again: a TV's childCount is free."""

files = Table(
    "files",
    metadata,
    Column("pk", _Key, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("root_pk", ForeignKey("roots.pk", ondelete="CASCADE"), nullable=False),
    Column("folder_pk", ForeignKey("folders.pk", ondelete="CASCADE"), nullable=False),
    Column("raw_name", LargeBinary, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("sort_name", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("mime_type", String(100), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_indexed_at", BigInteger, nullable=False),
    Column("last_accessed_at", BigInteger),
    Column("uploaded_by", String(16)),
    Column("sha256", String(64)),
    Column("duration_sec", Float),
    Column("resolution", String(16)),
    Column("artist", Text),
    Column("album", Text),
    Column("title", Text),
    Column("facts", Json, nullable=False, default=dict),
    Column("facts_from", String(8)),
    Column("tags", Json, nullable=False, default=list),
    Column("tag_keys", Text, nullable=False, default=""),
    Column("folded", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("gone_at", BigInteger),
    Column("searchable", Boolean, nullable=False, server_default=true()),
    UniqueConstraint("folder_pk", "raw_name"),
    Index("ix_files_root_pk_inode", "root_pk", "inode"),
    Index(
        "ix_files_not_searchable",
        "searchable",
        sqlite_where=text("NOT searchable"),
        postgresql_where=text("NOT searchable"),
    ),
    Index(
        "ix_files_listing",
        *("folder_pk", "gone_at", "sort_name", "pk", "audience", "kind", "root_pk", "mime_type"),
    ),
    Index("ix_files_shown", "gone_at", "audience", "kind", "root_pk", "mime_type", "folder_pk"),
    Index(
        "ix_files_by_name",
        *("gone_at", "sort_name", "pk", "audience", "kind", "root_pk", "mime_type", "folder_pk"),
    ),
    Index(
        "ix_files_by_time",
        *("gone_at", "created_at", "pk", "audience", "kind", "root_pk", "mime_type", "folder_pk"),
    ),
    Index("ix_files_name_mime_type", "name", "mime_type"),
    Index("ix_files_sha256", "sha256"),
    Index("ix_files_size_bytes", "size_bytes"),
    Index("ix_files_artist_album", "artist", "album"),
    Index("ix_files_undescribed", "facts_from", "created_at"),
    Index("ix_files_tags", "tags").ddl_if(dialect="sqlite"),
    Index("ix_files_tags_gin", "tags", postgresql_using="gin").ddl_if(dialect="postgresql"),
)
"""`tag_keys` are the tags folded, between bars (`|summer|`), for an exact match; `folded` is all a search
looks at; `facts_from` is who described this content: null nobody yet, `probe`, `daemon`, or `broken`.
The listings' indexes hold all that a TV's list of keys asks for, so that no row is read for it.
A row with `gone_at` is not listed: its file is away (kept for a while, so that a late move keeps its id).
One that is not `searchable` is listed, and waits for being put into the indexes for searches: four fifths of
what a file costs SQLite, which a first look leaves for its end."""

trash = Table(
    "trash",
    metadata,
    Column("file_pk", ForeignKey("files.pk", ondelete="CASCADE"), primary_key=True),
    Column("raw_name", LargeBinary, nullable=False),
    Column("trashed_at", BigInteger, nullable=False),
    Column("trashed_by", String(16)),
)
"""Files that lie in `.mantel/trash/` of their root, each under its id."""

thumbnails = Table(
    "thumbnails",
    metadata,
    Column("file_id", String(16), primary_key=True),
    Column("size", Integer, primary_key=True),
    Column("thumb_path", Text),
    Column("stamp", String(40), nullable=False),
    Column("generated_at", BigInteger, nullable=False),
)
"""`thumb_path` is relative to the thumbnails folder, null for a file that has no picture; `stamp` names the
content that it was made of."""

library_state = Table(
    "library_state",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)
"""One row: `revision` goes up by one with each transaction that changes what is listed."""

words = Table(
    "words",
    metadata,
    Column("pk", _Key, primary_key=True),
    Column("word", Text, nullable=False, unique=True),
)
"""Every word of letters in every searchable text, in the order it was first met; those of gone files stay."""

RANK_SHIFT = 32
LONGEST_RANKED = 127
"""A file's `rowid` in the search indexes is min(length of folded_name, LONGEST_RANKED) << RANK_SHIFT | pk:
FTS5 yields rows by rowid, so a search that wants the shortest names first stops as soon as it has enough."""

_RANK = f"min(length({{0}}.folded_name), {LONGEST_RANKED}) << {RANK_SHIFT} | {{0}}.pk"
_INDEXED = (
    "{0}.folded_name, substr({0}.folded, length({0}.folded_name) + 1), "
    "CASE {0}.audience WHEN 'household' THEN 'hou' ELSE '' END, substr({0}.kind, 1, 3)"
)


def _search_index(name: str, options: str) -> list[str]:
    """An FTS5 table of the files that are here and searchable, and the triggers that keep it true.

    Contentless, so to take a row out one says what was in it.
    """
    columns = "name, rest, who, what"
    out = f"INSERT INTO {name}({name}, rowid, {columns}) SELECT 'delete', {_RANK}, {_INDEXED}".format("old")
    into = f"INSERT INTO {name}(rowid, {columns}) SELECT {_RANK}, {_INDEXED}".format("new")
    was, is_now = (f"{which}.gone_at IS NULL AND {which}.searchable" for which in ("old", "new"))
    seen = ("folded", "folded_name", "audience", "kind", "gone_at", "searchable")
    differs = " OR ".join(f"old.{column} IS NOT new.{column}" for column in seen)
    return [
        f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, content='', {options})",
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON files WHEN {is_now} BEGIN {into}; END",
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON files WHEN {was} BEGIN {out}; END",
        f"CREATE TRIGGER {name}_update AFTER UPDATE OF {', '.join(seen)} ON files WHEN {differs} BEGIN "
        f"{out} WHERE {was}; {into} WHERE {is_now}; END",
    ]


# Folded text has no separator but the blank, which is what the ascii tokenizer makes of it.
for statement in (
    *_search_index("files_words", "tokenize='ascii', prefix='2 3'"),
    *_search_index("files_trigrams", "tokenize='trigram'"),
):
    event.listen(files, "after_create", DDL(statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
for statement in (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_files_folded_trgm ON files USING gin (folded gin_trgm_ops)",
):
    event.listen(files, "after_create", DDL(statement).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
