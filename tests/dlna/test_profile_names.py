"""DLNA.ORG_PN against another guesser: GUPnP's, over files made here and described by our own probe."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from appliance.library.kinds import kind_of
from appliance.library.probe import probe
from dlna.media_profiles import Streams, profile

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")


def picture(size: str, rate: str = "25") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration=2", *TONE)


def h264(profile: str, level: str, preset: str = "veryfast") -> tuple[str, ...]:
    return (
        "-c:v",
        "libx264",
        "-preset",
        preset,
        "-profile:v",
        profile,
        "-level",
        level,
        "-pix_fmt",
        "yuv420p",
    )


AAC = ("-c:a", "aac", "-ac", "2", "-ar", "48000")
AC3 = ("-c:a", "ac3", "-ac", "2", "-ar", "48000", "-b:a", "192k")
MP2 = ("-c:a", "mp2", "-ac", "2", "-ar", "48000", "-b:a", "192k")
MPEG2 = (
    "-c:v",
    "mpeg2video",
    "-b:v",
    "4M",
    "-maxrate",
    "8M",
    "-bufsize",
    "1835k",
    "-g",
    "12",
    "-aspect",
    "4:3",
)
NTSC = "30000/1001"
BARE = ("-write_id3v2", "0", "-write_xing", "0")
"""GStreamer sees an ID3 tag as a container of its own, and the guesser then gives up."""

FILES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "baseline.mp4": ((*picture("640x480"), *h264("baseline", "3.0"), *AAC), "AVC_MP4_BL_L3L_SD_AAC"),
    "baseline odd.mp4": ((*picture("600x400"), *h264("baseline", "3.0"), *AAC), None),
    "main sd.mp4": ((*picture("640x480"), *h264("main", "3.0"), *AAC), "AVC_MP4_MP_SD_AAC_MULT5"),
    "main pal.mp4": ((*picture("720x576"), *h264("main", "3.0"), *AAC), "AVC_MP4_MP_SD_AAC_MULT5"),
    "main ac3.mp4": ((*picture("720x480", NTSC), *h264("main", "3.0"), *AC3), "AVC_MP4_MP_SD_AC3"),
    "main 720p.mp4": ((*picture("1280x720"), *h264("main", "3.1"), *AAC), "AVC_MP4_MP_HD_720p_AAC"),
    "high 1080p.mp4": ((*picture("1920x1080"), *h264("high", "4.0"), *AAC), None),
    "high 1080p.mkv": ((*picture("1920x1080"), *h264("high", "4.0"), *AAC), None),
    "main sd.mkv": ((*picture("640x480"), *h264("main", "3.0"), *AAC), None),
    "high.ts": ((*picture("1280x720"), *h264("high", "4.0"), *AC3), None),
    "pal.mpg": ((*picture("720x576"), *MPEG2, *MP2, "-f", "dvd"), "MPEG_PS_PAL"),
    "ntsc.mpg": ((*picture("720x480", NTSC), *MPEG2, *AC3, "-f", "dvd"), "MPEG_PS_NTSC"),
    "odd.mpg": ((*picture("640x272"), *MPEG2, *MP2, "-f", "dvd"), None),
    "pal.ts": ((*picture("720x576"), *MPEG2, *MP2), None),
    "ntsc.ts": ((*picture("720x480", NTSC), *MPEG2, *AC3), None),
    "song.mp3": ((*TONE, "-b:a", "128k", "-ar", "44100", "-ac", "2", *BARE), "MP3"),
    "voice.mp3": ((*TONE, "-b:a", "64k", "-ar", "22050", "-ac", "1", *BARE), "MP3X"),
    "song.m4a": ((*TONE, "-c:a", "aac", "-b:a", "128k", "-ar", "44100"), "AAC_ISO_320"),
    "raw.aac": ((*TONE, "-c:a", "aac", "-b:a", "128k", "-ar", "44100"), None),
    "song.flac": (TONE, None),
    "song.wav": ((*TONE, "-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"), None),
}
PICTURES = {
    "jpg": {
        (48, 48): "JPEG_SM_ICO",
        (120, 120): "JPEG_LRG_ICO",
        (160, 160): "JPEG_TN",
        (640, 480): "JPEG_SM",
        (480, 640): "JPEG_MED",
        (1024, 768): "JPEG_MED",
        (4096, 4096): "JPEG_LRG",
        (5000, 100): None,
    },
    "png": {
        (48, 48): "PNG_SM_ICO",
        (120, 120): "PNG_LRG_ICO",
        (160, 120): "PNG_TN",
        (1920, 1080): "PNG_LRG",
        (4097, 10): None,
    },
}


def guess(path: Path) -> str | None:
    """What GUPnP's guesser says. Relaxed where it must be: GStreamer does not know the bit rate of MPEG-2."""
    words = ["gupnp-dlna-info", *(["-r"] if path.suffix == ".mpg" else []), str(path)]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"Profile Name: (\S+)", said)
    return found[1] if found else None


async def ours(path: Path) -> str | None:
    kind, mime = kind_of(os.fsencode(path.name))
    fd = os.open(path, os.O_RDONLY)
    try:
        facts = await probe(fd, kind, "0" * 16, path.stat().st_size, 0)
    finally:
        os.close(fd)
    assert not facts.broken, path
    return profile(Streams.of(mime, facts.codecs or {}, facts.resolution, facts.bitrate))


@pytest.mark.slow
async def test_no_name_is_given_that_the_guesser_does_not_give(tmp_path: Path) -> None:
    wrong = []
    for name, (arguments, expected) in FILES.items():
        path = tmp_path / name
        command = ["ffmpeg", "-nostdin", "-v", "error", *arguments, str(path)]
        subprocess.run(command, check=True, timeout=120)
        found, other = await ours(path), guess(path)
        if found != expected or (found is not None and found != other):
            wrong.append((name, found, expected, other))
    for extension, sizes in PICTURES.items():
        for size, expected in sizes.items():
            path = tmp_path / f"{size[0]}x{size[1]}.{extension}"
            Image.new("RGB", size, "red").save(path)
            found, other = await ours(path), guess(path)
            if not found == expected == other:
                wrong.append((path.name, found, expected, other))
    assert wrong == []


def test_names_are_given_only_where_all_is_known() -> None:
    whole = {
        **{"container": "mp4", "video": "h264", "videoProfile": "Main", "videoLevel": "3.0", "frameRate": 25},
        **{"audio": "aac", "audioProfile": "LC", "audioChannels": 2, "audioSampleRate": 48000},
    }
    assert profile(Streams.of("video/mp4", whole, "640x480", 900_000)) == "AVC_MP4_MP_SD_AAC_MULT5"
    for key in ("video", "videoProfile", "videoLevel", "frameRate", "audio", "audioProfile", "audioChannels"):
        missing = {k: v for k, v in whole.items() if k != key}
        assert profile(Streams.of("video/mp4", missing, "640x480", 900_000)) is None, key
    for changed in ({"videoLevel": "3.1"}, {"frameRate": 50}, {"videoProfile": "High"}, {"audioChannels": 6}):
        assert profile(Streams.of("video/mp4", {**whole, **changed}, "640x480", 900_000)) is None
    assert profile(Streams.of("video/mp4", whole, "640x480", 30_000_000)) is None
    assert profile(Streams.of("video/mp4", whole, None, 900_000)) is None
    assert profile(Streams.of("video/x-matroska", whole, "640x480", 900_000)) is None
