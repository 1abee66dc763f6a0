"""protocolInfo: what a resource is and how it may be fetched (DLNA Guidelines 2006 §7.3.30 ff)."""

from __future__ import annotations

from functools import lru_cache

from dlna.catalog import MediaKind, Resource
from dlna.clients.client import Client

IMAGE_FLAGS = "00F00000"
"""Interactive, background, connection stall, DLNA 1.5."""
CAPTION_FLAGS = "00D00000"

SOURCES = (
    "http-get:*:video/mp4:*",
    "http-get:*:video/x-matroska:*",
    "http-get:*:video/x-mkv:*",
    "http-get:*:video/webm:*",
    "http-get:*:video/mpeg:*",
    "http-get:*:video/mp2t:*",
    "http-get:*:video/vnd.dlna.mpeg-tts:*",
    "http-get:*:video/x-msvideo:*",
    "http-get:*:video/avi:*",
    "http-get:*:video/divx:*",
    "http-get:*:video/quicktime:*",
    "http-get:*:video/x-ms-wmv:*",
    "http-get:*:video/3gpp:*",
    "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3",
    "http-get:*:audio/mpeg:*",
    "http-get:*:audio/mp4:*",
    "http-get:*:audio/aac:*",
    "http-get:*:audio/flac:*",
    "http-get:*:audio/ogg:*",
    "http-get:*:audio/x-wav:*",
    "http-get:*:audio/x-ms-wma:*",
    "http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_TN",
    "http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_SM",
    "http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_MED",
    "http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_LRG",
    "http-get:*:image/jpeg:*",
    "http-get:*:image/png:*",
    "http-get:*:image/gif:*",
    "http-get:*:image/webp:*",
    "http-get:*:text/srt:*",
    "http-get:*:smi/caption:*",
    "http-get:*:text/vtt:*",
)
"""ConnectionManager's SourceProtocolInfo."""


def mime_type(resource: Resource, client: Client) -> str:
    """The type as this client wants to hear it."""
    return client.told(resource)[0]


@lru_cache(512)
def _features(profile: str | None, is_converted: bool, flags: str | None) -> str:
    parts = [f"DLNA.ORG_PN={profile}"] if profile else []
    parts += ["DLNA.ORG_OP=01", f"DLNA.ORG_CI={int(is_converted)}"]
    if flags:
        parts.append(f"DLNA.ORG_FLAGS={flags}{'0' * 24}")
    return ";".join(parts)


def features(resource: Resource, client: Client) -> str:
    """The fourth field, which is contentFeatures.dlna.org too.

    OP=01: byte ranges work and time seek does not; without it LG and Samsung grey out seek and pause.
    """
    flags = _flags(resource.mime_type, resource.kind, client) if client.org_flags else None
    return _features(client.told(resource)[1], resource.converted, flags)


def protocol_info(resource: Resource, client: Client) -> str:
    return f"http-get:*:{mime_type(resource, client)}:{features(resource, client)}"


def _flags(mime_type: str, kind: MediaKind, client: Client) -> str:
    if mime_type.startswith("text/") or mime_type == "smi/caption":
        return CAPTION_FLAGS
    return IMAGE_FLAGS if kind is MediaKind.IMAGE else client.av_flags
