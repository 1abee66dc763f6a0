"""The journal as people read it: an admin the whole household's, everybody what is recorded of them.

Who asked to be counted but never named has no name here, and what people searched for is theirs alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.tables import users
from appliance.errors import Invalid
from appliance.journal.entry import ABOUT_THE_HOUSE, Action
from appliance.journal.tables import access_log
from appliance.units import DAYS, HOURS, iso

MOST = 500
LONGEST_TEXT = 200
"""Characters of a filter."""
COLUMNS = (
    "seq", "at", "action", "username", "device_name", "file_name", "device", "file_id", "bytes_served",
    "ip", "user_agent",
)  # fmt: skip
RUNS_IN_A_SHEET = ("=", "+", "-", "@", "\t", "\r")
PARAMETERS = ("user", "action", "file", "device", "since", "until", "q", "before", "limit", "format")


@dataclass(frozen=True)
class Wanted:
    """Which entries; newest first. Every condition must hold; empty: no condition.

    `user`: an id or a name; `user_id`: the id alone. `since`, `until`: epoch milliseconds. `text`: in a name,
    an address, an agent, or of `text_files` and `text_devices`. `before`: only entries with a lower seq.
    """

    user_id: str | None = None
    user: str | None = None
    actions: frozenset[Action] = frozenset()
    file_id: str | None = None
    device: str | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""
    text_files: Collection[str] = ()
    text_devices: Collection[str] = ()
    before: int | None = None
    limit: int = 100


def read_wanted(query: Mapping[str, str], now_ms: int) -> Wanted:
    """From a query string. Invalid names the field."""
    for name in query:
        if name not in PARAMETERS:
            raise Invalid(re.sub(r"\W", "_", name)[:40], query[name], f"known are {', '.join(PARAMETERS)}")
        if len(query[name]) > LONGEST_TEXT or "\0" in query[name]:
            raise Invalid(name, query[name], f"at most {LONGEST_TEXT} characters are allowed")
    if query.get("format", "json") not in ("json", "csv"):
        raise Invalid("format", query["format"], "json or csv is allowed")
    return Wanted(
        user=query.get("user") or None,
        actions=frozenset(_action(word) for word in query.get("action", "").split(",") if word),
        file_id=query.get("file") or None,
        device=query.get("device") or None,
        since=_moment("since", query["since"], now_ms) if query.get("since") else None,
        until=_moment("until", query["until"], now_ms) if query.get("until") else None,
        text=query.get("q", "").strip(),
        before=_number(query, "before", 1, 2**62),
        limit=_number(query, "limit", 1, MOST) or 100,
    )


def _action(word: str) -> Action:
    try:
        return Action(word.upper())
    except ValueError:
        allowed = ", ".join(one.lower() for one in Action)
        raise Invalid("action", word, f"of {allowed}, one or several with commas are allowed") from None


def _moment(field: str, value: str, now_ms: int) -> int:
    """`24h`, `7d`, or ISO 8601 (UTC unless it says otherwise), as epoch milliseconds."""
    span = re.fullmatch(r"([0-9]{1,4})([hd])", value)
    if span:
        return now_ms - int(span[1]) * (HOURS if span[2] == "h" else DAYS) * 1000
    try:
        moment = datetime.fromisoformat(value)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        allowed = "hours or days ago (24h, 7d), a date (2026-11-22) or a time is allowed"
        raise Invalid(field, value, allowed) from None


def _number(query: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise Invalid(name, text, f"a whole number from {low} to {high} is allowed")
    return int(text)


@dataclass(frozen=True)
class Person:
    """Who did something. `privacy`: `full`, `anonymous` (counted, never named) or `off`."""

    username: str
    privacy: str


async def people(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Person]:
    query = select(users.c.id, users.c.username, users.c.privacy).where(users.c.id.in_(list(ids)))
    return {row.id: Person(row.username, row.privacy) for row in await connection.execute(query)}


async def read(connection: AsyncConnection, wanted: Wanted, own: bool) -> list[dict[str, Any]]:
    """`own`: for the person it is about. Entries about files and accounts themselves are left out."""
    query = (
        select(access_log, users.c.username, users.c.privacy)
        .outerjoin_from(access_log, users, users.c.id == access_log.c.user_id)
        .where(access_log.c.action.not_in([one.value for one in ABOUT_THE_HOUSE]))
        .order_by(access_log.c.seq.desc())
        .limit(wanted.limit)
    )
    named = (users.c.privacy == "full") | users.c.privacy.is_(None)
    if wanted.user_id is not None:
        query = query.where(access_log.c.user_id == wanted.user_id)
    if wanted.user is not None:
        query = query.where((access_log.c.user_id == wanted.user) | (users.c.username == wanted.user))
    if wanted.device is not None:
        query = query.where(access_log.c.device == wanted.device)
    if not own and (wanted.user is not None or wanted.device is not None):
        query = query.where(named)
    if wanted.actions:
        query = query.where(access_log.c.action.in_([one.value for one in wanted.actions]))
    if wanted.file_id is not None:
        query = query.where(access_log.c.file_id == wanted.file_id)
    if wanted.since is not None:
        query = query.where(access_log.c.ts >= wanted.since)
    if wanted.until is not None:
        query = query.where(access_log.c.ts < wanted.until)
    if wanted.before is not None:
        query = query.where(access_log.c.seq < wanted.before)
    if wanted.text:
        who = or_(
            users.c.username.icontains(wanted.text, autoescape=True),
            access_log.c.ip.icontains(wanted.text, autoescape=True),
            access_log.c.user_agent.icontains(wanted.text, autoescape=True),
            access_log.c.device.in_(list(wanted.text_devices)),
        )
        what = access_log.c.file_id.in_(list(wanted.text_files))
        query = query.where(or_(what, who if own else who & named))
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


def as_csv(entries: Sequence[dict[str, Any]], head: bool = True) -> str:
    """RFC 4180. A cell that a spreadsheet would run begins with a quote."""
    out = io.StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(COLUMNS)
    for entry in entries:
        cells = ["" if entry.get(name) is None else str(entry[name]) for name in COLUMNS]
        writer.writerow([f"'{cell}" if cell.startswith(RUNS_IN_A_SHEET) else cell for cell in cells])
    return out.getvalue()
