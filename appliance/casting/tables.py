"""Players that were seen, and what was shown on them."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table

from appliance.database import Json, metadata

players = Table(
    "players",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("key", String(120), nullable=False),
    Column("name", String(40), nullable=False),
    Column("given_name", String(40)),
    Column("maker", String(80), nullable=False),
    Column("model", String(80), nullable=False),
    Column("standing", String(8), nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("least_role", Integer, nullable=False),
    Column("mac", String(17)),
    Column("address", String(15), nullable=False),
    Column("sink", Json, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Index("uq_players_kind_key", "kind", "key", unique=True),
)

showings = Table(
    "showings",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("player_id", String(16), nullable=False, index=True),
    Column("user_id", String(16)),
    Column("user_name", String(80), nullable=False),
    Column("session_id", String(64)),
    Column("device", String(64)),
    Column("files", Json, nullable=False),
    Column("place", Integer, nullable=False),
    Column("repeat", String(4), nullable=False),
    Column("position", Float, nullable=False),
    Column("fetched_by", String(15)),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, index=True),
)
"""`position`: seconds into the current file. `fetched_by`: the address that the first fetch pinned."""
