"""From what lies on the disk to the columns of a row, and to the journal's words. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.accounts.caller import Audience
from appliance.journal.entry import Action, Entry
from appliance.library.kinds import EVERYONES, kind_of
from appliance.library.names import display, fold, searchable, sort_key
from appliance.library.tree import Seen
from appliance.units import iso


@dataclass(frozen=True)
class Place:
    """A folder of the index, as files are put into it."""

    pk: int
    id: str
    path: bytes
    display_path: str
    depth: int
    rule: Audience | None
    """An admin's word on the files in it; None: by kind."""
    is_new: bool = False
    """Nothing of it is in the database yet."""

    def inner(self, name: bytes) -> bytes:
        return self.path + b"/" + name if self.path else name

    def shown(self, name: bytes) -> str:
        return f"{self.display_path}/{display(name)}" if self.display_path else display(name)

    def rule_below(self, own_rule: str | None) -> Audience | None:
        """The rule of a folder in this one: its own for a top folder, else the top folder's."""
        if self.depth == 0:
            return Audience(own_rule) if own_rule else None
        return self.rule


def audience_of(place: Place, name: bytes) -> Audience:
    if place.rule is not None:
        return place.rule
    return Audience.EVERYONE if kind_of(name)[0] in EVERYONES else Audience.HOUSEHOLD


def folder_values(parent: Place, seen_name: bytes, inode: int) -> dict[str, Any]:
    """Columns of a folder that follow from where it lies."""
    name = display(seen_name)
    return {
        "parent_pk": parent.pk,
        "raw_name": seen_name,
        "path": parent.inner(seen_name),
        "name": name,
        "display_path": parent.shown(seen_name),
        "sort_name": sort_key(name),
        "depth": parent.depth + 1,
        "inode": inode,
        "gone_at": None,
    }


def file_values(place: Place, seen: Seen, described: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Columns of a file that follow from its place and stat. `described` has artist, album, title, tags."""
    name = display(seen.name)
    kind, mime_type = kind_of(seen.name)
    return {
        "folder_pk": place.pk,
        "raw_name": seen.name,
        "path": place.inner(seen.name),
        "name": name,
        "sort_name": sort_key(name),
        "kind": kind.value,
        "mime_type": mime_type,
        "size_bytes": seen.size,
        "mtime_ns": seen.mtime_ns,
        "inode": seen.inode,
        "audience": audience_of(place, seen.name).value,
        "gone_at": None,
        **search_values(name, place.display_path, described or {}),
    }


def search_values(name: str, folder: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Columns that searches look at."""
    tags: Sequence[str] = described.get("tags") or ()
    return {
        "folded": searchable(
            name, folder, described.get("artist"), described.get("album"), described.get("title"), *tags
        ),
        "folded_name": fold(name.rpartition(".")[0] or name),
        "tag_keys": "".join(f"|{fold(tag)}" for tag in tags) + "|" if tags else "",
    }


UNDESCRIBED: dict[str, Any] = {
    "sha256": None,
    "duration_sec": None,
    "resolution": None,
    "artist": None,
    "album": None,
    "title": None,
    "facts": {},
    "facts_from": None,
}
"""Columns of a file whose content nobody has looked at yet."""


def file_event(action: Action, root: Path, row: Mapping[str, Any], folder: str) -> Entry:
    """FILE_ADDED or FILE_CHANGED with what the daemon needs to find and count the file."""
    path: bytes = row["path"]
    payload: dict[str, Any] = {
        "root": str(root),
        "path": display(path),
        "name": row["name"],
        "folder": folder,
        "type": row["kind"],
        "mimeType": row["mime_type"],
        "sizeBytes": row["size_bytes"],
        "mtimeNs": str(row["mtime_ns"]),
        "createdAt": iso(row["created_at"]),
    }
    if payload["path"].encode() != path:
        payload["pathBase64"] = base64.b64encode(path).decode()
    if row.get("uploaded_by"):
        payload["uploadedBy"] = row["uploaded_by"]
    return Entry(action, file_id=row["id"], payload=payload)


def removed_event(file_id: str) -> Entry:
    return Entry(Action.FILE_REMOVED, file_id=file_id)
