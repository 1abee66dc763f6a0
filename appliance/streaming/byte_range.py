"""Which bytes of a file a request asks for. Pure: headers in, ranges out (RFC 9110 §13.1.5 and §14).

Both listeners use it. The rules, as the standard has them:

- A Range that we do not understand (another unit, bad syntax, nothing in it) is ignored: the whole file.
- Of several ranges the ones that lie behind the end are dropped; if none is left, it is 416.
- If-Range decides whether the Range counts at all: only a strong match does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MOST_RANGES = 16
"""More ranges in one request than any player sends; RFC 9110 §14.2 lets us ignore such a Range."""

_FIRST_LAST = re.compile(r"(\d*)-(\d*)", re.ASCII)
_MOST_DIGITS = 30
"""A number of more digits is no position in any file; guards int() against endless strings."""


@dataclass(frozen=True)
class Whole:
    """200: the whole file."""


@dataclass(frozen=True)
class Part:
    """Bytes `first` to `last`, both included, counted from 0."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """RFC 9110 §14.4."""
        return f"bytes {self.first}-{self.last}/{size}"


@dataclass(frozen=True)
class Parts:
    """206: one part, or several in the order asked for."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Unsatisfiable:
    """416: there is no such byte. `content_range` tells the size, RFC 9110 §15.5.17."""

    size: int

    @property
    def content_range(self) -> str:
        return f"bytes */{self.size}"


def resolve(
    range_header: str | None, if_range: str | None, size: int, etag: str, last_modified: int
) -> Whole | Parts | Unsatisfiable:
    """What a GET with these headers gets of a file of `size` bytes.

    `etag` is strong and quoted; `last_modified` is in whole seconds since the epoch.
    """
    if range_header is None:
        return Whole()
    if if_range is not None and not _still_the_same(if_range, etag, last_modified):
        return Whole()
    asked = _parse(range_header)
    if asked is None:
        return Whole()
    parts = [part for first, last in asked if (part := _clip(first, last, size)) is not None]
    if parts:
        return Parts(_merge(parts))
    if size == 0 and any(first is None and last != 0 for first, last in asked):
        # The suffix of an empty file is the empty file (§14.1.2); no Content-Range can say that.
        return Whole()
    return Unsatisfiable(size)


def _parse(header: str) -> list[tuple[int | None, int | None]] | None:
    """(first, last) of each range, None for what is left out; None for a header that is to be ignored."""
    unit, equals, ranges = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    asked: list[tuple[int | None, int | None]] = []
    for spec in ranges.split(","):
        spec = spec.strip(" \t")
        if not spec:
            continue  # §5.6.1.2: a recipient accepts empty list elements
        match = _FIRST_LAST.fullmatch(spec)
        if not match or spec == "-" or len(spec) > 2 * _MOST_DIGITS:
            return None
        first = int(match[1]) if match[1] else None
        last = int(match[2]) if match[2] else None
        if first is not None and last is not None and last < first:
            return None
        asked.append((first, last))
    return asked if 0 < len(asked) <= MOST_RANGES else None


def _clip(first: int | None, last: int | None, size: int) -> Part | None:
    """The part of the file that the range names; None where it names no byte of it."""
    if first is None:
        suffix = min(last or 0, size)
        return Part(size - suffix, size - 1) if suffix else None
    if first >= size:
        return None
    return Part(first, size - 1 if last is None else min(last, size - 1))


def _merge(parts: list[Part]) -> tuple[Part, ...]:
    """§15.3.7.2: overlapping and touching ranges may be sent as one. Keeps order where none do."""
    ordered = sorted(parts, key=lambda part: part.first)
    merged = [ordered[0]]
    for part in ordered[1:]:
        if part.first <= merged[-1].last + 1:
            merged[-1] = Part(merged[-1].first, max(merged[-1].last, part.last))
        else:
            merged.append(part)
    return tuple(merged) if len(merged) < len(parts) else tuple(parts)


def _still_the_same(if_range: str, etag: str, last_modified: int) -> bool:
    """§13.1.5: an entity tag by strong comparison, a date by exact match."""
    value = if_range.strip()
    if value.startswith(('"', "W/")):
        return value == etag
    try:
        return int(parsedate_to_datetime(value).timestamp()) == last_modified
    except (TypeError, ValueError, OverflowError):
        return False
