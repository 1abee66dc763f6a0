"""The DLNA headers of a media transfer: what is refused, and what is told.

Pure: request headers in, a status or reply headers out. The rules are those of the conformance test
(DLNA Guidelines 2006 §7.4), relaxed where a family is known to break them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dlna.catalog import MediaKind, Resource
from dlna.clients.client import Captions, Client
from dlna.didl import duration
from dlna.protocol_info import features

_TIME = r"(?:\d{1,6}:\d\d:\d\d|\d{1,9})(?:\.\d{1,9})?"
_NPT = re.compile(rf"npt\s*=\s*({_TIME})-({_TIME})?(?:/(?:{_TIME}|\*))?(?:\s.*)?", re.ASCII)
_MODES = {"streaming": "Streaming", "interactive": "Interactive", "background": "Background"}


@dataclass(frozen=True)
class Refused:
    """`status` 400 for what is malformed, 406 for what this resource does not do."""

    status: int
    why: str


@dataclass(frozen=True)
class Accepted:
    """Headers to send on top of those of HTTP."""

    headers: dict[str, str] = field(default_factory=dict)


def judge(
    headers: Mapping[str, str], resource: Resource, client: Client, caption_url: str | None = None
) -> Accepted | Refused:
    """What the request's DLNA headers ask of `resource`. `headers` is case-insensitive or in lower case."""
    if (asked := headers.get("getcontentfeatures.dlna.org")) is not None and asked.strip() != "1":
        return Refused(400, "getcontentFeatures.dlna.org is not 1")
    is_image = resource.kind is MediaKind.IMAGE
    plain = is_image or _is_text(resource)
    mode = "Interactive" if plain else "Streaming"
    if (wish := headers.get("transfermode.dlna.org")) is not None:
        if wish.strip().lower() not in _MODES:
            return Refused(400, "transferMode.dlna.org is unknown")
        mode = _MODES[wish.strip().lower()]
    if mode == "Streaming" and plain:
        return Refused(406, "pictures and captions are not streamed")
    if mode == "Interactive" and not plain and not client.interactive_av:
        return Refused(406, "films and music are streamed")
    real_time = headers.get("realtimeinfo.dlna.org")
    if real_time is not None and mode == "Interactive":
        return Refused(400, "realTimeInfo.dlna.org in an interactive transfer")
    if (refused := _seek(headers)) is not None:
        return refused
    reply = {"transferMode.dlna.org": mode, "contentFeatures.dlna.org": features(resource, client)}
    if not plain:
        reply["realTimeInfo.dlna.org"] = "DLNA.ORG_TLAG=*"
    available = headers.get("getavailableseekrange.dlna.org")
    if available is not None:
        if available.strip() != "1":
            return Refused(400, "getAvailableSeekRange.dlna.org is not 1")
        if resource.size:
            npt = f" npt=0:00:00.000-{duration(resource.duration)}" if resource.duration else ""
            reply["availableSeekRange.dlna.org"] = f"1{npt} bytes=0-{resource.size - 1}"
    if headers.get("getmediainfo.sec") is not None and resource.duration:
        reply["MediaInfo.sec"] = f"SEC_Duration={round(resource.duration * 1000)};"
    if caption_url and Captions.HEADER in client.captions and resource.kind is MediaKind.VIDEO:
        if headers.get("getcaptioninfo.sec") is not None:
            reply["CaptionInfo.sec"] = caption_url
    return Accepted(reply)


def _seek(headers: Mapping[str, str]) -> Refused | None:
    """Everything that we serve has OP=01: bytes may be sought, time and speed may not."""
    if (time := headers.get("timeseekrange.dlna.org")) is not None:
        match = _NPT.fullmatch(time.strip())
        if not match:
            return Refused(400, "TimeSeekRange.dlna.org is no npt range")
        end = match[2]
        if end and seconds(end) < seconds(match[1]):
            return Refused(400, "TimeSeekRange.dlna.org ends before it begins")
        return Refused(406, "this resource is sought by bytes")
    if (speed := headers.get("playspeed.dlna.org")) is not None:
        match = re.fullmatch(r"speed\s*=\s*(-?\d{1,4}(?:/\d{1,4})?)", speed.strip().lower())
        if not match:
            return Refused(400, "PlaySpeed.dlna.org is no speed")
        if match[1] not in ("1", "1/1"):
            return Refused(406, "this resource plays at speed 1")
    return None


def seconds(npt: str) -> float:
    """Normal play time, `12.5` or `0:00:12.500` (RFC 2326 §3.6)."""
    whole = 0.0
    for part in npt.split(":"):
        whole = whole * 60 + float(part)
    return whole


def _is_text(resource: Resource) -> bool:
    return resource.mime_type.startswith("text/") or resource.mime_type == "smi/caption"
