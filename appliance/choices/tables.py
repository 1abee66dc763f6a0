"""What an admin chose on the page."""

from sqlalchemy import Column, String, Table

from appliance.database import Json, metadata

choices = Table(
    "choices",
    metadata,
    # A field of `Settings`.
    Column("name", String(40), primary_key=True),
    # As it was given: what `Settings` parses.
    Column("value", Json, nullable=False),
)
