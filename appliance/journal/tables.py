"""What happened, how far people got, and what the daemon counted."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from appliance.database import Json, metadata

access_log = Table(
    "access_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("user_id", String(16)),
    Column("device", String(64)),
    Column("file_id", String(16)),
    Column("bytes_served", BigInteger, nullable=False, default=0),
    Column("ip", String(45)),
    Column("user_agent", String(200)),
    Column("payload", Json, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Index("ix_access_log_file_id_ts", "file_id", "ts"),
    Index("ix_access_log_user_id_ts", "user_id", "ts"),
    Index("ix_access_log_ts", "ts"),
)

log_state = Table(
    "log_state",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("epoch", String(36), nullable=False),
    Column("last_seq", BigInteger, nullable=False),
)
"""One row. `epoch` is renewed on a restore, so that the daemon's cursor never skips what came after it."""

positions = Table(
    "positions",
    metadata,
    Column("user_id", String(16), primary_key=True),
    Column("file_id", String(16), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_positions_user_id_updated_at", "user_id", "updated_at"),
)

favourites = Table(
    "favourites",
    metadata,
    Column("user_id", String(16), primary_key=True),
    Column("file_id", String(16), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

popularity = Table(
    "popularity",
    metadata,
    Column("file_id", String(16), primary_key=True),
    Column("plays", Integer, nullable=False),
)
"""Plays of the last week as the daemon told them; `sort=popular` and the TVs' list read it."""
