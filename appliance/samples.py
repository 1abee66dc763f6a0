"""A few clips, songs and photos, made here, so that a first look at Mantel is not an empty page.

Pictures are layers of hills drawn by Pillow; clips pan over such a picture; songs are chords. All of it
is ours, small, and of the common kinds: H.264/AAC MP4, MP3 with tags and cover, JPEG with EXIF.
"""

from __future__ import annotations

import colorsys
import math
import random
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import ffmpeg
from PIL import ExifTags, Image, ImageDraw

CLIPS = (
    ("Films", "The Long Way to Tromsø", 0.55, 24),
    ("Films", "Summer in Lot 12", 0.10, 18),
    ("Clips/2026", "Garden party", 0.30, 12),
)
ALBUM = ("Aya Lindqvist", "Slow Ferry", 0.92, ("Harbour", "Slow Ferry", "Lights Ashore"))
PHOTOS = ("Lake", "Morning", "Dunes", "Uphill", "Evening", "Orchard")
CLIP_SIZE = (1280, 720)
PHOTO_SIZE = (2400, 1600)
WIDE = 1.4
"""A clip pans over a picture this many times its width."""
ENCODE_SECONDS = 120
"""Longer than any of these takes on a Pi; then something is wrong."""
WHITELISTS = {
    "format_whitelist": "lavfi,image2,png_pipe,mjpeg,jpeg_pipe",
    "protocol_whitelist": "file,pipe",
}
"""Inputs are what we name here: generated sound, and pictures that we drew."""
CLIP_ENCODING = {
    "vcodec": "libx264", "preset": "veryfast", "crf": 26, "g": 25, "pix_fmt": "yuv420p",
    "acodec": "aac", "b:a": "96k", "movflags": "+faststart", "shortest": None,
}  # fmt: skip
"""Plays as it is on any phone: a key frame every second, the index in front."""
SONG_ENCODING = {
    "acodec": "libmp3lame", "b:a": "128k", "vcodec": "copy", "disposition:v": "attached_pic",
    "id3v2_version": 3,
}  # fmt: skip


def make_samples(root: Path, say: Callable[[str], None]) -> None:
    """Fill the new folder `root`; `say` hears a line a file. A folder that is there is left alone."""
    if root.exists():
        return
    making = root.with_name(root.name + ".making")
    making.mkdir(parents=True, exist_ok=True)
    jobs: list[tuple[str, Callable[[], None]]] = []
    for folder, title, hue, seconds in CLIPS:
        target = making / folder / f"{title}.mp4"
        jobs.append((target.name, lambda t=target, h=hue, s=seconds: _clip(t, h, s)))  # type: ignore[misc]
    artist, album, hue, songs = ALBUM
    for number, title in enumerate(songs, 1):
        target = making / "Music" / artist / album / f"{number:02} {title}.mp3"
        jobs.append((target.name, lambda t=target, n=number: _song(t, artist, album, n, hue)))  # type: ignore[misc]
    for number, title in enumerate(PHOTOS):
        target = making / "Photos" / "2026" / f"{title}.jpg"
        jobs.append((target.name, lambda t=target, n=number: _photo(t, n)))  # type: ignore[misc]
    with ThreadPoolExecutor(2) as pool:
        for name, done in [(name, pool.submit(job)) for name, job in jobs]:
            done.result()
            say(f"made {name}")
    making.rename(root)


