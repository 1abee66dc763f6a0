"""The picture that a TV shows beside our name, drawn at the start: a shelf with three things on it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

_PAPER, _EMBER, _TEAL, _INK = "#FAF7F2", "#B8400E", "#0F6B63", "#221D18"


@dataclass(frozen=True)
class Icon:
    side: int
    """Pixels."""
    format: str
    """`png` or `jpeg`"""

    @property
    def mime_type(self) -> str:
        return f"image/{self.format}"

    @property
    def path(self) -> str:
        return f"/icons/{self.side}.{'jpg' if self.format == 'jpeg' else 'png'}"


ICONS = tuple(Icon(side, kind) for kind in ("png", "jpeg") for side in (120, 48))
"""The sizes of DLNA Guidelines 2006 §7.2.9, in both formats."""


@cache
def draw(icon: Icon) -> bytes:
    """The file's bytes."""
    big = 480
    image = Image.new("RGB", (big, big), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((40, 350, 440, 384), 12, fill=_INK)
    pen.rounded_rectangle((84, 150, 156, 350), 12, fill=_EMBER)
    pen.rounded_rectangle((176, 100, 248, 350), 12, fill=_TEAL)
    pen.ellipse((274, 224, 400, 350), fill=_EMBER)
    pen.polygon([(322, 258), (322, 316), (368, 287)], fill=_PAPER)
    out = io.BytesIO()
    image.resize((icon.side, icon.side), Image.Resampling.LANCZOS).save(out, icon.format, quality=90)
    return out.getvalue()
