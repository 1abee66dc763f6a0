"""When a photo was taken, as SQL: what the camera wrote, else the file's own time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from appliance.library.tables import files


class iso_of_seconds(GenericFunction[str]):
    """`2026-11-23T12:30:00`, UTC, of epoch seconds."""

    type = Text()
    inherit_cache = True


@compiles(iso_of_seconds, "sqlite")
def _sqlite(element: Any, compiler: Any, **words: Any) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%S', {compiler.process(element.clauses, **words)}, 'unixepoch')"


@compiles(iso_of_seconds, "postgresql")
def _postgresql(element: Any, compiler: Any, **words: Any) -> str:
    seconds = compiler.process(element.clauses, **words)
    return f"""to_char(to_timestamp({seconds}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')"""


TAKEN = func.coalesce(files.c.facts["takenAt"].as_string(), iso_of_seconds(files.c.mtime_ns / 1_000_000_000))
"""Text that sorts by time; local time of the camera, or UTC."""
