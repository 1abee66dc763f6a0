"""Real media, made by ffmpeg and Pillow when a test asks for it."""

from __future__ import annotations

import functools
import io
import subprocess

from PIL import Image


@functools.cache
def ffmpeg(*arguments: str, format_name: str) -> bytes:
    """What ffmpeg makes of these arguments, through a file (MP4 needs one)."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=f".{format_name}") as file:
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, file.name], check=True, timeout=60
        )
        file.seek(0)
        return file.read()


_PICTURE = ("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=4")
_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=4")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")


def film(title: str = "A film") -> bytes:
    """4 s of H.264 and AAC in MP4, 320x180."""
    return ffmpeg(*_PICTURE, *_TONE, *_H264, "-metadata", f"title={title}", format_name="mp4")


def upright_film() -> bytes:
    """As a phone held upright records: turned by 90 degrees (ffmpeg counts against the clock)."""
    turned = ("-c", "copy", "-metadata:s:v:0", "rotate=270")
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(film())
        file.flush()
        return ffmpeg("-i", file.name, *turned, format_name="mp4")


def matroska() -> bytes:
    return ffmpeg(*_PICTURE, *_TONE, *_H264, format_name="mkv")


def song(cover: bool = True) -> bytes:
    """4 s of MP3 with tags, and a red cover."""
    tags = ("-metadata", "title=Long Song", "-metadata", "artist=Sigrún", "-metadata", "album=Tromsø")
    if not cover:
        return ffmpeg(*_TONE, *tags, format_name="mp3")
    art = (
        "-f",
        "lavfi",
        "-i",
        "color=red:size=300x300:duration=1",
        "-map",
        "0:a",
        "-map",
        "1:v",
        "-frames:v",
        "1",
    )
    attached = ("-c:v", "mjpeg", "-disposition:v", "attached_pic", "-id3v2_version", "3")
    return ffmpeg(*_TONE, *art, *attached, *tags, format_name="mp3")


def flac() -> bytes:
    return ffmpeg(*_TONE, "-metadata", "title=Flat", "-metadata", "artist=Band", format_name="flac")


def photo(width: int = 640, height: int = 480, orientation: int = 1, taken: str | None = None) -> bytes:
    """A JPEG whose left half is red; `orientation` as in Exif 2.32 tag 0x0112, `taken` as in tag 0x9003."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x0112] = orientation
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def camera_photo() -> bytes:
    """As a phone held upright takes it: 640x480 turned by 90 degrees, with the camera's name and a date."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Fairphone", "FP5"
    exif.get_ifd(0x8769)[0x9003] = "2024:07:01 12:30:00"
    out = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


@functools.cache
def heic_photo() -> bytes:
    """`camera_photo` as HEIC, by libheif."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "a.jpg", Path(folder) / "a.heic"
        source.write_bytes(camera_photo())
        subprocess.run(
            ["heif-enc", "-q", "50", "-o", made, source], check=True, timeout=60, capture_output=True
        )
        return made.read_bytes()


def heic(width: int = 400, height: int = 300) -> bytes:
    """As a phone takes it: red above, blue below, and EXIF that says to turn it right by a quarter."""
    from pillow_heif import from_pillow

    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width, height // 2))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0132] = "2024:07:01 12:30:00"
    out = io.BytesIO()
    from_pillow(picture).save(out, quality=60, exif=exif.tobytes())
    return out.getvalue()
