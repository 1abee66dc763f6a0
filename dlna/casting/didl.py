"""The DIDL-Lite of one thing to play, as renderers want it in SetAVTransportURI.

The library's own builder drops size, duration, resolution and subtitles, and asks the URL first.
"""

from __future__ import annotations

from dlna.casting.playback import Media
from dlna.xml_text import xml_line

CLASSES = {
    "video": "object.item.videoItem.movie",
    "audio": "object.item.audioItem.musicTrack",
    "image": "object.item.imageItem.photo",
}


def didl(media: Media) -> str:
    """One `<DIDL-Lite>` with one item. Subtitles in each of the four ways that some TV reads."""
    parts = [
        '<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/"'
        ' xmlns:dlna="urn:schemas-dlna-org:metadata-1-0/" xmlns:sec="http://www.sec.co.kr/"'
        ' xmlns:pv="http://www.pv.com/pvns/">',
        '<item id="0" parentID="-1" restricted="1">',
        f"<dc:title>{xml_line(media.title)}</dc:title>",
        f"<upnp:class>{CLASSES[media.kind]}</upnp:class>",
    ]
    if media.artist:
        parts.append(f"<dc:creator>{xml_line(media.artist)}</dc:creator>")
        parts.append(f'<upnp:artist role="Performer">{xml_line(media.artist)}</upnp:artist>')
    if media.album:
        parts.append(f"<upnp:album>{xml_line(media.album)}</upnp:album>")
    if media.art_url:
        parts.append(
            f'<upnp:albumArtURI dlna:profileID="JPEG_SM">{xml_line(media.art_url)}</upnp:albumArtURI>'
        )
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
    written = "".join(f' {name}="{xml_line(value)}"' for name, value in attributes.items() if value)
    parts.append(f"<res{written}>{xml_line(media.url)}</res>")
    if subtitles:
        ending = subtitles.mime_type.partition("/")[2]
        parts.append(
            f'<res protocolInfo="http-get:*:{xml_line(subtitles.mime_type)}:*">'
            f"{xml_line(subtitles.url)}</res>"
        )
        for name in ("sec:CaptionInfoEx", "sec:CaptionInfo"):
            parts.append(f'<{name} sec:type="{xml_line(ending)}">{xml_line(subtitles.url)}</{name}>')
    return "".join(parts) + "</item></DIDL-Lite>"


def clock(seconds: float) -> str:
    """`H+:MM:SS.mmm` (ContentDirectory:1 §2.8.5, res@duration)."""
    thousandths = round(max(seconds, 0) * 1000)
    whole, thousandths = divmod(thousandths, 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}"
