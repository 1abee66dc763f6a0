"""Roku boxes and TVs. Source: UMS Roku-*.conf."""

from __future__ import annotations

from dlna.clients.client import Captions, Client

# `Roku/DVP-8.0 (308.00E04156A)`, `Roku/5000X-7`
ROKU = Client(
    "roku",
    signs=(("user-agent", r"\bRoku/"), ("description", r"(?i)\broku\b")),
    captions=Captions.RESOURCE,
    caption_kinds=("srt",),
)

FAMILIES = (ROKU,)
