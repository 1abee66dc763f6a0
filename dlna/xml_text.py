"""Text that is safe inside XML, whatever a file is called."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Outside Char of XML 1.0 §2.2. Plane 0 is enough: the other planes' non-characters are allowed there."""


def xml_text(value: object) -> str:
    """Element or attribute text. Named entities only: Samsung TVs stumble over `&#34;` (rclone 8502532c2)."""
    text = _NOT_XML.sub("", str(value)).replace("\r", " ")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&apos;")


def xml_line(value: object) -> str:
    """The same on one line: an attribute or a title, where a parser would fold breaks itself."""
    return xml_text(re.sub(r"[\t\r\n]+", " ", str(value)))
