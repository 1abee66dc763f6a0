"""tus 1.0 headers as values. Pure (https://tus.io/protocols/resumable-upload, version 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from appliance.errors import Invalid
from appliance.units import KIB

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination,checksum"
OFFSET_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH = 460
"""Its own status, section Checksum."""

ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "md5": hashlib.md5}
"""Named by clients; a guard against faulty lines, not against people. sha1 is required by the protocol."""

_TIME = re.compile(r"-?[0-9]{1,14}", re.ASCII)
"""As browsers say `lastModified`: whole milliseconds, before 1970 too."""
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_LONGEST_METADATA = 8 * KIB


@dataclass(frozen=True)
class Metadata:
    """`modified`: when the file was last changed at its sender, epoch milliseconds."""

    name: str
    folder: str
    modified: int | None = None


@dataclass(frozen=True)
class Checksum:
    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        return ALGORITHMS[self.algorithm](usedforsecurity=False)


def number(header: str, value: str | None) -> int:
    """A number of bytes. Raises Invalid."""
    if value is None or not _NUMBER.fullmatch(value):
        raise Invalid(header, value or "", "a number of bytes is needed")
    return int(value)


def metadata(value: str | None) -> Metadata:
    """Upload-Metadata, `key base64,…`; `filename` (or `name`), `folder`, `modified` count. Raises Invalid."""
    if value is not None and len(value) > _LONGEST_METADATA:
        raise Invalid("Upload-Metadata", value, f"at most {_LONGEST_METADATA} characters are allowed")
    found: dict[str, str] = {}
    for pair in (value or "").split(","):
        key, _, encoded = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Invalid("Upload-Metadata", pair, "pairs of a key and base64 of UTF-8 are needed") from None
    name = found.get("filename") or found.get("name") or ""
    if not name:
        raise Invalid("Upload-Metadata", value or "", "a `filename` is needed")
    modified = found.get("modified", "")
    if modified and not _TIME.fullmatch(modified):
        raise Invalid("modified", modified, "milliseconds since 1970 are allowed")
    return Metadata(name, found.get("folder", ""), int(modified) if modified else None)


def checksum(value: str | None) -> Checksum | None:
    """Upload-Checksum: `sha1 base64`. Raises Invalid, for an unknown algorithm too (section Checksum)."""
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise Invalid("Upload-Checksum", value, f"one of {', '.join(ALGORITHMS)} is allowed")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("Upload-Checksum", value, "the algorithm and base64 of the digest are needed") from None
    return Checksum(algorithm, digest)
