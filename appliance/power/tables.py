"""Machines that may be woken."""

from sqlalchemy import BigInteger, Column, String, Table

from appliance.database import Json, metadata

machines = Table(
    "machines",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("name_key", String(60), nullable=False, unique=True),
    Column("mac", String(17), nullable=False, unique=True),
    Column("secure_on", String(17)),
    Column("address", String(15)),
    Column("library_root", String(1024)),
    Column("schedule", Json, nullable=False),
    Column("woken_at", BigInteger),
)
"""`name_key`: the name case-folded, so that `mantel wake nas` finds NAS. `woken_at`: epoch milliseconds."""
