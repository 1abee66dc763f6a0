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


@dataclass(frozen=True)
class Page:
    """One page of a listing."""

    items: tuple[File, ...]
    total: int
