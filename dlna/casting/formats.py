"""Whether a renderer takes a format, read from the sink of its GetProtocolInfo."""

from __future__ import annotations

from collections.abc import Iterable

_SAME = (
    {"video/x-matroska", "video/x-mkv", "video/matroska"},
    {"video/mp4", "video/x-m4v", "video/quicktime"},
    {"video/avi", "video/x-msvideo", "video/msvideo", "video/divx", "video/x-divx"},
    {"video/mpeg", "video/mp2t", "video/vnd.dlna.mpeg-tts", "video/mp2p"},
    {"video/x-ms-wmv", "video/x-ms-asf"},
    {"audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3"},
    {"audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac", "audio/x-aac", "audio/vnd.dlna.adts"},
    {"audio/flac", "audio/x-flac"},
    {"audio/wav", "audio/x-wav", "audio/wave", "audio/l16"},
    {"audio/ogg", "audio/x-ogg", "application/ogg", "audio/opus", "audio/vorbis"},
    {"image/jpeg", "image/jpg"},
)
"""Names that makers use for the same thing; a TV that lists one plays the others."""


def sink_types(sink: Iterable[str]) -> frozenset[str]:
    """MIME types of `http-get:*:TYPE:FEATURES` entries, lower case, without parameters."""
    fields = (entry.split(":", 3) for entry in sink)
    return frozenset(
        f[2].split(";")[0].strip().lower() for f in fields if len(f) == 4 and f[0] in ("http-get", "*")
    )


def takes(sink: frozenset[str], mime_type: str) -> bool:
    """Whether a player with these sink types takes `mime_type`. A sink that says nothing takes all."""
    if not sink or "*" in sink:
        return True
    mime_type = mime_type.split(";")[0].strip().lower()
    family, _, _ = mime_type.partition("/")
    names = next((same for same in _SAME if mime_type in same), {mime_type})
    return bool(names & sink) or f"{family}/*" in sink
