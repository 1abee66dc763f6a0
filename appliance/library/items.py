"""What the library holds, as values. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.accounts.caller import Audience


class Kind(StrEnum):
    """The API's `type`."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"
    DOCUMENT = "document"
    OTHER = "other"


@dataclass(frozen=True)
class File:
    """One file of the library, as listed."""

    id: str
    """Opaque, stable over renames and moves."""
    name: str
    """With its extension, fit to be shown."""
    folder: str
    """Root-relative, `/`-separated; empty for the root itself."""
    folder_id: str
    kind: Kind
    mime_type: str
    size_bytes: int
    mtime_ns: int
    audience: Audience
    created_at: int
    """Epoch milliseconds: when the library first had it."""
    last_indexed_at: int
    last_accessed_at: int | None = None
    uploaded_by: str | None = None
    """User id."""
    uploader_name: str | None = None
    """That person's name; None for who does not want to be named."""
    sha256: str | None = None
    duration_sec: float | None = None
    resolution: str | None = None
    """`1920x1080`"""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is in the file beyond the columns: codecs, bitrate, rotation, taken_at … (see facts.py)."""
    artist: str | None = None
    album: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    """The household's own tags."""


@dataclass(frozen=True)
class Folder:
    id: str
    parent_id: str | None
    """None for a root."""
    name: str
    path: str
    """Root-relative, `/`-separated."""
    audience: Audience
    files: int
    """Files directly in it."""
    folders: int
    """Folders directly in it."""
    audience_rule: Audience | None = None
    """An admin's word on it; None: by kind."""


@dataclass(frozen=True)
class Room:
    """A root, and what fits into it. Bytes are None while it is away."""

    folder_id: str
    name: str
    online: bool
    writable: bool
    """Not mounted read-only."""
    free_bytes: int | None
    """For a user without rights; MANTEL_FREE_SPACE of it stays free."""
    total_bytes: int | None


@dataclass(frozen=True)
class Page:
    """One page of a listing."""

    items: tuple[File, ...]
    total: int


class Sort(StrEnum):
    """The API's `sort`; each has its natural direction, `-` in front turns it."""

    NAME = "name"
    CREATED_AT = "created_at"
    SIZE = "size"
    DURATION = "duration"
    LAST_ACCESSED = "last_accessed"
    TAKEN = "taken"
    """When a photo was taken: the camera's word, else the file's time."""
    POPULAR = "popular"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class FileQuery:
    """Which files, in which order, and which part of them. Every condition must hold."""

    query: str = ""
    """Words that name, folder, artist, album, title or tags contain; mistyped ones are corrected."""
    kinds: frozenset[Kind] = frozenset()
    """Empty: all kinds."""
    since: int | None = None
    """`created_at` at or after this, epoch milliseconds."""
    min_size: int | None = None
    max_size: int | None = None
    may_be: str | None = None
    """A SHA-256: files whose checksum it is, first, and those of which none is known."""
    name: str | None = None
    """Exact, as it is shown."""
    uploader: str | None = None
    """User id."""
    tag: str | None = None
    folder: str | None = None
    """Root-relative, exact; the empty text is the roots themselves."""
    folder_id: str | None = None
    below: str | None = None
    """A folder's id: in it or anywhere under it."""
    artist: str | None = None
    album: str | None = None
    title_contains: str | None = None
    """In the title or name alone, folded; no correction."""
    sort: Sort | None = None
    """None: relevance when there is a query, else name."""
    descending: bool = False
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True)
class Change:
    """What one transaction did to what is listed: ids of files, and of folders whose children differ."""

    revision: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
