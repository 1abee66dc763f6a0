"""What is in a file, as the daemon or our own probe found it, and the one place that writes it.

Whoever found a fact is half trusted: it read a stranger's bytes. So every value is checked and cut here, and
a fact counts only for the very content (size and time) that it was read from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.errors import Invalid
from appliance.library import index_store, store
from appliance.library.names import display
from appliance.library.rows import search_values
from appliance.library.saving import Saving
from appliance.library.tables import files

LONGEST_TEXT = 200
"""Characters of a tag."""
LONGEST = 30 * 24 * 3600.0
"""Seconds; a longer duration is a mistake in the file."""

TEXT_TAGS = frozenset(
    {
        "title",
        "artist",
        "album",
        "albumArtist",
        "genre",
        "date",
        "track",
        "disc",
        "composer",
        "comment",
        "show",
    }
)
CODEC_TEXTS = frozenset(
    {"container", "video", "videoProfile", "videoLevel", "audio", "audioProfile", "pixelFormat"}
)
CODEC_NUMBERS = frozenset({"frameRate", "audioChannels", "audioSampleRate", "audioBitDepth"})


@dataclass(frozen=True)
class Facts:
    """What is in one file. None: not known (and what was known before stays)."""

    file_id: str
    size: int
    """Bytes, and `mtime_ns`, of the content that was read."""
    mtime_ns: int
    sha256: str | None = None
    duration_sec: float | None = None
    resolution: str | None = None
    """`1920x1080`, as it is seen: upright."""
    codecs: Mapping[str, str | float] | None = None
    """The keys of CODEC_TEXTS and CODEC_NUMBERS."""
    bitrate: int | None = None
    """Bits a second."""
    rotation: int | None = None
    """Degrees clockwise: 0, 90, 180, 270."""
    tags: Mapping[str, str] | None = None
    has_cover: bool | None = None
    taken_at: str | None = None
    """When a photo was taken, local time of the camera: `2024-07-01T12:30:00`."""
    subtitles: tuple[Mapping[str, str], ...] | None = None
    """Text tracks inside, in order: codec, language, title."""
    broken: bool = False
    """It could not be read; noted once and not tried again while the content stays."""


def read_facts(message: Any) -> Facts:
    """One element of a `file-analyzed` message. Raises Invalid that names the field."""
    if not isinstance(message, Mapping):
        raise Invalid("facts", message, "an object for each file is needed")
    file_id = message.get("fileId")
    if not isinstance(file_id, str) or not re.fullmatch(r"[0-9a-z]{16}", file_id):
        raise Invalid("fileId", file_id, "the id of a file is needed")
    size = message.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise Invalid("size", size, "a number of bytes is needed")
    mtime = message.get("mtimeNs")
    if (
        not isinstance(mtime, str | int)
        or not re.fullmatch(r"-?[0-9]{1,19}", str(mtime))
        or not -(1 << 63) <= int(mtime) < 1 << 63
    ):
        raise Invalid("mtimeNs", mtime, "nanoseconds as a text of digits are needed")
    return Facts(
        file_id,
        size,
        int(mtime),
        sha256=_match(message.get("sha256"), r"[0-9a-f]{64}"),
        duration_sec=_number(message.get("durationSec"), LONGEST),
        resolution=_match(message.get("resolution"), r"[1-9]\d{0,5}x[1-9]\d{0,5}"),
        codecs=_codecs(message.get("codecs")),
        bitrate=_whole(message.get("bitrate"), 1 << 40),
        rotation=rotation if (rotation := message.get("rotation")) in (0, 90, 180, 270) else None,
        tags=_tags(message.get("tags")),
        has_cover=cover if isinstance(cover := message.get("hasCover"), bool) else None,
        taken_at=_match(message.get("takenAt"), r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
        subtitles=_subtitles(message.get("subtitles")),
        broken=message.get("broken") is True,
    )


def _match(value: Any, pattern: str) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(pattern, value) else None


def _number(value: Any, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= most else None


def _whole(value: Any, most: int) -> int | None:
    number = _number(value, most)
    return None if number is None else int(number)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return display(value.encode("utf-8", "replace")).strip()[:LONGEST_TEXT] or None


def _tags(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        return None
    return {name: text for name in sorted(TEXT_TAGS & value.keys()) if (text := _text(value[name]))}


def _codecs(value: Any) -> dict[str, str | float] | None:
    if not isinstance(value, Mapping):
        return None
    found: dict[str, str | float] = {}
    for name in sorted(CODEC_TEXTS & value.keys()):
        if (text := _text(value[name])) is not None:
            found[name] = text[:40]
    for name in sorted(CODEC_NUMBERS & value.keys()):
        if (number := _number(value[name], 1e7)) is not None:
            found[name] = int(number) if number.is_integer() else number
    return found


def _subtitles(value: Any) -> tuple[Mapping[str, str], ...] | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    return tuple(
        {name: text[:40] for name in ("codec", "language", "title") if (text := _text(track.get(name)))}
        for track in value[:32]
        if isinstance(track, Mapping)
    )


async def write_facts(saving: Saving, facts: Sequence[Facts], source: str) -> int:
    """Write facts whose content is still the one they were read from; returns how many that were.

    `source` is `daemon` or `probe`; the daemon's replace the probe's, never the other way.
    """
    by_id = {fact.file_id: fact for fact in facts}
    async with saving.transaction() as draft:
        rows = []
        for found in await store.rows_by_id(draft.connection, by_id):
            old, fact = found._mapping, by_id[found.id]
            if (old["size_bytes"], old["mtime_ns"]) != (fact.size, fact.mtime_ns):
                continue
            if source == "probe" and old["facts_from"] == "daemon":
                continue
            row = _columns(old, fact, source)
            rows.append({"pk": old["pk"], **row})
            draft.changed.append(fact.file_id)
            draft.touched.add(old["folder_pk"])
            await saving.note_words(draft, row["folded"])
        await index_store.update_rows(draft.connection, files, rows)
    return len(rows)


def _columns(old: Mapping[str, Any], fact: Facts, source: str) -> dict[str, Any]:
    tags = fact.tags or {}
    described = {
        "artist": tags.get("artist") or tags.get("albumArtist") or old["artist"],
        "album": tags.get("album") or old["album"],
        "title": tags.get("title") or old["title"],
    }
    more = {
        "codecs": dict(fact.codecs) if fact.codecs is not None else None,
        "bitrate": fact.bitrate,
        "rotation": fact.rotation,
        "tags": dict(tags) if fact.tags is not None else None,
        "hasCover": fact.has_cover,
        "takenAt": fact.taken_at,
        "subtitles": [dict(track) for track in fact.subtitles] if fact.subtitles is not None else None,
    }
    known = {name: value for name, value in more.items() if value is not None}
    return {
        "sha256": fact.sha256 or old["sha256"],
        "duration_sec": fact.duration_sec if fact.duration_sec is not None else old["duration_sec"],
        "resolution": fact.resolution or old["resolution"],
        **described,
        "facts": {**(old["facts"] or {}), **known},
        "facts_from": "broken" if fact.broken else source,
        "last_indexed_at": store.now_ms(),
        **search_values(old["name"], old["folder"], {**described, "tags": old["tags"]}),
    }
