"""Who may enter, as tables. Times are epoch milliseconds UTC."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from appliance.database import Json, metadata

users = Table(
    "users",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("username", String(40), nullable=False),
    # Case-folded, so that Mira and mira are one person.
    Column("username_key", String(80), nullable=False, unique=True),
    Column("password_hash", String(100), nullable=False),
    Column("role", Integer, nullable=False),
    # `full`, `anonymous` (counted, never named) or `off` (nothing is recorded).
    Column("privacy", String(10), nullable=False, server_default="full"),
    Column("created_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    # One row a signed-in device; the id is also the refresh family.
    Column("id", String(32), primary_key=True),
    # None for a guest.
    Column("user_id", String(16), ForeignKey("users.id", ondelete="CASCADE")),
    Column("jwt_id", String(32), nullable=False),
    Column("device", String(16), nullable=False),
    Column("device_name", String(80), nullable=False),
    # `plain` or `tls`: a session is valid only on the channel that made it.
    Column("channel", String(5), nullable=False),
    # `password`, `setup`, `guest` or `pairing`.
    Column("method", String(10), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("address", String(45), nullable=False),
    Column("user_agent", String(200), nullable=False),
    Column("revoked", Boolean, nullable=False, default=False),
    # The refresh token with this counter is the live one; its predecessor has a short grace.
    Column("counter", Integer, nullable=False, default=0),
    Column("rotated_at", BigInteger),
    Column("rotated_address", String(45)),
    Column("rotated_agent", String(200)),
    Index(None, "user_id"),
)

throttles = Table(
    "throttles",
    metadata,
    # `address:192.0.2.1`, `account:mira`, `device:…`
    Column("key", String(120), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("banned_until", BigInteger, nullable=False, server_default="0"),
)

auth_state = Table(
    "auth_state",
    metadata,
    # `epoch`: sessions of an older one are over; `setup`: the one-time code's hash, age and tries.
    Column("key", String(20), primary_key=True),
    Column("value", Json, nullable=False),
)
