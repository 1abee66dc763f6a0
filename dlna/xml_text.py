"""Text that is safe inside XML, whatever a file is called."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Outside Char of XML 1.0 §2.2. Plane 0 is enough: the other planes' non-characters are allowed there."""
_TO_CHANGE = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LINES = re.compile(r"[\t\r\n]+")


class Escaped(str):
    """Text that was made safe already, whole, and may be a megabyte."""

    __slots__ = ()


def xml_text(value: object) -> str:
    """Element or attribute text. Named entities only: Samsung TVs stumble over `&#34;` (rclone 8502532c2)."""
    text = value if type(value) is str else str(value)
    if _TO_CHANGE.search(text) is None or isinstance(value, Escaped):
        return text
    return escape(_NOT_XML.sub("", text).replace("\r", " ")).replace("'", "&apos;")


def one_line(text: str) -> str:
    """What XML can tell of a title, without breaks; empty when nothing is left."""
    if text.isprintable():
        return text.strip()
    return _LINES.sub(" ", _NOT_XML.sub("", text)).strip()


def escape(text: str) -> str:
    """XML of our own as text inside XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def xml_line(value: object) -> str:
    """The same on one line: an attribute or a title, where a parser would fold breaks itself."""
    text = str(value)
    return xml_text(_LINES.sub(" ", text) if ("\n" in text or "\r" in text or "\t" in text) else text)
