"""From a request's headers to what is answered: status, headers, and which pieces make the body. Pure.

Both listeners send what `answer` says through `body.chunks`; each adds the headers that are its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from email.utils import formatdate

from appliance.streaming.byte_range import Part, Unsatisfiable, Whole, resolve
from appliance.streaming.conditions import Headers, Verdict, judge

PRIVATE = "private, no-cache"
"""One browser may keep the bytes and asks before it uses them again (RFC 9111 §5.2.2)."""


@dataclass(frozen=True)
class Answer:
    """`pieces`: literal bytes and parts of the file, in the order of the body; none for HEAD and errors."""

    status: int
    headers: dict[str, str]
    pieces: tuple[bytes | Part, ...]

    @property
    def first_byte(self) -> int:
        """Where in the file the body begins."""
        return next((piece.first for piece in self.pieces if isinstance(piece, Part)), 0)


def answer(
    method: str,
    headers: Headers,
    *,
    size: int,
    etag: str,
    mtime_ns: int,
    content_type: str,
) -> Answer:
    """`etag` is strong and quoted; `size` is in bytes.

    A 416 has no body of its own here: the listener may put a problem document there.
    """
    modified = mtime_ns // 1_000_000_000
    common = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": formatdate(modified, usegmt=True),
        "Cache-Control": PRIVATE,
    }
    verdict = judge(headers, etag, modified)
    if verdict is not Verdict.SEND:
        return Answer(verdict.value, common, ())
    # RFC 9110 §14.2: Range means something for GET alone.
    asked = headers.get("Range") if method == "GET" else None
    wanted = resolve(asked, headers.get("If-Range"), size, etag, modified)
    if isinstance(wanted, Unsatisfiable):
        return Answer(416, {**common, "Content-Range": wanted.content_range}, ())
    if isinstance(wanted, Whole):
        pieces: tuple[bytes | Part, ...] = (Part(0, size - 1),) if size else ()
        return _with_length(200, {**common, "Content-Type": content_type}, pieces, method)
    if len(wanted.parts) == 1:
        only = wanted.parts[0]
        return _with_length(
            206,
            {**common, "Content-Type": content_type, "Content-Range": only.content_range(size)},
            (only,),
            method,
        )
    boundary = secrets.token_hex(16)
    return _with_length(
        206,
        {**common, "Content-Type": f"multipart/byteranges; boundary={boundary}"},
        _multipart(wanted.parts, size, content_type, boundary),
        method,
    )


def _with_length(
    status: int, headers: dict[str, str], pieces: tuple[bytes | Part, ...], method: str
) -> Answer:
    length = sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)
    return Answer(status, {**headers, "Content-Length": str(length)}, () if method == "HEAD" else pieces)


def _multipart(
    parts: tuple[Part, ...], size: int, content_type: str, boundary: str
) -> tuple[bytes | Part, ...]:
    """RFC 9110 §14.6."""
    pieces: list[bytes | Part] = []
    for part in parts:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {part.content_range(size)}\r\n\r\n"
        )
        pieces += [head.encode("ascii"), part]
    pieces.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    return tuple(pieces)
