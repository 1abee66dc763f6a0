"""From the words of a URL to a FileQuery. Pure; a word that will not do raises Invalid with what would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from appliance.errors import Invalid
from appliance.library.items import FileQuery, Kind, Sort
from appliance.units import DAYS, HOURS

LARGEST_PAGE = 200
DEFAULT_PAGE = 50
LAST_PAGE = 1_000_000
LONGEST_QUERY = 200
"""Characters."""
_UNITS = {"h": HOURS, "d": DAYS, "w": 7 * DAYS}


def read_query(given: Mapping[str, str], own_id: str | None, now_ms: int) -> tuple[FileQuery, int, int]:
    """The query, the page's number (from 1) and its size. `own_id` is whom `uploader=me` means."""
    page = _whole("page", given.get("page") or "1", 1, LAST_PAGE)
    size = _whole("page_size", given.get("page_size") or str(DEFAULT_PAGE), 1, LARGEST_PAGE)
    text = given.get("query", "")
    if len(text) > LONGEST_QUERY:
        raise Invalid("query", text, f"at most {LONGEST_QUERY} characters are allowed")
    sort, descending = _sort(given.get("sort", ""))
    uploader = given.get("uploader") or None
    query = FileQuery(
        query=text,
        kinds=frozenset(_kind(word) for word in given.get("type", "").split(",") if word),
        since=_since(given["since"], now_ms) if given.get("since") else None,
        min_size=_size("min_size", given.get("min_size")),
        max_size=_size("max_size", given.get("max_size")),
        uploader=(own_id or "-") if uploader == "me" else uploader,
        tag=given.get("tag") or None,
        folder=given.get("folder"),
        artist=given.get("artist") or None,
        album=given.get("album") or None,
        sort=sort,
        descending=descending,
        offset=(page - 1) * size,
        limit=size,
    )
    return query, page, size


def _whole(field: str, value: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", value) or not low <= int(value) <= high:
        raise Invalid(field, value, f"a whole number from {low} to {high} is allowed")
    return int(value)


def _size(field: str, value: str | None) -> int | None:
    return _whole(field, value, 0, (1 << 63) - 1) if value else None


def _kind(word: str) -> Kind:
    if word not in Kind.__members__.values():
        raise Invalid("type", word, f"one or more of {', '.join(Kind)} is allowed")
    return Kind(word)


def _sort(value: str) -> tuple[Sort | None, bool]:
    if not value:
        return None, False
    name = value.removeprefix("-")
    if name not in Sort.__members__.values():
        raise Invalid("sort", value, f"one of {', '.join(Sort)}, with - in front to reverse, is allowed")
    return Sort(name), value.startswith("-")


def _since(value: str, now_ms: int) -> int:
    """`24h`, `7d`, `2w`, a date or moment (ISO 8601, UTC unless it says otherwise) as epoch milliseconds."""
    span = re.fullmatch(r"([0-9]{1,5})([hdw])", value)
    if span:
        return now_ms - int(span[1]) * _UNITS[span[2]] * 1000
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            moment = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        else:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid(
            "since", value, "hours, days or weeks (24h, 7d, 2w) or a date (2026-11-22) is allowed"
        ) from None
