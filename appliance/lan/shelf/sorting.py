"""SortCriteria over rows of the shelf. Pure.

Text is compared as people do (names.sort_key), numbers as numbers. What lacks a property comes last,
whichever way it is sorted; names break ties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.lan.shelf.objects import CLASSES, date_of, title_of, track_of
from appliance.library.names import sort_key

Sort = tuple[tuple[str, bool], ...]
"""(property, descending), the first counts most."""

KEYS: dict[str, Callable[[Any], Any]] = {
    "dc:title": lambda row: sort_key(title_of(row)),
    "dc:date": lambda row: date_of(row),
    "dc:creator": lambda row: _text(row.artist if row.kind == "audio" else None),
    "upnp:class": lambda row: CLASSES[row.kind],
    "upnp:artist": lambda row: _text(row.artist if row.kind == "audio" else None),
    "upnp:album": lambda row: _text(row.album if row.kind == "audio" else None),
    "upnp:genre": lambda row: _text(((row.facts or {}).get("tags") or {}).get("genre")),
    "upnp:originalTrackNumber": lambda row: track_of(row),
    "upnp:originalDiscNumber": lambda row: track_of(row, "disc"),
    "res@size": lambda row: row.size_bytes,
    "res@duration": lambda row: None if row.kind == "image" else row.duration_sec,
}


def values(row: Any, sort: Sort) -> tuple[Any, ...]:
    """What a row is sorted by; None where it lacks it."""
    return tuple(KEYS[name](row) for name, _ in sort)


def in_order(found: Iterable[tuple[tuple[Any, ...], int]], sort: Sort) -> Sequence[int]:
    """Keys of files; `found` are (values, key) by name."""
    every = list(found)
    for place, (_, descending) in reversed(list(enumerate(sort))):
        having = [one for one in every if one[0][place] is not None]
        having.sort(key=lambda one: one[0][place], reverse=descending)
        every = having + [one for one in every if one[0][place] is None]
    return [pk for _, pk in every]


def _text(value: Any) -> str | None:
    return sort_key(str(value)) if value else None
