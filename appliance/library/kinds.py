"""What a file is, by our own table: its kind and MIME type from the name, checked against its first bytes.

The table is ours because the system's `mime.types` differs from machine to machine, and because a type that
is sent to browsers decides whether they run what is inside.
"""

from __future__ import annotations

from appliance.library.items import Kind

UNKNOWN = "application/octet-stream"

_VIDEO = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "divx": "video/x-msvideo",
    "wmv": "video/x-ms-wmv",
    "asf": "video/x-ms-asf",
    "flv": "video/x-flv",
    "mpg": "video/mpeg",
    "mpeg": "video/mpeg",
    "vob": "video/mpeg",
    "ts": "video/mp2t",
    "m2ts": "video/mp2t",
    "mts": "video/mp2t",
    "3gp": "video/3gpp",
    "3g2": "video/3gpp2",
    "ogv": "video/ogg",
}
_AUDIO = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "wma": "audio/x-ms-wma",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "ape": "audio/x-ape",
    "wv": "audio/x-wavpack",
    "mka": "audio/x-matroska",
    "ac3": "audio/ac3",
    "dsf": "audio/x-dsf",
    "weba": "audio/webm",
}
_IMAGE = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "heif": "image/heif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "svg": "image/svg+xml",
    "dng": "image/x-adobe-dng",
    "cr2": "image/x-canon-cr2",
    "nef": "image/x-nikon-nef",
    "arw": "image/x-sony-arw",
}
_DOCUMENT = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/plain",
    "log": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "htm": "text/html",
    "rtf": "application/rtf",
    "epub": "application/epub+zip",
    "mobi": "application/x-mobipocket-ebook",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
}
_OTHER = {
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "ass": "text/x-ssa",
    "ssa": "text/x-ssa",
    "zip": "application/zip",
    "gz": "application/gzip",
    "7z": "application/x-7z-compressed",
    "rar": "application/vnd.rar",
    "tar": "application/x-tar",
}
_TABLE: dict[bytes, tuple[Kind, str]] = {
    extension.encode(): (kind, mime)
    for kind, rows in (
        (Kind.VIDEO, _VIDEO),
        (Kind.AUDIO, _AUDIO),
        (Kind.IMAGE, _IMAGE),
        (Kind.DOCUMENT, _DOCUMENT),
        (Kind.OTHER, _OTHER),
    )
    for extension, mime in rows.items()
}

EVERYONES = frozenset({Kind.VIDEO, Kind.AUDIO, Kind.IMAGE})
"""Kinds that guests and TVs see unless an admin says otherwise."""

INLINE_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})

HEAD = 512
"""Bytes from the begin of a file that `inline_type` wants."""


def kind_of(name: bytes) -> tuple[Kind, str]:
    """Kind and MIME type by the extension of a raw file name."""
    _, dot, extension = name.rpartition(b".")
    return _TABLE.get(extension.lower(), (Kind.OTHER, UNKNOWN)) if dot else (Kind.OTHER, UNKNOWN)


def inline_type(mime_type: str, head: bytes) -> str | None:
    """The type under which a browser may show these bytes itself; None: only as an attachment.

    `head` is the first HEAD bytes. Raster images, audio, video, plain text and PDF, each only when the bytes
    look like it; scripts in disguise (HTML, SVG) never.
    """
    if mime_type in INLINE_IMAGES:
        return mime_type if _image_type(head) == mime_type else None
    if mime_type == "application/pdf":
        return mime_type if head.startswith(b"%PDF-") else None
    if mime_type in ("text/plain", "text/vtt"):
        return None if b"\0" in head else f"{mime_type}; charset=utf-8"
    if mime_type.startswith(("video/", "audio/")):
        return None if _looks_like_markup(head) else mime_type
    return None


def _image_type(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    if head.startswith(b"BM"):
        return "image/bmp"
    return None


def _looks_like_markup(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
