"""Whatever arrives, the pure parts of the wire answer with a value or their own error, never another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from dlna import didl, eventing, search_criteria, soap, ssdp_messages, transfer_headers
from dlna.catalog import Caption, Container, Item, MediaKind, Picture, Resource, Viewer
from dlna.clients.client import DEFAULT, Client
from dlna.clients.kodi import KODI
from dlna.clients.recognise import FAMILIES
from dlna.clients.samsung import NEW
from dlna.content_directory import ContentDirectory
from dlna.device import Device
from dlna.errors import UpnpError
from dlna.scpd import load
from dlna.search_criteria import And, BadCriteria, Exists, Or, Relation

DEVICE = Device("uuid:6d6d1b9e-2f0a-4f3e-9a55-000000000001", "Shelf", "0.1")
anything = st.text(max_size=60) | st.text(st.characters(codec=None, max_codepoint=0x10FFFF), max_size=20)
DC = "{http://purl.org/dc/elements/1.1/}"


def outcome(ask: Callable[[], Any], error: type[Exception]) -> Any:
    """What it gives, or the one error that it may raise."""
    try:
        return ask()
    except error as raised:
        return raised


def readable(text: str) -> str:
    """What XML can carry of a title: one line, no control characters (XML 1.0 §2.2)."""
    kept = "".join(
        c
        for c in text
        if (c >= " " or c in "\t\r\n") and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"
    )
    return kept.replace("\t", " ").replace("\r", " ").replace("\n", " ")


@settings(max_examples=150)
@given(anything, anything, anything, st.sampled_from((DEFAULT, *FAMILIES)))
def test_every_object_is_read_back_by_an_xml_parser(
    title: str, artist: str, key: str, client: Client
) -> None:
    viewer = Viewer("10.0.0.2", "lan0", client, host="10.0.0.1:8200")
    one = Item(
        f"i{key}",
        key,
        title,
        MediaKind.VIDEO,
        (Resource(f"/m/{key}/media.mp4", "video/mp4", 5, 61.5, "1920x1080", 100),),
        artist=artist,
        description=artist,
        pictures=(Picture("/m/x/media.jpg", "image/jpeg", "JPEG_TN"),),
        captions=(Caption("/m/x/media.srt", "srt"),),
        position=90.0,
    )
    box = Container(key, "0", title, 3)
    root = fromstring(didl.document([box, one], viewer, didl.Filter.read("*")))
    found = [element.findtext(f"{DC}title") or "" for element in root]
    for text, is_item in zip(found, (False, True), strict=True):
        whole = readable(title).strip() or "–"
        if is_item and client.dotted_titles and "." not in whole:
            whole += "."
        told = " ".join(text.split())
        # What cannot be told is left out after the title was cut.
        assert told == " ".join(whole.split()) or (
            client.longest_title and whole.startswith(text[:10].strip())
        )
    assert root[0].get("childCount") == "3"


@given(st.text(max_size=200))
def test_a_filter_never_drops_what_is_required(text: str) -> None:
    viewer = Viewer("10.0.0.2", "lan0", DEFAULT, host="10.0.0.1:8200")
    one = Item("i", "0", "Film", MediaKind.VIDEO, (Resource("/m/a/media.mp4", "video/mp4"),))
    item = fromstring(didl.document([one], viewer, didl.Filter.read(text)))[0]
    assert item.findtext(f"{DC}title") == "Film"
    assert item.get("restricted") == "1"


@settings(max_examples=300)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_a_soap_body_is_a_call_or_a_fault(body: bytes, header: str) -> None:
    for action in (header, '"urn:x#Browse"'):
        said = outcome(lambda action=action: soap.read_call(body, action), UpnpError)
        if isinstance(said, UpnpError):
            assert said.code in (401, 402)
            fromstring(soap.fault(said))


def test_an_entity_bomb_is_a_fault() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    with pytest.raises(UpnpError, match="402"):
        soap.read_call(bomb, '"urn:x#Browse"')


@given(st.dictionaries(st.sampled_from(["ObjectID", "BrowseFlag", "StartingIndex", "Extra"]), anything))
def test_arguments_are_checked_into_values_or_faults(given_arguments: dict[str, str]) -> None:
    with pytest.raises(UpnpError, match=r"^(402|601) "):  # at least three are missing
        load("ContentDirectory").actions["Browse"].check(given_arguments)


def test_output_arguments_come_in_the_order_of_the_scpd() -> None:
    browse = ContentDirectory.scpd.actions["Browse"]
    assert browse.outputs == ("Result", "NumberReturned", "TotalMatches", "UpdateID")


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_a_datagram_is_a_message_or_nothing(data: bytes) -> None:
    for raw in (data, b"M-SEARCH * HTTP/1.1\r\n" + data):
        message = ssdp_messages.read(raw)
        if message:
            assert 0 <= ssdp_messages.patience(message) <= 5
            ssdp_messages.matches(DEVICE, message.headers.get("st", ""))
            ssdp_messages.is_search(message)


def test_a_search_is_known_however_it_is_written() -> None:
    for man in ('"ssdp:discover"', "ssdp:discover", "SSDP:Discover"):
        for mx in ("", "MX: 0", "MX: -1", "mx: 99999999999", "MX: 3", "MX: soon"):
            text = f"M-SEARCH * HTTP/1.1\r\nHost: x\r\nMan: {man}\r\n{mx}\r\nST: SSDP:ALL\r\n\r\n"
            message = ssdp_messages.read(text.encode())
            assert message
            assert ssdp_messages.is_search(message)
            assert 0 <= ssdp_messages.patience(message) <= 5
            assert len(ssdp_messages.matches(DEVICE, message.headers["st"])) == 6


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "transfermode.dlna.org",
                "timeseekrange.dlna.org",
                "getcontentfeatures.dlna.org",
                "playspeed.dlna.org",
                "realtimeinfo.dlna.org",
                "getavailableseekrange.dlna.org",
                "getmediainfo.sec",
                "getcaptioninfo.sec",
            ]
        ),
        st.sampled_from(["1", "Streaming", "Interactive", "npt=5-", "npt=9-3", "npt=1:00:00.5-", "speed=1"])
        | anything,
    ),
    st.sampled_from(list(MediaKind)),
)
def test_transfer_headers_are_accepted_or_refused(headers: dict[str, str], kind: MediaKind) -> None:
    resource = Resource("", "video/mp4", 1000, 10.0, kind=kind)
    said = transfer_headers.judge(headers, resource, DEFAULT, "http://10.0.0.1/c.srt")
    if isinstance(said, transfer_headers.Refused):
        assert said.status in (400, 406)
    else:
        assert said.headers["transferMode.dlna.org"] in ("Streaming", "Interactive", "Background")
        assert "timeseekrange.dlna.org" not in headers
        assert not any(c in value for value in said.headers.values() for c in "\r\n")


leaves = st.builds(
    Relation,
    st.sampled_from(["dc:title", "upnp:class", "res@size"]),
    st.sampled_from(search_criteria.OPERATORS),
    st.text(max_size=12),
) | st.builds(Exists, st.sampled_from(["dc:title", "@refID"]), st.booleans())
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


def written(tree: search_criteria.Criteria) -> str:
    if isinstance(tree, Relation):
        quoted = tree.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{tree.property} {tree.operator} "{quoted}"'
    if isinstance(tree, Exists):
        return f"{tree.property} exists {'true' if tree.wanted else 'false'}"
    word = " and " if isinstance(tree, And) else " or "
    return "(" + word.join(written(part) for part in tree.parts) + ")"


@given(trees)
def test_criteria_mean_what_was_written(tree: search_criteria.Criteria) -> None:
    read = search_criteria.parse(written(tree))
    for values in ({"dc:title": ["Summer"]}, {"res@size": ["5"], "upnp:class": ["object.item"]}, {}):
        look = values.get
        assert search_criteria.matches(read, lambda n, look=look: look(n, [])) == search_criteria.matches(
            tree, lambda n, look=look: look(n, [])
        )


@given(trees)
def test_what_was_written_is_read_as_the_same_tree(tree: search_criteria.Criteria) -> None:
    assert search_criteria.parse(written(tree)) == tree
    assert search_criteria.parse(f" ({written(tree)}) ") == tree


@pytest.mark.parametrize(
    ("left", "sign", "right", "fits"),
    [
        ("0:00:59.500", "<", "0:01:00", True),
        ("10:00:00.000", ">", "9:59:59", True),
        ("61", "=", "0:01:01", True),
        ("9", "<", "10", True),
        ("9x", "<", "10x", False),
        ("2024-05-01", ">=", "2024", True),
        ("Straße", "contains", "STRASSE", True),
        ("object.item.videoItem.movie", "derivedfrom", "object.item.videoItem", True),
        ("object.item.videoItemX", "derivedfrom", "object.item.videoItem", False),
    ],
)
def test_values_are_compared_as_what_they_are(left: str, sign: str, right: str, fits: bool) -> None:
    assert search_criteria.matches(Relation("x", sign, right), lambda _: [left]) is fits


@given(st.text(max_size=120) | st.text('()"\\ =andor*<>!a', max_size=80))
def test_any_criteria_are_read_or_refused(text: str) -> None:
    try:
        search_criteria.parse(text)
    except BadCriteria:
        pass


def test_and_binds_before_or() -> None:
    read = search_criteria.parse('a = "1" or b = "1" and c = "1"')
    assert isinstance(read, Or)
    assert isinstance(read.parts[1], And)


@given(anything, st.sampled_from(["10.0.0.2", "10.0.0.3"]))
def test_only_the_peer_itself_is_called_back(text: str, peer: str) -> None:
    for header in (text, f"<http://{text}/>", f"<http://10.0.0.9:80/{text}>", "<http://10.0.0.1:80/>"):
        said = outcome(
            lambda header=header: eventing.callbacks_of(header, peer, frozenset({"10.0.0.1"})),
            eventing.Refused,
        )
        if isinstance(said, eventing.Refused):
            assert said.status == 412
        else:
            assert all(f"//{peer}" in url for url in said)


def test_positions_are_told_as_each_family_wants_them() -> None:
    one = Item("i", "0", "Film", MediaKind.VIDEO, (), position=90.0)
    said = {
        client.family: didl.document(
            [one], Viewer("10.0.0.2", "lan0", client, host="h"), didl.Filter.read("*")
        )
        for client in (KODI, NEW, DEFAULT)
    }
    assert "<upnp:lastPlaybackPosition>90<" in said["kodi"]
    assert "BM=90000<" in said["samsung-new"]
    assert "BM=" not in said["default"]


def test_who_made_a_song_is_told_by_role() -> None:
    """The performer without one (many TVs read the first artist alone), then album artist and composer."""
    song = Item(
        "i", "0", "Song", MediaKind.AUDIO, (), artist="Sigrún", album_artist="Various", composer="Bach"
    )
    viewer = Viewer("10.0.0.2", "lan0", DEFAULT, host="h")
    item = fromstring(didl.document([song], viewer, didl.Filter.read("*")))[0]
    artists = item.findall("{urn:schemas-upnp-org:metadata-1-0/upnp/}artist")
    assert [(one.get("role"), one.text) for one in artists] == [
        (None, "Sigrún"),
        ("AlbumArtist", "Various"),
        ("Composer", "Bach"),
    ]
    assert item.findtext(f"{DC}creator") == "Sigrún"
