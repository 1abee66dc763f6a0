"""DIDL-Lite: objects as the XML that TVs read. Only a writer; f-strings, since a page has 200 items.

Every text goes through `xml_text`/`xml_line`; a property test reads all of it back with an XML parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlna.catalog import ROOT, Container, Item, MediaKind, Object, Picture, Resource, Viewer
from dlna.clients.client import Bookmarks, Captions
from dlna.protocol_info import protocol_info
from dlna.xml_text import Escaped, escape, one_line, xml_line, xml_text

HEAD = (
    '<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/"'
    ' xmlns:dlna="urn:schemas-dlna-org:metadata-1-0/"'
    ' xmlns:sec="http://www.sec.co.kr/"'
    ' xmlns:pv="http://www.pv.com/pvns/">'
)
TAIL = "</DIDL-Lite>"
_ESCAPED_HEAD, _ESCAPED_TAIL = escape(HEAD), escape(TAIL)
MOST_TOLD = 4
"""Ways of writing one item that are kept."""
SONY = "urn:schemas-sony-com:av"
_MEDIA_CLASSES = {MediaKind.VIDEO: "V", MediaKind.AUDIO: "M", MediaKind.IMAGE: "P"}
"""Sony TVs ask for these by name, to show films among films only (minidlna's change log, 1.1.0)."""
LONGEST_DESCRIPTION = 384
"""Characters of dc:description (minidlna cuts there; some TVs drop the whole list beyond)."""
SHORTEST_RESUME = 30
"""Seconds: nobody wants to be asked whether to go on from there."""


@dataclass(frozen=True)
class Filter:
    """The Filter argument (ContentDirectory:1 §2.5.7). What is required is written in any case."""

    everything: bool
    names: frozenset[str]

    @staticmethod
    def read(text: str) -> Filter:
        names = frozenset(part.strip() for part in text.split(",") if part.strip())
        return Filter("*" in names, names)

    def wants(self, *names: str) -> bool:
        return self.everything or any(name in self.names for name in names)

    @property
    def resources(self) -> bool:
        """`res@size` asks for `res` too."""
        return self.everything or any(n == "res" or n.startswith("res@") for n in self.names)


def duration(seconds: float) -> str:
    """`H:MM:SS.mmm` (ContentDirectory:1 §B.2.1.4)."""
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def document(objects: Iterable[Object], viewer: Viewer, wanted: Filter) -> str:
    """A whole DIDL-Lite document for this viewer."""
    parts = [HEAD]
    for one in objects:
        if isinstance(one, Container):
            parts.extend(_container(one, viewer, wanted))
        else:
            parts.extend(_item(one, viewer, wanted))
    parts.append(TAIL)
    return "".join(parts)


def escaped_document(objects: Iterable[Object], viewer: Viewer, wanted: Filter) -> Escaped:
    """The same as text for a SOAP answer. How an item was written is kept with it."""
    parts = [_ESCAPED_HEAD]
    key = f"{viewer.client.family} {viewer.host} {'*' if wanted.everything else sorted(wanted.names)}"
    for one in objects:
        if isinstance(one, Container):
            parts.append(escape("".join(_container(one, viewer, wanted))))
            continue
        told = one.told.get(key)
        if told is None:
            told = escape("".join(_item(one, viewer, wanted)))
            if len(one.told) >= MOST_TOLD:
                one.told.clear()
            one.told[key] = told
        parts.append(told)
    parts.append(_ESCAPED_TAIL)
    return Escaped("".join(parts))


def item_id(one: Object, viewer: Viewer) -> str:
    """The id as this viewer is told it: TVs that cache get a new one with each change."""
    if viewer.client.versioned_ids and one.id != ROOT:
        return f"{one.id}#{one.update_id}"
    return one.id


def _container(one: Container, viewer: Viewer, wanted: Filter) -> Iterator[str]:
    yield f'<container id="{xml_line(item_id(one, viewer))}" parentID="{xml_line(one.parent_id)}"'
    yield f' restricted="1" childCount="{one.child_count}"'
    if wanted.wants("@searchable", "container@searchable"):
        yield f' searchable="{int(one.searchable)}"'
    yield ">"
    yield from _head(one, viewer, one.upnp_class)
    if one.artist and wanted.wants("upnp:artist"):
        yield f"<upnp:artist>{xml_text(one.artist)}</upnp:artist>"
    if one.genre and wanted.wants("upnp:genre"):
        yield f"<upnp:genre>{xml_text(one.genre)}</upnp:genre>"
    yield from _art(one.pictures, viewer, wanted)
    yield "</container>"


def _item(one: Item, viewer: Viewer, wanted: Filter) -> Iterator[str]:
    yield f'<item id="{xml_line(item_id(one, viewer))}" parentID="{xml_line(one.parent_id)}"'
    if one.ref_id and wanted.wants("@refID", "item@refID"):
        yield f' refID="{xml_line(one.ref_id)}"'
    yield ' restricted="1">'
    yield from _head(one, viewer, one.upnp_class)
    yield from _properties(one, viewer, wanted)
    yield from _art(one.pictures, viewer, wanted)
    yield from _position(one, viewer, wanted)
    if "av:mediaClass" in wanted.names:
        yield f'<av:mediaClass xmlns:av="{SONY}">{_MEDIA_CLASSES[one.kind]}</av:mediaClass>'
    captions = viewer.client.captions
    if one.captions and Captions.SEC in captions and wanted.wants("sec:CaptionInfoEx", "sec:CaptionInfo"):
        for track in (track for track in one.captions if track.kind == "srt"):
            url = _url(track.path, viewer)
            for name in ("CaptionInfoEx", "CaptionInfo"):
                yield f'<sec:{name} sec:type="{track.kind}">{url}</sec:{name}>'
    if wanted.resources:
        for resource in one.resources:
            yield from _resource(one, resource, viewer, wanted)
        if Captions.RESOURCE in captions:
            for track in (track for track in one.captions if track.kind in viewer.client.caption_kinds):
                mime = {"srt": "text/srt", "smi": "smi/caption"}.get(track.kind, "text/vtt")
                yield f'<res protocolInfo="http-get:*:{mime}:*">{_url(track.path, viewer)}</res>'
    yield "</item>"


def _head(one: Object, viewer: Viewer, upnp_class: str) -> Iterator[str]:
    title = one_line(one.title) or "–"
    if viewer.client.dotted_titles and isinstance(one, Item) and one.captions and "." not in title:
        title += "."
    if viewer.client.longest_title:
        title = title[: viewer.client.longest_title]
    yield f"<dc:title>{xml_text(title)}</dc:title><upnp:class>{upnp_class}</upnp:class>"


def _properties(one: Item, viewer: Viewer, wanted: Filter) -> Iterator[str]:
    if one.date and viewer.client.dates and wanted.wants("dc:date"):
        date = one.date[:10] if viewer.client.simple_dates else one.date
        yield f"<dc:date>{xml_text(date)}</dc:date>"
    creator = one.artist or one.album_artist
    if creator and wanted.wants("dc:creator"):
        yield f"<dc:creator>{xml_text(creator)}</dc:creator>"
    if wanted.wants("upnp:artist"):
        if one.artist:
            yield f"<upnp:artist>{xml_text(one.artist)}</upnp:artist>"
        for role, name in (("AlbumArtist", one.album_artist), ("Composer", one.composer)):
            if name:
                yield f'<upnp:artist role="{role}">{xml_text(name)}</upnp:artist>'
    for tag, value in (
        ("upnp:album", one.album),
        ("upnp:genre", one.genre),
        ("upnp:originalTrackNumber", one.track),
        ("upnp:originalDiscNumber", one.disc),
        ("dc:description", one.description and one.description[:LONGEST_DESCRIPTION]),
        ("upnp:rating", one.rating),
    ):
        if value is not None and value != "" and wanted.wants(tag):
            yield f"<{tag}>{xml_text(value)}</{tag}>"


def _art(pictures: tuple[Picture, ...], viewer: Viewer, wanted: Filter) -> Iterator[str]:
    """The thumbnail last: TVs show the last one (jellyfin#1380, #1174)."""
    if not wanted.wants("upnp:albumArtURI", "upnp:albumArtURI@dlna:profileID"):
        return
    for picture in sorted(pictures, key=lambda p: p.profile.endswith("_TN")):
        yield f'<upnp:albumArtURI dlna:profileID="{picture.profile}">{_url(picture.path, viewer)}'
        yield "</upnp:albumArtURI>"


def _position(one: Item, viewer: Viewer, wanted: Filter) -> Iterator[str]:
    bookmarks = viewer.client.bookmarks
    position = one.position or 0
    if position < SHORTEST_RESUME:
        position = 0
    if bookmarks is Bookmarks.KODI:
        if one.play_count is not None and wanted.wants("upnp:playbackCount"):
            yield f"<upnp:playbackCount>{one.play_count}</upnp:playbackCount>"
        if wanted.wants("upnp:lastPlaybackPosition"):
            yield f"<upnp:lastPlaybackPosition>{int(position)}</upnp:lastPlaybackPosition>"
    elif bookmarks is not Bookmarks.NONE and wanted.wants("sec:dcmInfo") and one.kind is MediaKind.VIDEO:
        unit = 1000 if bookmarks is Bookmarks.SAMSUNG_MILLISECONDS else 1
        title = xml_text(re.sub(r"[,=\s]+", " ", one.title)[:80])
        yield f"<sec:dcmInfo>CREATIONDATE=0,FOLDER={title},BM={int(position * unit)}</sec:dcmInfo>"


def _resource(one: Item, resource: Resource, viewer: Viewer, wanted: Filter) -> Iterator[str]:
    yield f'<res protocolInfo="{xml_line(protocol_info(resource, viewer.client))}"'
    for name, value in (
        ("size", resource.size),
        ("duration", resource.duration and duration(resource.duration)),
        ("resolution", resource.resolution),
        ("bitrate", resource.bitrate),
        ("sampleFrequency", resource.sample_rate),
        ("nrAudioChannels", resource.channels),
    ):
        if value is not None and value != "" and wanted.wants(f"res@{name}", f"@{name}"):
            yield f' {name}="{xml_line(value)}"'
    srt = next((track for track in one.captions if track.kind == "srt"), None)
    if (
        srt
        and Captions.PV in viewer.client.captions
        and resource.kind is MediaKind.VIDEO
        and wanted.wants("res@pv:subtitleFileUri", "res@pv:subtitleFileType", "pv:subtitleFileUri")
    ):
        yield f' pv:subtitleFileType="SRT" pv:subtitleFileUri="{_url(srt.path, viewer)}"'
    yield f">{_url(resource.path, viewer)}</res>"


def _url(path: str, viewer: Viewer) -> str:
    return xml_line(f"http://{viewer.host}{path}")
