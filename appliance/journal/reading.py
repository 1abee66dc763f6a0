"""The journal as people read it: an admin the whole household's, everybody what is recorded of them.

Who asked to be counted but never named has no name here, and what people searched for is theirs alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.tables import users
from appliance.errors import Invalid
from appliance.journal.entry import ABOUT_THE_HOUSE, Action
from appliance.journal.tables import access_log
from appliance.units import iso

MOST = 500
COLUMNS = ("seq", "at", "action", "username", "device", "file_id", "bytes_served", "ip", "user_agent")
RUNS_IN_A_SHEET = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Wanted:
    """Which entries; newest first. `before`: only entries with a lower seq."""

    user_id: str | None = None
    action: Action | None = None
    file_id: str | None = None
    before: int | None = None
    limit: int = 100


def read_wanted(query: Any, user_id: str | None) -> Wanted:
    """From a query string. Invalid names the field."""
    try:
        action = Action(query["action"].upper()) if "action" in query else None
    except ValueError:
        allowed = ", ".join(one.lower() for one in Action)
        raise Invalid("action", query["action"], f"one of {allowed} is allowed") from None
    return Wanted(
        user_id,
        action,
        query.get("file") or None,
        _number(query, "before", 1, 2**62),
        _number(query, "limit", 1, MOST) or 100,
    )


def _number(query: Any, name: str, low: int, high: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise Invalid(name, text, f"a whole number from {low} to {high} is allowed")
    return int(text)


async def read(connection: AsyncConnection, wanted: Wanted, own: bool) -> list[dict[str, Any]]:
    """`own`: for the person it is about. Entries about files and accounts themselves are left out."""
    query = (
        select(access_log, users.c.username, users.c.privacy)
        .outerjoin_from(access_log, users, users.c.id == access_log.c.user_id)
        .where(access_log.c.action.not_in([one.value for one in ABOUT_THE_HOUSE]))
        .order_by(access_log.c.seq.desc())
        .limit(wanted.limit)
    )
    if wanted.user_id is not None:
        query = query.where(access_log.c.user_id == wanted.user_id)
        if not own:
            query = query.where(users.c.privacy == "full")
    if wanted.action is not None:
        query = query.where(access_log.c.action == wanted.action.value)
    if wanted.file_id is not None:
        query = query.where(access_log.c.file_id == wanted.file_id)
    if wanted.before is not None:
        query = query.where(access_log.c.seq < wanted.before)
    return [_shown(row, own) for row in await connection.execute(query)]


def _shown(row: Any, own: bool) -> dict[str, Any]:
    named = own or row.privacy in (None, "full")
    shown = {
        "seq": row.seq,
        "at": iso(row.ts),
        "action": row.action.lower(),
        "user_id": row.user_id if named else None,
        "username": row.username if named else None,
        "device": row.device if named else None,
        "file_id": row.file_id,
        "bytes_served": row.bytes_served,
        "ip": row.ip if named else None,
        "user_agent": row.user_agent if named else None,
    }
    if own or row.action != Action.SEARCH.value:
        shown["payload"] = row.payload or {}
    return shown


def as_csv(entries: Sequence[dict[str, Any]]) -> str:
    """RFC 4180. A cell that a spreadsheet would run begins with a quote."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        cells = ["" if entry[name] is None else str(entry[name]) for name in COLUMNS]
        writer.writerow([f"'{cell}" if cell.startswith(RUNS_IN_A_SHEET) else cell for cell in cells])
    return out.getvalue()
