"""File names as people may see, sort and search them. On disk a name is bytes, and stays as it is.

Pure functions.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

HIDDEN = frozenset(
    {b"lost+found", b"@eaDir", b"$RECYCLE.BIN", b"System Volume Information", b"Thumbs.db", b"desktop.ini"}
)
"""What file systems, NAS boxes and Windows leave about. Names with a leading dot are hidden too."""

LONGEST_FOLDED = 1000
"""Characters of folded text that are kept for search."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_DECOMPOSITION = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
"""Letters that people type without their stroke, and that Unicode does not take apart."""


def is_hidden(name: bytes) -> bool:
    return name.startswith(b".") or name in HIDDEN


def display(raw: bytes) -> str:
    """A raw name or path as text that is safe to show: valid, NFC, one line, no direction tricks.

    Invalid bytes and bidi controls become U+FFFD, other control characters their picture (newline is ␊).
    """
    text = raw.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_safe, unicodedata.normalize("NFC", text)))


def _safe(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x7F:
        return character
    if code == 0x7F:
        return "\u2421"
    if character in _BIDI or code & 0xFFFE == 0xFFFE or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
        return "\ufffd"
    return character


_APART = re.compile(r"[\W_]+")
_HYPHENATED = re.compile(r"\w+(?:[-'’‐]\w+)+")
_HYPHEN = re.compile("[-'’‐]")
_NUMBER = re.compile(r"\d+")


@lru_cache(512)
def fold(text: str) -> str:
    """Text as it is compared in a search: no case, no accents, words apart by one blank.

    `Spider-Man: Straße nach Tromsø` is `spider man strasse nach tromso`.
    """
    if text.isascii():
        return _APART.sub(" ", text.lower()).strip()
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return _APART.sub(" ", text.casefold().translate(_NO_DECOMPOSITION)).strip()


@lru_cache(512)
def joined(text: str) -> str:
    """Words that are written with a hyphen or apostrophe, as one: `Spider-Man` is also `spiderman`."""
    return " ".join(fold(_HYPHEN.sub("", word)) for word in _HYPHENATED.findall(text) if len(word) < 40)


def searchable(name: str, folder: str, *others: str | None) -> str:
    """All that a search looks at, folded: the name first."""
    texts = [name, folder, *(other for other in others if other)]
    folded = [fold(text) for text in texts] + [joined(text) for text in texts]
    return " ".join(filter(None, folded))[:LONGEST_FOLDED]


def sort_key(name: str) -> str:
    """Orders names as people do: no case, no accents, `Episode 2` before `Episode 10`."""
    return _NUMBER.sub(lambda digits: digits[0].lstrip("0").zfill(8), fold(name))[:200]
