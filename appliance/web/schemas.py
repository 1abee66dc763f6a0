"""JSON Schemas (2020-12) of what routes take and give that no dataclass describes, for `openapi.py`."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _text(most: int, pattern: str | None = None) -> Schema:
    found: Schema = {"type": "string", "maxLength": most}
    return found | ({"pattern": pattern} if pattern else {})


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _list(of: Schema, most: int, least: int = 0) -> Schema:
    return {"type": "array", "items": of, "minItems": least, "maxItems": most}


def _object(needed: tuple[str, ...] = (), **members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(needed)}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


FILE_ID = _text(16, r"^[a-z0-9]+$")
BOOLEAN: Schema = {"type": "boolean"}
STATE = _one_of("allowed", "blocked")
TIMES = _list(
    _object(("at",), days=_list(_one_of("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 7), at=_text(5)), 20
)
MACHINE: dict[str, Any] = {
    "name": _text(60),
    "mac": _text(17),
    "secureOn": _or_null(_text(17)),
    "address": _or_null(_text(45)),
    "libraryRoot": _or_null(_text(1024)),
    "schedule": TIMES,
}
PING = _object(
    ("fileId", "type", "position"),
    fileId=FILE_ID,
    type=_one_of("playing", "paused", "seeked", "ended", "hidden"),
    position=_number(0, 3_600_000),
    rate=_number(0, 16),
    at=_text(40),
)

TAKES: dict[tuple[str, str], Schema] = {
    ("POST", "/auth/refresh"): _object(refreshToken=_text(400)),
    ("POST", "/devices"): _object(("name", "mac"), **MACHINE),
    ("PATCH", "/devices/<device_id>"): _object(**MACHINE),
    ("POST", "/events"): _object(("events",), events=_list(PING, 100)),
    ("PUT", "/files/<file_id>/favourite"): _object(("on",), on=BOOLEAN),
    ("PUT", "/files/<file_id>/position"): _object(("seconds",), seconds=_number(0, 3_600_000)),
    ("PATCH", "/players/<player_id>"): _object(
        name=_or_null(_text(40)), hidden=BOOLEAN, state=STATE, leastRole=_one_of("viewer", "editor", "admin")
    ),
    ("POST", "/players/<player_id>/play"): _object(
        fileId=FILE_ID,
        fileIds=_list(FILE_ID, 500, 1),
        folderId=_text(16),
        place=_whole(0, 500),
        position=_number(0, 3_600_000),
        repeat=_one_of("off", "one", "all"),
    ),
    ("POST", "/players/<player_id>/queue"): _object(("fileIds",), fileIds=_list(FILE_ID, 500, 1)),
    ("POST", "/players/<player_id>/repeat"): _object(("repeat",), repeat=_one_of("off", "one", "all")),
    ("POST", "/players/<player_id>/seek"): _object(("position",), position=_number(0, 3_600_000)),
    ("POST", "/players/<player_id>/volume"): _object(level=_number(0, 1), muted=BOOLEAN),
    ("PATCH", "/settings"): _object(
        guest=_or_null(_one_of("on", "off")),
        tv_access=_or_null(_one_of("ask", "open")),
        upload_limit=_or_null(_whole(0, 10**14)),
        free_space=_or_null(_whole(0, 10**14)),
        log_days=_or_null(_whole(1, 3650)),
    ),
    ("POST", "/tvs/allow"): _object(
        ("code",), code=_text(4, r"^[0-9]{4}$"), name=_text(40), folders=_list(_text(16), 50)
    ),
    ("PATCH", "/tvs/<tv_id>"): _object(state=STATE, name=_text(40), folders=_list(_text(16), 50)),
    ("POST", "/uploads/known"): _object(
        ("files",),
        files=_list(
            _object(("name", "size"), name=_text(255), size=_whole(0, 10**14), sha256=_or_null(_text(64))),
            500,
        ),
    ),
}
"""Bodies: (method, rule) → schema."""

MOMENT = _text(30)
FILE = _object(
    (
        "id",
        "name",
        "folder",
        "folder_id",
        "type",
        "mime_type",
        "size_bytes",
        "duration_sec",
        "resolution",
        "tags",
        "created_at",
        "last_indexed_at",
        "facts",
        "urls",
    ),
    id=FILE_ID,
    name={"type": "string"},
    folder={"type": "string"},
    folder_id={"type": "string"},
    type=_one_of("video", "audio", "image", "document", "other"),
    mime_type={"type": "string"},
    size_bytes={"type": "integer", "minimum": 0},
    sha256=_or_null(_text(64)),
    duration_sec=_or_null({"type": "number"}),
    resolution=_or_null(_text(20)),
    tags={"type": "array", "items": {"type": "string"}},
    uploaded_by=_or_null(_text(16)),
    uploader=_or_null(_text(40)),
    created_at=MOMENT,
    last_indexed_at=MOMENT,
    last_accessed_at=_or_null(MOMENT),
    artist=_or_null({"type": "string"}),
    album=_or_null({"type": "string"}),
    title=_or_null({"type": "string"}),
    facts={"type": "object"},
    urls=_object(("stream", "thumbnail"), stream=_text(200), thumbnail=_text(200), download=_text(200)),
)
FILE_REF: Schema = {"$ref": "#/components/schemas/File"}
NUMBER: Schema = {"type": "integer", "minimum": 0}

GIVES: dict[tuple[str, str], Schema] = {
    ("GET", "/files"): _object(
        ("items", "total", "page", "page_size"),
        items={"type": "array", "items": FILE_REF},
        total=NUMBER,
        page=NUMBER,
        page_size=NUMBER,
    ),
    ("GET", "/files/<file_id>"): FILE_REF,
    ("PATCH", "/files/<file_id>"): FILE_REF,
    ("GET", "/me/favourites"): _object(("items",), items={"type": "array", "items": FILE_REF}),
    ("GET", "/log"): _object(
        ("items", "next"),
        items={
            "type": "array",
            "items": _object(
                ("seq", "at", "action", "user_id", "username", "device", "file_id", "bytes_served", "ip"),
                seq=NUMBER,
                at=MOMENT,
                action={"type": "string"},
                bytes_served=NUMBER,
            ),
        },
        next=_or_null(NUMBER),
    ),
    ("GET", "/users"): _object(
        ("items",),
        items={
            "type": "array",
            "items": _object(
                ("id", "username", "role", "privacy", "created_at", "last_login_at"),
                role=_one_of("viewer", "editor", "admin"),
                privacy=_one_of("full", "anonymous", "off"),
            ),
        },
    ),
    ("GET", "/healthz"): _object(("status",), status=_one_of("ok")),
    ("GET", "/health"): _object(
        ("ok", "problems", "versions", "daemon", "roots", "scan", "network"), ok=BOOLEAN
    ),
    ("GET", "/settings"): _object(
        ("items",),
        items={
            "type": "array",
            "items": _object(
                ("name", "variable", "value", "default", "meaning", "from", "changeable"),
                **{"from": _one_of("default", "file", "page", "environment")},
            ),
        },
    ),
}
"""Answers of 200 in JSON: (method, rule) → schema. `/log` gives CSV too."""
