"""Names for what is sent to us: fit for any file system, free of tricks. Pure."""

from __future__ import annotations

import re
import unicodedata

from appliance.errors import Invalid

LONGEST_NAME = 255
"""Bytes of UTF-8, as ext4, exFAT and NTFS take at most."""

_ROOM = 8
"""Bytes kept free for ` (9999)`."""

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
"""Names that Windows cannot open; a disk is carried from one machine to another."""


def clean_name(name: str) -> str:
    """The last part of a client's file name, NFC, in at most LONGEST_NAME bytes.

    Control, bidi and other unseen characters are dropped, and leading dots: nothing is uploaded hidden.
    Raises Invalid when nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    text = unicodedata.normalize("NFC", "".join(c for c in last if _visible(c)))
    text = re.sub(r'[<>:"|?*]', "_", text).lstrip(". ").rstrip(". ")
    if _RESERVED.match(text):
        text = "_" + text
    if not text:
        raise Invalid("name", name, "a file name with at least one letter is needed")
    return _cut(text)


def clean_folder(path: str) -> tuple[str, ...]:
    """The parts of a root-relative, `/`-separated path; () for the root itself.

    Raises Invalid for a part that no upload may have made or entered: `..`, hidden, with control characters.
    """
    parts = [unicodedata.normalize("NFC", part) for part in path.split("/") if part]
    for part in parts:
        if part.startswith(".") or not all(map(_visible, part)) or len(part.encode()) > LONGEST_NAME:
            raise Invalid(
                "folder", path, "names of folders, separated by `/`, without leading dots, are allowed"
            )
    return tuple(parts)


def numbered(name: str, number: int) -> str:
    """`film.mkv` is `film (2).mkv` for 2; itself for 1."""
    if number == 1:
        return name
    stem, extension = split_extension(name)
    return f"{stem} ({number}){extension}"


def split_extension(name: str) -> tuple[str, str]:
    """(`film`, `.mkv`); a double ending as of `.tar.gz` stays together."""
    match = re.fullmatch(r"(.+?)((?:\.tar)?\.[^. ]{1,10})", name, re.DOTALL)
    return (match[1], match[2]) if match else (name, "")


def _visible(character: str) -> bool:
    return character != "\ufffd" and unicodedata.category(character) not in (
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    )


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME - _ROOM:
        return name
    stem, extension = split_extension(name)
    room = LONGEST_NAME - _ROOM - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + extension
