"""Links, what they lead to, and who opened them. Times are epoch milliseconds UTC."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from appliance.database import metadata

shares = Table(
    "shares",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner_id", String(16), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # The token is made from id and generation: raising it ends every copy of the link.
    Column("generation", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("password_hash", String(100)),
    Column("one_time", Boolean, nullable=False),
    Column("download", Boolean, nullable=False),
    # Photos go out without the place where they were taken unless this is set.
    Column("with_place", Boolean, nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    # Of a one-time link: the one opening that won.
    Column("bound_to", String(32)),
    Index(None, "owner_id"),
)

share_files = Table(
    "share_files",
    metadata,
    Column("share_id", String(16), ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", String(16), primary_key=True),
    Column("position", Integer, nullable=False),
    # The content that was shared: another one under the same name is not.
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
)

share_opens = Table(
    "share_opens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("share_id", String(16), ForeignKey("shares.id", ondelete="CASCADE"), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("device_name", String(80), nullable=False),
    Column("address", String(45), nullable=False),
    Index(None, "share_id"),
)
