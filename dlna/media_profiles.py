"""DLNA.ORG_PN: the media format profile of a file, only where what is known of it leaves no doubt.

A wrong name is worse than none: Sony refuses the file. Values from DLNA Guidelines 2006, media formats; each
name that is given here, GUPnP's guesser gives too (tests/dlna/test_profile_names.py). Left without a name,
since what is known of a file does not tell: transport streams (188 or 192 bytes a packet), Matroska (no
profile of 2006), H.264 High in MP4, LPCM in WAV (the profile is of headerless L16).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Streams:
    """What is known of a file; empty or None where it is not. Codec names are ffprobe's."""

    mime_type: str
    container: str = ""
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
    frame_rate: float | None = None

    @staticmethod
    def of(
        mime_type: str, codecs: Mapping[str, object], resolution: str | None, bitrate: int | None
    ) -> Streams:
        """From the library's facts; what makes no sense there counts as unknown."""
        size = re.fullmatch(r"(\d{1,6})x(\d{1,6})", resolution or "")
        return Streams(
            mime_type,
            container=str(codecs.get("container", "")).lower(),
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
            frame_rate=float(rate) if isinstance(rate := codecs.get("frameRate"), int | float) else None,
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
    if file.mime_type == "video/mpeg" and file.container == "mpeg":
        return _program_stream(file)
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


_SD = {
    *((720, 576), (720, 480), (704, 576), (704, 480), (640, 480), (640, 360), (544, 576), (544, 480)),
    *((480, 576), (480, 480), (352, 576), (352, 480), (352, 288), (352, 240), (480, 360), (480, 270)),
}
"""Sizes of AVC_MP4_MP_SD."""
_LOW = {(720, 576): 25.0, (720, 480): 30000 / 1001, (640, 480): 30.0, (640, 360): 30.0}
"""Sizes of AVC_MP4_BL_L3L_SD, and how many pictures a second each may have."""
_SLACK = 0.001
"""ffprobe's rates are rounded to this."""


def _mp4(file: Streams) -> str | None:
    """H.264 in MP4, Constrained Baseline or Main."""
    size, rate = (file.width or 0, file.height or 0), file.frame_rate
    if file.video != "h264" or file.video_level is None or rate is None or file.bitrate is None:
        return None
    aac = file.audio == "aac" and file.audio_profile in ("lc", "aac lc", "low complexity")
    stereo = file.channels in (1, 2)
    if file.video_profile == "constrained baseline" and file.video_level <= 30:
        fits = rate <= _LOW.get(size, 0) + _SLACK and file.bitrate <= 4_500_000
        return "AVC_MP4_BL_L3L_SD_AAC" if fits and aac and stereo else None
    if file.video_profile != "main":
        return None
    if size in _SD and file.video_level <= 30 and rate <= 30 + _SLACK and file.bitrate <= 10_000_000:
        if aac and stereo:
            return "AVC_MP4_MP_SD_AAC_MULT5"
        return {"mp3": "AVC_MP4_MP_SD_MPEG1_L3", "ac3": "AVC_MP4_MP_SD_AC3"}.get(file.audio)
    if size == (1280, 720) and aac and stereo and file.bitrate <= 14_000_000:
        if file.video_level <= 31 and rate <= 30 + _SLACK:
            return "AVC_MP4_MP_HD_720p_AAC"
    return None


_PAL = {(720, 576), (704, 576), (544, 576), (480, 576), (352, 576), (352, 288)}
_NTSC = {(720, 480), (704, 480), (544, 480), (480, 480), (352, 480), (352, 240)}


def _program_stream(file: Streams) -> str | None:
    """MPEG-2 as on a DVD: Main profile at the sizes and rates of one region, sound at 48 kHz."""
    known = file.video == "mpeg2video" and file.video_profile in ("main", "simple")
    sound = file.audio in ("mp2", "ac3") and file.sample_rate == 48_000
    if not known or not sound or file.bitrate is None or file.bitrate > 10_080_000:
        return None
    size, rate = (file.width or 0, file.height or 0), file.frame_rate or 0.0
    if size in _PAL and abs(rate - 25) < _SLACK:
        return "MPEG_PS_PAL"
    return "MPEG_PS_NTSC" if size in _NTSC and abs(rate - 30000 / 1001) < _SLACK else None


def _level(value: object) -> int | None:
    """ffprobe says 31 for level 3.1; others say `3.1`."""
    text = str(value or "")
    if re.fullmatch(r"\d\.\d", text):
        return round(float(text) * 10)
    return int(text) if re.fullmatch(r"\d{1,3}", text) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None
