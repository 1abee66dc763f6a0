"""Photos go out without their place, look the same, and are not laid on their side."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from appliance.errors import Unavailable
from appliance.sharing.without_place import SUPPORTED, without_place

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
PLACE = 0x8825
"""GPSInfo."""


def photo(mime_type: str, turn: int = 6) -> bytes:
    image = Image.new("RGB", (64, 32), "teal")
    image.paste("orange", (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "CAMERA-MAKER"
    exif.get_ifd(PLACE)[2] = (69.0, 38.0, 57.0)
    out = io.BytesIO()
    more: dict[str, Any] = {"xmp": b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>"} if mime_type != "image/png" else {}
    image.save(out, FORMATS[mime_type], exif=exif, **more)
    return out.getvalue()


@pytest.mark.parametrize("mime_type", FORMATS)
def test_the_place_is_gone_and_the_picture_is_there(mime_type: str) -> None:
    before = photo(mime_type)
    assert Image.open(io.BytesIO(before)).getexif().get_ifd(PLACE)
    after = without_place(before, mime_type)
    opened = Image.open(io.BytesIO(after))
    opened.load()
    assert not opened.getexif().get_ifd(PLACE)
    for told in (b"CAMERA-MAKER", b"SECRET-XMP"):
        assert told not in after


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_jpeg_keeps_its_turn(turn: int) -> None:
    before = photo("image/jpeg", turn)
    after = without_place(before, "image/jpeg")
    pictures = [ImageOps.exif_transpose(Image.open(io.BytesIO(data))) for data in (before, after)]
    assert pictures[0].size == pictures[1].size
    assert pictures[0].tobytes() == pictures[1].tobytes()


@pytest.mark.parametrize("mime_type", ["image/heic", "image/avif", "image/tiff", "application/pdf"])
def test_what_cannot_be_cleaned_does_not_go_out(mime_type: str) -> None:
    with pytest.raises(Unavailable):
        without_place(b"anything", mime_type)


@given(st.sampled_from(sorted(SUPPORTED - {"image/gif"})), st.binary(max_size=400), st.data())
def test_broken_pictures_are_refused_or_cleaned_and_never_crash(
    mime_type: str, noise: bytes, data: st.DataObject
) -> None:
    good = photo(mime_type)
    cut = data.draw(st.integers(0, len(good)))
    for broken in (noise, good[:cut], good[:cut] + noise + good[cut:]):
        try:
            without_place(broken, mime_type)
        except Unavailable:
            continue
