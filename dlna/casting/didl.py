"""The DIDL-Lite of one thing to play, as renderers want it in SetAVTransportURI.

The library's own builder drops size, duration, resolution and subtitles, and asks the URL first.
"""

from __future__ import annotations

import re
from html import escape

from dlna.casting.playback import Media

CLASSES = {
    "video": "object.item.videoItem.movie",
    "audio": "object.item.audioItem.musicTrack",
    "image": "object.item.imageItem.photo",
}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""XML 1.0 §2.2: these may not stand in a document, not even escaped."""


def didl(media: Media) -> str:
    """One `<DIDL-Lite>` with one item. Subtitles in each of the four ways that some TV reads."""
    parts = [
        '<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/"'
        ' xmlns:dlna="urn:schemas-dlna-org:metadata-1-0/" xmlns:sec="http://www.sec.co.kr/"'
        ' xmlns:pv="http://www.pv.com/pvns/">',
        '<item id="0" parentID="-1" restricted="1">',
        f"<dc:title>{_text(media.title)}</dc:title>",
        f"<upnp:class>{CLASSES[media.kind]}</upnp:class>",
    ]
    if media.artist:
        parts.append(f"<dc:creator>{_text(media.artist)}</dc:creator>")
        parts.append(f'<upnp:artist role="Performer">{_text(media.artist)}</upnp:artist>')
    if media.album:
        parts.append(f"<upnp:album>{_text(media.album)}</upnp:album>")
    if media.art_url:
        parts.append(f'<upnp:albumArtURI dlna:profileID="JPEG_TN">{_text(media.art_url)}</upnp:albumArtURI>')
    attributes = {
        "protocolInfo": f"http-get:*:{media.mime_type}:{media.features}",
        "size": None if media.size_bytes is None else str(media.size_bytes),
        "duration": None if media.duration_sec is None else clock(media.duration_sec),
        "resolution": media.resolution,
    }
    subtitles = media.subtitles[0] if media.subtitles else None
    if subtitles:
        kind = subtitles.mime_type.partition("/")[2].upper()
        attributes |= {"pv:subtitleFileType": kind, "pv:subtitleFileUri": subtitles.url}
    written = "".join(f' {name}="{_text(value)}"' for name, value in attributes.items() if value)
    parts.append(f"<res{written}>{_text(media.url)}</res>")
    if subtitles:
        ending = subtitles.mime_type.partition("/")[2]
        parts.append(
            f'<res protocolInfo="http-get:*:{_text(subtitles.mime_type)}:*">{_text(subtitles.url)}</res>'
        )
        for name in ("sec:CaptionInfoEx", "sec:CaptionInfo"):
            parts.append(f'<{name} sec:type="{_text(ending)}">{_text(subtitles.url)}</{name}>')
    return "".join(parts) + "</item></DIDL-Lite>"


def clock(seconds: float) -> str:
    """`H+:MM:SS.mmm` (ContentDirectory:1 §2.8.5, res@duration)."""
    thousandths = round(max(seconds, 0) * 1000)
    whole, thousandths = divmod(thousandths, 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}"


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("", value), quote=True)
