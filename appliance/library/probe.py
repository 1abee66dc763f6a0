"""What is in a film, a song or a photo, found by ffprobe and Pillow in the parse cell."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from ffmpeg._utils import convert_kwargs_to_cmd_line_args

from appliance.library.facts import Facts, read_facts
from appliance.library.items import Kind
from appliance.library.parse import PICTURE, Unreadable, parse

THE_FILE = "file:/proc/self/fd/0"
"""How a program in the cell names its standard input: with a protocol, and with seeking."""

DEMUXERS = (
    "aac,ac3,aiff,ape,asf,avi,caf,dsf,eac3,flac,flv,h264,hevc,m4v,matroska,webm,mov,mp4,mp3,mpeg,mpegts,"
    "mpegvideo,ogg,tta,w64,wav,wv"
)
"""Formats that stand for themselves. Not hls, concat, dash, image2, sdp, lavfi …: those open other files, and
a playlist that calls itself .mp4 made ffmpeg read one in spite of the protocol whitelist."""

GUARDED: dict[str, Any] = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file,pipe"}
"""Input options of every call."""

_FRAME_RATES = (1, 240)


def ffprobe_arguments() -> list[str]:
    shown = {"v": "error", "print_format": "json", "show_format": None, "show_streams": None}
    return ["ffprobe", *convert_kwargs_to_cmd_line_args({**shown, **GUARDED}), THE_FILE]


async def probe(fd: int, kind: Kind, file_id: str, size: int, mtime_ns: int) -> Facts:
    """The facts of an open file of these kinds: video, audio, image.

    What cannot be read comes back as `broken`. Raises NoProgram.
    """
    message: dict[str, Any] = {"fileId": file_id, "size": size, "mtimeNs": str(mtime_ns)}
    try:
        if kind is Kind.IMAGE:
            said = await parse(fd, [sys.executable, "-I", PICTURE, "facts"])
            message |= picture_facts(json.loads(said))
        else:
            message |= media_facts(json.loads(await parse(fd, ffprobe_arguments())))
    except (Unreadable, ValueError) as error:
        message["broken"] = True
        message["why"] = str(error)
    return read_facts(message)


def picture_facts(said: Mapping[str, Any]) -> dict[str, Any]:
    """From picture.py's answer to the keys of a `file-analyzed` message."""
    return {
        "resolution": f"{said['width']}x{said['height']}",
        "codecs": {"container": said["format"]},
        "takenAt": said.get("takenAt"),
    }


def media_facts(said: Mapping[str, Any]) -> dict[str, Any]:
    """From ffprobe's JSON to the keys of a `file-analyzed` message. Raises ValueError without a stream."""
    streams: list[Mapping[str, Any]] = said.get("streams") or []
    container: Mapping[str, Any] = said.get("format") or {}
    covers = [s for s in streams if (s.get("disposition") or {}).get("attached_pic")]
    video = next((s for s in streams if s.get("codec_type") == "video" and s not in covers), None)
    audio = next((s for s in streams if s.get("codec_type") == "audio"), None)
    if video is None and audio is None:
        raise ValueError("there is neither picture nor sound in it")
    found: dict[str, Any] = {
        "durationSec": _number(container.get("duration")),
        "bitrate": _number(container.get("bit_rate")),
        "hasCover": bool(covers),
        "tags": _tags(container.get("tags"), (audio or {}).get("tags")),
        "codecs": {"container": _container(container)},
        "subtitles": [_subtitle(s) for s in streams if s.get("codec_type") == "subtitle"],
    }
    if video is not None:
        found["rotation"] = rotation = _rotation(video)
        width, height = video.get("width"), video.get("height")
        if rotation in (90, 270):
            width, height = height, width
        found["resolution"] = f"{width}x{height}"
        found["codecs"] |= {
            "video": video.get("codec_name"),
            "videoProfile": video.get("profile"),
            "videoLevel": _level(video),
            "pixelFormat": video.get("pix_fmt"),
            "frameRate": _rate(video.get("avg_frame_rate")),
        }
    if audio is not None:
        found["codecs"] |= {
            "audio": audio.get("codec_name"),
            "audioProfile": audio.get("profile"),
            "audioChannels": audio.get("channels"),
            "audioSampleRate": _number(audio.get("sample_rate")),
            "audioBitDepth": _number(audio.get("bits_per_raw_sample")),
        }
    return found


def _container(said: Mapping[str, Any]) -> str:
    """One name; ffprobe names the demuxer (`mov,mp4,m4a,3gp,3g2,mj2`)."""
    first = str(said.get("format_name", "")).split(",")[0]
    quicktime = str((said.get("tags") or {}).get("major_brand", "qt")).startswith("qt")
    return "mp4" if first == "mov" and not quicktime else first


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _rotation(video: Mapping[str, Any]) -> int:
    """Degrees clockwise; ffprobe's display matrix counts the other way round."""
    for data in video.get("side_data_list") or ():
        if "rotation" in data:
            return int(-(_number(data["rotation"]) or 0)) % 360
    return int(_number((video.get("tags") or {}).get("rotate")) or 0) % 360


def _level(video: Mapping[str, Any]) -> str | None:
    """`4.1`; ffprobe says 41 for H.264 and 30 times the level for HEVC."""
    level = video.get("level")
    if not isinstance(level, int) or level <= 0:
        return None
    return str(level / (30 if video.get("codec_name") == "hevc" else 10))


def _rate(value: Any) -> float | None:
    above, _, below = str(value).partition("/")
    try:
        rate = int(above) / int(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return round(rate, 3) if _FRAME_RATES[0] <= rate <= _FRAME_RATES[1] else None


_TAGS = {"album_artist": "albumArtist", "creation_time": "date", "tracknumber": "track", "discnumber": "disc"}


def _tags(*sources: Any) -> dict[str, str]:
    """Tags by our names; the container's first. Ogg keeps them in the stream."""
    found: dict[str, str] = {}
    for source in sources:
        for key, value in (source or {}).items():
            name = str(key).lower()
            found.setdefault(_TAGS.get(name, name), str(value))
    return found


def _subtitle(stream: Mapping[str, Any]) -> dict[str, str]:
    tags = stream.get("tags") or {}
    return {
        "codec": str(stream.get("codec_name", "")),
        "language": str(tags.get("language", "")),
        "title": str(tags.get("title", "")),
    }