def hills(size: tuple[int, int], hue: float, seed: int = 0) -> Image.Image:
    """A landscape: a sky, a sun, and five rows of hills from `hue` (0 to 1), the nearest darkest."""
    chance = random.Random(f"{hue}{seed}")  # noqa: S311 (a picture)
    width, height = size
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        down = y / height
        draw.line([(0, y), (width, y)], fill=_colour(hue + 0.05 * down, 0.45 - 0.3 * down, 0.78 + 0.2 * down))
    radius = height // 9
    x, y = round(width * chance.uniform(0.2, 0.8)), round(height * 0.26)
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(255, 243, 214))
    for row in range(5):
        base = height * (0.48 + 0.11 * row)
        waves = [
            (chance.uniform(0.5, 2.5) * (1 + row / 2), chance.uniform(0, 6.3), height * 0.05)
            for _ in range(3)
        ]
        ridge = [
            (px, base + sum(a * math.sin(f * 6.283 * px / width + p) for f, p, a in waves))
            for px in range(0, width + 8, 8)
        ]
        fill = _colour(hue - 0.02 * row, 0.3 + 0.12 * row, 0.78 - 0.15 * row)
        draw.polygon([(0, height), *ridge, (width, height)], fill=fill)
    return picture


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(1, saturation), max(0, value))
    return round(red * 255), round(green * 255), round(blue * 255)


def _encode(stream: ffmpeg.nodes.Stream) -> None:
    command = ffmpeg.compile(stream.global_args("-nostdin", "-v", "error"), overwrite_output=True)
    subprocess.run(command, check=True, timeout=ENCODE_SECONDS, stdin=subprocess.DEVNULL)


def _chord(notes: tuple[float, ...], seconds: float) -> ffmpeg.nodes.Stream:
    waves = "+".join(f"0.16*sin(2*PI*{note}*t)*(0.7+0.3*sin(2*PI*0.2*t+{n}))" for n, note in enumerate(notes))
    return ffmpeg.input(f"aevalsrc='{waves}':s=44100:d={seconds}", f="lavfi", **WHITELISTS)


def _clip(target: Path, hue: float, seconds: int) -> None:
    """H.264/AAC in MP4, a key frame every second, index in front."""
    target.parent.mkdir(parents=True, exist_ok=True)
    width, height = CLIP_SIZE
    with tempfile.TemporaryDirectory() as scratch:
        still = Path(scratch) / "still.png"
        hills((round(width * WIDE), height), hue).save(still)
        shown = ffmpeg.input(f"file:{still}", f="image2", loop=1, framerate=25, t=seconds, **WHITELISTS)
        panned = shown.filter("crop", width, height, f"(in_w-out_w)*t/{seconds}", 0)
        heard = _chord((130.8, 196.0, 261.6 * (1 + hue / 4)), seconds)
        title = f"title={target.stem}"
        _encode(ffmpeg.output(panned, heard, f"file:{target}", metadata=title, **CLIP_ENCODING))


def _song(target: Path, artist: str, album: str, number: int, hue: float) -> None:
    """MP3 with ID3v2.3 tags and a JPEG cover."""
    target.parent.mkdir(parents=True, exist_ok=True)
    base = 110 * 2 ** (number * 3 / 12)
    with tempfile.TemporaryDirectory() as scratch:
        cover = Path(scratch) / "cover.jpg"
        hills((600, 600), hue).save(cover, quality=88)
        art = ffmpeg.input(f"file:{cover}", f="image2", **WHITELISTS)
        words = (
            f"title={target.stem[3:]}",
            f"artist={artist}",
            f"album={album}",
            f"track={number}",
            "date=2026",
        )
        tags = {f"metadata:g:{n}": word for n, word in enumerate(words)}
        heard = _chord((base, base * 1.25, base * 1.5), 30 + 5 * number)
        _encode(ffmpeg.output(heard, art, f"file:{target}", **SONG_ENCODING, **tags))


def _photo(target: Path, number: int) -> None:
    """A JPEG with a camera, a date and, for every third, a rotation in its EXIF."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = hills(PHOTO_SIZE, number / len(PHOTOS), seed=number)
    exif = Image.Exif()
    taken = datetime(2026, 6, 20, 9, 30) + timedelta(days=11 * number, minutes=37 * number)
    exif[ExifTags.Base.Make] = "Mantel"
    exif[ExifTags.Base.Model] = "Sample camera"
    exif[ExifTags.Base.DateTime] = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken.strftime("%Y:%m:%d %H:%M:%S")
    if number % 3 == 2:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = 6
    picture.save(target, quality=88, exif=exif)
