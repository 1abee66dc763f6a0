"""DIDL, formats and times: from values to values."""

from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlna.casting.didl import clock, didl
from dlna.casting.formats import sink_types, takes
from dlna.casting.playback import Media, Subtitles

URL = "http://10.77.0.10:8200/cast/x/media.mp4"
FEATURES = "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"
RES = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}res"


def parsed(media: Media) -> Element:
    item = defusedxml.ElementTree.fromstring(didl(media))[0]
    assert isinstance(item, Element)
    return item


@given(st.text(), st.text(), st.text())
def test_any_title_makes_xml_and_comes_back(title: str, artist: str, album: str) -> None:
    item = parsed(Media(URL, title, "audio/mpeg", "audio", artist=artist, album=album))
    written = item.findtext("{http://purl.org/dc/elements/1.1/}title")
    assert written is not None
    # Breaks become blanks; what XML cannot hold is left out.
    assert all(c in title or c == " " for c in written)


def test_a_renderer_is_told_size_duration_and_resolution() -> None:
    media = Media(URL, "Film", "video/mp4", "video", FEATURES, 123, 3661.5, "1920x1080")
    resource = parsed(media).find(RES)
    assert resource is not None
    assert resource.text == URL
    assert resource.attrib == {
        "protocolInfo": f"http-get:*:video/mp4:{FEATURES}",
        "size": "123",
        "duration": "1:01:01.500",
        "resolution": "1920x1080",
    }


def test_subtitles_stand_in_each_of_the_four_ways() -> None:
    subtitles = Subtitles(URL.replace("mp4", "srt"), "text/srt", "en")
    text = didl(Media(URL, "Film", "video/mp4", "video", subtitles=(subtitles,)))
    assert text.count(subtitles.url) == 4
    defusedxml.ElementTree.fromstring(text)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0:00:00.000"), (59.9996, "0:01:00.000"), (36_000, "10:00:00.000")]
)
def test_times_are_written_as_the_standard_has_them(seconds: float, written: str) -> None:
    assert clock(seconds) == written


def test_what_a_sink_takes() -> None:
    sink = sink_types(
        [
            "http-get:*:video/x-mkv:*",
            "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3",
            "rtsp-rtp-udp:*:video/mp4:*",
            "x",
        ]
    )
    assert takes(sink, "video/x-matroska")
    assert takes(sink, "audio/mpeg")
    assert not takes(sink, "video/mp4")
    assert not takes(sink, "image/jpeg")
    assert takes(frozenset(), "video/mp4")
    assert takes(sink_types(["http-get:*:*:*"]), "video/mp4")
