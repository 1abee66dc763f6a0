"""TVs that knocked, and what they may; the media server's own name."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from appliance.database import Json, metadata

tvs = Table(
    "tvs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("key", String(80), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("family", String(40), nullable=False),
    Column("state", String(8), nullable=False),
    Column("code", String(4), nullable=False),
    Column("folders", Json, nullable=False),
    Column("user_id", String(16)),
    Column("address", String(45), nullable=False),
    Column("user_agent", String(200), nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
)
"""`key` is interface and MAC; `state` is asking, allowed or blocked; `folders` are ids that it is limited to
(empty: no limit); `user_id` is whose positions it keeps and shows."""

media_server = Table(
    "media_server",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("udn", String(41), nullable=False),
    Column("boot_id", BigInteger, nullable=False),
)
"""One row. TVs know the server by its `udn`; `boot_id` rises with each start (UDA 1.1 §1.2.2)."""
