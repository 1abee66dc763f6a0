"""One thing that happened, as a value, and its shape on the feed."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.units import iso

LONGEST_USER_AGENT = 200
"""Characters; a longer one is cut."""


class Action(StrEnum):
    """The user's words for `access_log.action`, and what else the daemon must know."""

    VIEW = "VIEW"
    STREAM = "STREAM"
    DOWNLOAD = "DOWNLOAD"
    UPLOAD = "UPLOAD"
    DELETE = "DELETE"
    SIGN_IN = "SIGN_IN"
    SEARCH = "SEARCH"
    PING = "PING"
    CAST_POSITION = "CAST_POSITION"
    FILE_ADDED = "FILE_ADDED"
    FILE_CHANGED = "FILE_CHANGED"
    FILE_REMOVED = "FILE_REMOVED"
    USER_CHANGED = "USER_CHANGED"
    USER_DELETED = "USER_DELETED"

    @property
    def feed_type(self) -> str:
        """The event's `type`: a STREAM is a `span` there."""
        return "span" if self is Action.STREAM else self.value.lower()


ABOUT_THE_HOUSE = frozenset(
    {Action.FILE_ADDED, Action.FILE_CHANGED, Action.FILE_REMOVED, Action.USER_CHANGED, Action.USER_DELETED}
)
"""Recorded whatever a person's privacy says; the rest is about what people do."""


def uuid7() -> str:
    """A UUIDv7 (RFC 9562 §5.7): sorts by the millisecond of its making."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Entry:
    """One row of `access_log`."""

    action: Action
    user_id: str | None = None
    device: str | None = None
    file_id: str | None = None
    bytes_served: int = 0
    ip: str | None = None
    user_agent: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    at: int = field(default_factory=now_ms)
    event_id: str = field(default_factory=uuid7)
    version: int = 1

    def row(self, seq: int) -> dict[str, Any]:
        """Columns of `access_log`."""
        return {
            "seq": seq,
            "event_id": self.event_id,
            "version": self.version,
            "action": self.action.value,
            "user_id": self.user_id,
            "device": self.device,
            "file_id": self.file_id,
            "bytes_served": self.bytes_served,
            "ip": self.ip,
            "user_agent": self.user_agent[:LONGEST_USER_AGENT] if self.user_agent else None,
            "payload": self.payload,
            "ts": self.at,
        }


def feed_event(row: Any) -> dict[str, Any]:
    """A row of `access_log` as the feed's event; tests/fixtures/feed/ has one of each type."""
    event: dict[str, Any] = {
        "seq": row.seq,
        "eventId": row.event_id,
        "version": row.version,
        "at": iso(row.ts),
        "type": Action(row.action).feed_type,
    }
    if row.user_id:
        event["userId"] = row.user_id
    if row.device:
        event["device"] = row.device
    if row.file_id:
        event["fileId"] = row.file_id
    event["payload"] = row.payload or {}
    return event
