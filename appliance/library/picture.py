"""Reading one picture, in the parse cell: `python picture.py facts`, `… exif` or `… thumbnail PIXELS`.

The picture is standard input. `facts` answers JSON with width, height, takenAt; `thumbnail` a JPEG that fits
into a square of so many pixels, turned upright. It imports nothing of ours.
"""

import json
import re
import sys
import warnings
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

PLUGINS = (AvifImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Importing one makes Pillow know its format; it imports only some by itself, and only when asked for."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
"""Never EPS, PDF or PSD: some of these start other programs."""
MOST_PIXELS = 120_000_000
"""A phone's 108-megapixel photo passes, a bomb does not."""
MOST_DECODED = 60_000_000
"""What is really decoded; a JPEG is decoded smaller at once (draft)."""
_ORIENTATION, _TAKEN, _TAKEN_ORIGINAL, _EXIF = 0x0112, 0x0132, 0x9003, 0x8769  # Exif 2.32


_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")  # ISO/IEC 23008-12 §10


def opened(file: BinaryIO) -> Image.Image:
    box = file.read(12)
    file.seek(0)
    if box[4:8] == b"ftyp" and box[8:] in _HEIF_BRANDS:
        # Only for what needs it: each picture has a process of its own, and this is another decoder to load.
        from pi_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    return Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN or name == "JPEG"])


def facts(file: BinaryIO) -> dict[str, object]:
    with opened(file) as image:
        width, height = image.size
        exif = image.getexif()
        if exif.get(_ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        taken = exif.get_ifd(_EXIF).get(_TAKEN_ORIGINAL) or exif.get(_TAKEN)
        found: dict[str, object] = {"width": width, "height": height, "format": (image.format or "").lower()}
    match = re.fullmatch(
        r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d).*", str(taken or "").strip("\0 "), re.DOTALL
    )
    if match and match[1] != "0000":
        found["takenAt"] = f"{match[1]}-{match[2]}-{match[3]}T{match[4]}"
    return found


# Exif 2.32, tables 4 and 7
_MAKE, _MODEL, _LENS = 0x010F, 0x0110, 0xA434
_EXPOSURE, _APERTURE, _ISO, _FOCAL = 0x829A, 0x829D, 0x8827, 0x920A


def exif(file: BinaryIO) -> dict[str, str]:
    """How a photo was taken, as people say it: `1/120 s`, `f/1.8`. Never where."""
    with opened(file) as image:
        first = image.getexif()
        more = first.get_ifd(_EXIF)
    make, model = (str(first.get(tag) or "").strip("\0 ") for tag in (_MAKE, _MODEL))
    found = {
        "camera": model if model.lower().startswith(make.lower()) else f"{make} {model}".strip(),
        "lens": str(more.get(_LENS) or "").strip("\0 "),
    }
    if seconds := _positive(more.get(_EXPOSURE)):
        found["exposure"] = f"{seconds:g} s" if seconds >= 0.4 else f"1/{round(1 / seconds)} s"
    if number := _positive(more.get(_APERTURE)):
        found["aperture"] = f"f/{number:.1f}"
    if speed := _positive(more.get(_ISO)):
        found["iso"] = f"ISO {speed:.0f}"
    if length := _positive(more.get(_FOCAL)):
        found["focal"] = f"{length:.0f} mm"
    return {name: text for name, text in found.items() if text}


def _positive(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < 1e7 else None


def thumbnail(file: BinaryIO, pixels: int) -> Image.Image:
    image = opened(file)
    # draft before anything loads the picture: a JPEG is then decoded at 1/2, 1/4 or 1/8.
    image.draft("RGB", (pixels, pixels))
    if image.width * image.height > MOST_DECODED:
        raise ValueError(f"{image.width}x{image.height} is too large")
    image.thumbnail((pixels, pixels), Image.Resampling.BICUBIC, reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        ground = Image.new("RGB", upright.size, "white")
        ground.paste(upright, mask=upright.convert("RGBA").getchannel("A"))
        return ground
    return upright.convert("RGB")


if __name__ == "__main__":
    if sys.argv[1] == "facts":
        print(json.dumps(facts(sys.stdin.buffer)))
    elif sys.argv[1] == "exif":
        print(json.dumps(exif(sys.stdin.buffer)))
    else:
        thumbnail(sys.stdin.buffer, int(sys.argv[2])).save(sys.stdout.buffer, "JPEG", quality=82)
