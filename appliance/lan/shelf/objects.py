"""A file of the library as a DIDL item. Pure: a row and its signed paths in, an Item out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dlna.catalog import Caption, Item, MediaKind, Picture, Resource
from dlna.media_profiles import Streams, profile

Sign = Callable[[str, str], str]
"""(rendition, extension) → path."""

RENDITIONS = {"med": ("JPEG_MED", 1024, 768), "sm": ("JPEG_SM", 640, 480), "tn": ("JPEG_TN", 160, 160)}
"""Rendition → profile, and the box that it fits into (DLNA Guidelines 2006, media formats, JPEG)."""

CLASSES = {
    "video": "object.item.videoItem",
    "audio": "object.item.audioItem.musicTrack",
    "image": "object.item.imageItem.photo",
}

ORIGINAL = "o"
ITEM = "item"
"""Prefix of the id of a file in its own folder: `item$<file id>`."""


def item(
    row: Any,
    sign: Sign,
    *,
    seen_in: str | None = None,
    position: float | None = None,
    captions: tuple[Caption, ...] = (),
    pictures: bool = True,
) -> Item:
    """`row` is a whole row of files with `folder_id`; `seen_in` the view that it is listed by."""
    kind = MediaKind(row.kind)
    tags = (row.facts or {}).get("tags") or {}
    own = f"{ITEM}${row.id}"
    is_music = kind is MediaKind.AUDIO
    return Item(
        id=own if seen_in is None else f"{seen_in}${row.id}",
        ref_id=None if seen_in is None else own,
        parent_id=f"folder/{row.folder_id}" if seen_in is None else seen_in,
        title=title_of(row),
        kind=kind,
        resources=(_original(row, kind, sign), *(_renditions(row, sign) if pictures else ())),
        date=date_of(row),
        artist=row.artist if is_music else None,
        album_artist=tags.get("albumArtist") if is_music else None,
        composer=tags.get("composer") if is_music else None,
        album=row.album if is_music else None,
        genre=tags.get("genre"),
        track=track_of(row),
        disc=track_of(row, "disc"),
        description=tags.get("comment"),
        pictures=_pictures(row, kind, sign) if pictures else (),
        captions=captions if kind is MediaKind.VIDEO else (),
        position=position,
        play_count=1 if position else 0,
        update_id=(row.last_indexed_at // 1000) & 0x7FFFFFFF,
    )


def original(row: Any, path: str) -> Resource:
    """The file itself."""
    return _original(row, MediaKind(row.kind), lambda rendition, extension: path)


def codec_names(codecs: Mapping[str, Any]) -> str:
    """`h264+ac3`, from the library's facts."""
    return f"{codecs['video']}+{codecs.get('audio', '')}" if codecs.get("video") else ""


def extension_of(row: Any) -> str:
    found = row.name.rpartition(".")[2].lower()
    return found if re.fullmatch(r"[a-z0-9]{1,5}", found) else "bin"


def _original(row: Any, kind: MediaKind, sign: Sign) -> Resource:
    facts = row.facts or {}
    codecs = facts.get("codecs") or {}
    is_image = kind is MediaKind.IMAGE
    bitrate = facts.get("bitrate")
    if not bitrate and row.duration_sec and not is_image:
        bitrate = row.size_bytes * 8 / row.duration_sec
    return Resource(
        path=sign(ORIGINAL, extension_of(row)),
        mime_type=row.mime_type,
        size=row.size_bytes,
        duration=None if is_image else row.duration_sec,
        resolution=None if kind is MediaKind.AUDIO else row.resolution,
        bitrate=int(bitrate) // 8 if bitrate and not is_image else None,
        sample_rate=_whole(codecs.get("audioSampleRate")),
        channels=_whole(codecs.get("audioChannels")),
        profile=profile(Streams.of(row.mime_type, codecs, row.resolution, facts.get("bitrate"))),
        codecs=codec_names(codecs),
        kind=kind,
    )


def _renditions(row: Any, sign: Sign) -> tuple[Resource, ...]:
    """A photo in sizes that small TVs can take, upright."""
    if row.kind != MediaKind.IMAGE.value:
        return ()
    return tuple(
        Resource(
            path=sign(name, "jpg"),
            mime_type="image/jpeg",
            resolution=fitted(row, box),
            profile=profile_name,
            converted=True,
            kind=MediaKind.IMAGE,
        )
        for name, (profile_name, *box) in RENDITIONS.items()
    )


def _pictures(row: Any, kind: MediaKind, sign: Sign) -> tuple[Picture, ...]:
    if kind is MediaKind.AUDIO and not (row.facts or {}).get("hasCover"):
        return ()
    return tuple(Picture(sign(name, "jpg"), "image/jpeg", RENDITIONS[name][0]) for name in ("sm", "tn"))


def fitted(row: Any, box: list[int]) -> str | None:
    """The true size of a picture that was made to fit; never enlarged. `resolution` is of the upright one."""
    match = re.fullmatch(r"(\d+)x(\d+)", row.resolution or "")
    if not match:
        return None
    width, height = int(match[1]), int(match[2])
    scale = min(1.0, box[0] / width, box[1] / height)
    return f"{max(1, round(width * scale))}x{max(1, round(height * scale))}"


def title_of(row: Any) -> str:
    """A song's own title; of all else the name, without its extension."""
    named: str = row.name
    if row.kind == MediaKind.AUDIO and row.title:
        return str(row.title)
    return named.rpartition(".")[0] or named


def date_of(row: Any) -> str:
    """A photo's own day, a song's year, else when the library first had it."""
    facts = row.facts or {}
    if row.kind == MediaKind.IMAGE and (taken := facts.get("takenAt")):
        return str(taken)[:10]
    if row.kind == MediaKind.AUDIO:
        year = re.match(r"(\d{4})(-\d\d-\d\d)?", (facts.get("tags") or {}).get("date", ""))
        if year:
            return year[0] if year[2] else f"{year[1]}-01-01"
    return f"{datetime.fromtimestamp(row.created_at // 1000, UTC).isoformat()[:19]}Z"


def track_of(row: Any, tag: str = "track") -> int | None:
    """`3/12` is track 3; `tag` is track or disc."""
    if row.kind != MediaKind.AUDIO:
        return None
    return _number(((row.facts or {}).get("tags") or {}).get(tag))


def _number(text: Any) -> int | None:
    match = re.match(r"\s*(\d{1,5})", str(text or ""))
    return int(match[1]) if match else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None
