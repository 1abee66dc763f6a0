"""One row for each upload that was announced, until a day after it was published or given up."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table, Text

from appliance.database import metadata

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", String(16), nullable=False),
    Column("device", String(64)),
    Column("root_id", String(64), nullable=False),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("length", BigInteger),
    Column("received", BigInteger, nullable=False, default=0),
    Column("resumable", Boolean, nullable=False),
    Column("state", String(12), nullable=False),
    Column("target", LargeBinary),
    Column("inode", BigInteger),
    Column("sha256", String(64)),
    Column("file_id", String(16)),
    Column("duplicate", Boolean, nullable=False, default=False),
    Column("modified_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Index("ix_uploads_state", "state"),
    Index("ix_uploads_user_id_name", "user_id", "name"),
)
"""`received` bytes are on the disk for good (synced), whatever the file's size says. `state`: `receiving`,
`publishing` (`target` and `inode` say what is to appear where), `published` (`file_id` says as what)."""
