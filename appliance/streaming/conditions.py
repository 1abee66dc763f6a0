"""Conditional requests: must the file be sent at all? Pure (RFC 9110 §13).

If-Range is `byte_range`'s; it decides what is sent, not whether.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Protocol

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class Headers(Protocol):
    """A request's headers: `get` ignores the case of names. Werkzeug's and aiohttp's both are such."""

    def get(self, key: str, /) -> str | None: ...


class Verdict(Enum):
    SEND = 200
    NOT_MODIFIED = 304
    FAILED = 412


def judge(headers: Headers, etag: str, last_modified: int) -> Verdict:
    """For GET and HEAD, in the order of §13.2.2. `last_modified` is in whole seconds since the epoch."""
    if (if_match := headers.get("If-Match")) is not None:
        if not _lists(if_match, etag, weak=False):
            return Verdict.FAILED
    elif (unmodified := _seconds(headers.get("If-Unmodified-Since"))) is not None:
        if last_modified > unmodified:
            return Verdict.FAILED
    if (none_match := headers.get("If-None-Match")) is not None:
        if _lists(none_match, etag, weak=True):
            return Verdict.NOT_MODIFIED
    elif (modified := _seconds(headers.get("If-Modified-Since"))) is not None and last_modified <= modified:
        return Verdict.NOT_MODIFIED
    return Verdict.SEND


def _lists(header: str, etag: str, *, weak: bool) -> bool:
    """Does the list name our tag? §8.8.3.2: weak comparison looks past `W/`, strong refuses it."""
    if header.strip() == "*":
        return True
    tags = _TAG.findall(header)
    return etag in ([tag.removeprefix("W/") for tag in tags] if weak else tags)


def _seconds(date: str | None) -> int | None:
    """None for a missing date and for one that is none: such a header is ignored (§13.1.3)."""
    if date is None:
        return None
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
