"""DLNA.ORG_PN: the media format profile of a file, only where what is known of it leaves no doubt.

A wrong name is worse than none: Sony refuses the file. Values from DLNA Guidelines 2006, media formats;
no comparison with another guesser has been made yet, so names are given sparingly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Streams:
    """What is known of a file; empty or None where it is not. Codec names are ffprobe's."""

    mime_type: str
    video: str = ""
    video_profile: str = ""
    video_level: int | None = None
    """Ten times the level: 31 is 3.1."""
    audio: str = ""
    audio_profile: str = ""
    channels: int | None = None
    sample_rate: int | None = None
    bitrate: int | None = None
    """Bits a second, of the whole file."""
    width: int | None = None
    height: int | None = None

    @staticmethod
    def of(
        mime_type: str, codecs: Mapping[str, object], resolution: str | None, bitrate: int | None
    ) -> Streams:
        """From the library's facts; what makes no sense there counts as unknown."""
        size = re.fullmatch(r"(\d{1,6})x(\d{1,6})", resolution or "")
        return Streams(
            mime_type,
            video=str(codecs.get("video", "")).lower(),
            video_profile=str(codecs.get("videoProfile", "")).lower(),
            video_level=_level(codecs.get("videoLevel")),
            audio=str(codecs.get("audio", "")).lower(),
            audio_profile=str(codecs.get("audioProfile", "")).lower(),
            channels=_whole(codecs.get("audioChannels")),
            sample_rate=_whole(codecs.get("audioSampleRate")),
            bitrate=bitrate,
            width=int(size[1]) if size else None,
            height=int(size[2]) if size else None,
        )


def profile(file: Streams) -> str | None:
    """The profile's name, or None."""
    if file.mime_type in ("image/jpeg", "image/png"):
        return _image(file)
    if file.mime_type == "audio/mpeg":
        return _mp3(file)
    if file.mime_type == "audio/mp4":
        return _aac(file)
    if file.mime_type == "video/mp4":
        return _mp4(file)
    return None


_JPEG = (("JPEG_TN", 160, 160), ("JPEG_SM", 640, 480), ("JPEG_MED", 1024, 768), ("JPEG_LRG", 4096, 4096))
_PNG = (("PNG_TN", 160, 160), ("PNG_LRG", 4096, 4096))


def _image(file: Streams) -> str | None:
    if not file.width or not file.height:
        return None
    kind = "JPEG" if file.mime_type == "image/jpeg" else "PNG"
    for side, name in ((48, "SM_ICO"), (120, "LRG_ICO")):
        if (file.width, file.height) == (side, side):
            return f"{kind}_{name}"
    for name, width, height in _JPEG if kind == "JPEG" else _PNG:
        if file.width <= width and file.height <= height:
            return name
    return None


def _mp3(file: Streams) -> str | None:
    known = file.audio == "mp3" and file.channels in (1, 2) and file.bitrate is not None
    if not known or file.video not in ("", "mjpeg", "png"):
        return None
    # The file's rate counts its tags and cover too; a real stream is within 320 kbit/s.
    if file.sample_rate in (32_000, 44_100, 48_000):
        return "MP3"
    return "MP3X" if file.sample_rate in (16_000, 22_050, 24_000) else None


def _aac(file: Streams) -> str | None:
    lc = file.audio == "aac" and file.audio_profile in ("lc", "aac lc", "low complexity")
    if not lc or file.video not in ("", "mjpeg", "png") or file.bitrate is None:
        return None
    if file.channels in (1, 2) and file.bitrate <= 300_000:
        return "AAC_ISO_320"
    return None


def _mp4(file: Streams) -> str | None:
    """H.264 Main at SD with AAC-LC; the HD names differ from table to table, so they stay unsaid."""
    h264 = file.video == "h264" and file.video_profile in ("main", "constrained baseline")
    small = file.width is not None and file.height is not None and file.width <= 720 and file.height <= 576
    aac = file.audio == "aac" and file.audio_profile in ("lc", "aac lc", "low complexity")
    level = file.video_level is not None and file.video_level <= 30
    sizes = {(720, 576), (720, 480), (640, 480), (640, 360), (704, 576), (704, 480), (352, 288)}
    if h264 and small and aac and level and file.channels in (1, 2) and (file.width, file.height) in sizes:
        return "AVC_MP4_MP_SD_AAC_MULT5"
    return None


def _level(value: object) -> int | None:
    """ffprobe says 31 for level 3.1; others say `3.1`."""
    text = str(value or "")
    if re.fullmatch(r"\d\.\d", text):
        return round(float(text) * 10)
    return int(text) if re.fullmatch(r"\d{1,3}", text) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None
