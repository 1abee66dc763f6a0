"""Thumbnails in the boxes that DLNA's JPEG profiles name: the library's own small pictures, made to fit."""

from __future__ import annotations

import asyncio
import io

from PIL import Image

from appliance.accounts.caller import Audience
from appliance.library.library import Library
from appliance.library.thumbnails import SIZES


async def picture(
    library: Library, file_id: str, sees: frozenset[Audience], width: int, height: int
) -> bytes:
    """A JPEG of at most `width` x `height` pixels. Raises NotFound, Unavailable."""
    size = next((size for size in SIZES if size >= max(width, height)), SIZES[-1])
    made = await library.thumbnail(file_id, size, sees)
    return await asyncio.to_thread(fit, made.jpeg, width, height)


def fit(jpeg: bytes, width: int, height: int) -> bytes:
    """Scaled down if it must be, never up. `jpeg` is our own work."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        if image.width <= width and image.height <= height:
            return jpeg
        image.thumbnail((width, height), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        return out.getvalue()
