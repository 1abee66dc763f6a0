"""A photo without what it says beside its picture: place, camera, names, thumbnails of what was cut away.

Pure: bytes to bytes, no decoding. Its turn (EXIF orientation) is kept, or it would lie on its side.
"""

from __future__ import annotations

import struct

from appliance.errors import Unavailable

SUPPORTED = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"}
)
_WEBP_DROPPED = frozenset({b"EXIF", b"XMP "})


def without_place(data: bytes, mime_type: str) -> bytes:
    """Unavailable for a type that cannot be cleaned, and for a file that is not what it says."""
    try:
        if mime_type == "image/jpeg":
            return _jpeg(data)
        if mime_type == "image/png":
            return _png(data)
        if mime_type == "image/webp":
            return _webp(data)
        if mime_type == "image/gif":
            return data
    except (struct.error, IndexError, ValueError):
        pass
    raise Unavailable("This picture", "the place where it was taken cannot be removed from it")


def _jpeg(data: bytes) -> bytes:
    """ITU-T T.81 annex B: segments up to SOS, then the picture. APP0, APP2 (ICC), APP14 (Adobe) stay."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    kept, turn, position = [b"\xff\xd8"], 1, 2
    while True:
        if data[position] != 0xFF:
            raise ValueError("no marker")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == 0xDA:
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if length < 2:
            raise ValueError("too short")
        segment = data[position : position + 2 + length]
        if marker == 0xE1 and segment[4:10] == b"Exif\0\0":
            turn = _orientation(segment[10:]) or turn
        is_comment = marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in (0xE0, 0xE2, 0xEE))
        is_second_picture = marker == 0xE2 and segment[4:8] == b"MPF\0"
        if not is_comment and not is_second_picture:
            kept.append(segment)
        position += 2 + length
    end = (
        data.rfind(b"\xff\xd9", position)
        if b"MPF\0" not in data[:position]
        else data.find(b"\xff\xd9", position)
    )
    if end < 0:
        raise ValueError("no end")
    kept.insert(1, _exif_with(turn) if turn != 1 else b"")
    return b"".join(kept) + data[position : end + 2]


def _orientation(tiff: bytes) -> int | None:
    """EXIF 2.32 §4.6.4: tag 0x0112 of the first IFD."""
    order = {b"II": "<", b"MM": ">"}[tiff[:2]] if tiff[:2] in (b"II", b"MM") else None
    if order is None:
        return None
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for n in range(min(count, 200)):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * n)
        if tag == 0x0112 and kind == 3 and 1 <= value <= 8:
            return int(value)
    return None


def _exif_with(turn: int) -> bytes:
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, turn, 0, 0)
    return struct.pack(">BBH", 0xFF, 0xE1, len(tiff) + 8) + b"Exif\0\0" + tiff


def _png(data: bytes) -> bytes:
    """W3C PNG §5.3: chunks of length, type, data, CRC."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG")
    kept, position = [data[:8]], 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind in _PNG_KEPT:
            kept.append(data[position : position + 12 + length])
        position += 12 + length
        if kind == b"IEND":
            return b"".join(kept)
    raise ValueError("no end")


def _webp(data: bytes) -> bytes:
    """RIFF (RFC 9649 §2.3): chunks of type, length, data, padded to even."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("not a WebP")
    kept, position = [], 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        chunk = data[position : position + 8 + length + length % 2]
        if kind == b"VP8X":
            # The flags for EXIF (0x08) and XMP (0x04) go with their chunks.
            chunk = chunk[:8] + bytes([chunk[8] & ~0x0C]) + chunk[9:]
        if kind not in _WEBP_DROPPED:
            kept.append(chunk)
        position += 8 + length + length % 2
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
