"""SOAP, SSDP, DIDL, search criteria, the page's JSON and its queries: nearly right, a great many of each.

Each is read, or refused by the one error that says so; what is written is read back; memory stays flat.
"""

from __future__ import annotations

import contextlib
import gc
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from appliance.accounts.caller import Caller, Role, Via
from appliance.errors import MantelError
from appliance.journal.reading import read_wanted
from appliance.journal.routes import read_pings
from appliance.library.facts import Facts, read_facts
from appliance.library.query import read_query
from dlna import didl, search_criteria, soap, ssdp_messages
from dlna.catalog import Container, Item, MediaKind, Picture, Resource, Viewer
from dlna.clients.recognise import DEFAULT, FAMILIES
from dlna.content_directory import sort_keys
from dlna.device import CONTENT_DIRECTORY, Device
from dlna.errors import UpnpError
from dlna.scpd import load
from tests.campaigns import INPUTS, SEED
from tests.campaigns.fuzz import bent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + INPUTS // 200)]

DEVICE = Device("uuid:6d6d1b9e-2f0a-4f3e-9a55-000000000001", "Shelf", "0.1")
NOW = 1_764_000_000_000
GROWTH = 16 * 1024
"""KiB of resident memory that may come after the first tenth: caches have a limit, allocators keep some."""
HEADERS = (f'"{CONTENT_DIRECTORY}#Search"', f"{CONTENT_DIRECTORY}#Browse", "a#b")
CALL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<u:{{0}} xmlns:u="{CONTENT_DIRECTORY}">{{1}}</u:{{0}}></s:Body></s:Envelope>'
)
ARGUMENTS = (
    "<ContainerID>0</ContainerID><SearchCriteria>*</SearchCriteria><Filter>*</Filter>"
    "<StartingIndex>0</StartingIndex><RequestedCount>5</RequestedCount><SortCriteria>+dc:title</SortCriteria>",
    "<ObjectID>i5</ObjectID><BrowseFlag>BrowseMetadata</BrowseFlag><Filter>res@size</Filter>"
    "<StartingIndex>0</StartingIndex><RequestedCount>0</RequestedCount><SortCriteria/>",
)
CALLS = (
    *(CALL.format(name, some) for name, some in zip(("Search", "Browse"), ARGUMENTS, strict=True)),
    '<?xml version="1.0" encoding="utf-16"?><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
)
SEARCHES = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 3\r\n'
    "ST: ssdp:all\r\n\r\n",
    f"M-SEARCH * HTTP/1.1\r\nMAN: ssdp:discover\r\nST: {CONTENT_DIRECTORY}\r\n\r\n",
    "NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\nNT: upnp:rootdevice\r\n\r\n",
)
CRITERIA = (
    'dc:title contains "a" and (upnp:class derivedfrom "object.item" or res@size > "1")',
    '(upnp:class = "object.item.videoItem") and (dc:date >= "2001-01-01")',
    '@refID exists false and upnp:artist doesNotContain "\\"x\\\\"',
    "(" * 40 + 'a = "1"' + ")" * 40,
)
FILTERS = ("*", "dc:title,res,res@size", "upnp:albumArtURI,@childCount")
SORTS = ("+dc:title,-dc:date", "+upnp:originalTrackNumber", "-res@duration,+dc:creator")
TITLES = ("Film", "<a>&amp;\x00]]>", "Ünï \ud800\ufffe 😀", "a\r\nb\tc", "x" * 900)
PINGS = (
    '{"events": [{"fileId": "abc", "type": "playing", "position": 1.5, "rate": 1, '
    '"at": "2026-01-01T00:00:00Z"}]}',
    '{"events": [{"fileId": "abc", "type": "seeked", "position": 1e309, "rate": NaN}]}',
    '{"events": []}',
)
FACTS = (
    '{"fileId": "0123456789abcdef", "size": 5, "mtimeNs": "1764000000000000000", "durationSec": 5.5, '
    '"rotation": 90, "resolution": "1920x1080", "codecs": {"video": "h264", "frameRate": 25}, '
    '"tags": {"artist": "A"}, '
    '"takenAt": "2024-07-01T12:30:00", "subtitles": [{"codec": "subrip", "language": "nor", "title": ""}]}',
    '{"fileId": "0123456789abcdef", "size": 9223372036854775807, "mtimeNs": 9999999999999999999, '
    '"broken": true}',
)
QUERIES = {
    "query": ("spidr man", "*", '"'),
    "type": ("video", "audio,image"),
    "since": ("24h", "7d", "2026-01-01", "2026-01-01T00:00:00+14:00", "99999999w"),
    "min_size": ("0", "9223372036854775807"),
    "sort": ("-created_at", "name"),
    "page": ("1", "1000000"),
    "page_size": ("60", "0"),
    "uploader": ("me", "u1"),
}
LOG_QUERIES = {
    "user": ("u1",),
    "action": ("VIEW", "STREAM,DOWNLOAD"),
    "since": ("24h", "2026-01-01"),
    "until": ("2026-01-01T00:00:00Z", "1h"),
    "before": ("1", "4611686018427387905"),
    "limit": ("100", "0"),
    "q": ("10.0.0.1",),
    "format": ("json", "csv"),
}


def resident() -> int:
    """KiB (proc(5), VmRSS)."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def hunt(attempt: Callable[[random.Random], None]) -> None:
    """INPUTS times; fails where more is held in the end than after the first tenth."""
    dice = random.Random(SEED)
    before = 0
    for number in range(INPUTS):
        attempt(dice)
        if number == INPUTS // 10:
            before = resident()
    assert resident() < before + GROWTH


def bent_query(dice: random.Random, seeds: Mapping[str, Sequence[str]]) -> dict[str, str]:
    names = dice.sample(list(seeds), dice.randint(1, 4))
    return {name if dice.random() < 0.95 else bent(dice, (name,)): bent(dice, seeds[name]) for name in names}


def test_calls() -> None:
    service = load("ContentDirectory")
    codes: set[int] = set()

    def attempt(dice: random.Random) -> None:
        try:
            call = soap.read_call(bent(dice, CALLS).encode("utf-8", "surrogatepass"), bent(dice, HEADERS))
            if call.action in service.actions:
                service.actions[call.action].check(call.arguments)
        except UpnpError as error:
            codes.add(error.code)
            fromstring(soap.fault(error))

    hunt(attempt)
    assert codes <= {401, 402, 600, 601, 603, 604, 605}


def test_datagrams() -> None:
    def attempt(dice: random.Random) -> None:
        message = ssdp_messages.read(bent(dice, SEARCHES).encode("utf-8", "surrogatepass"))
        if message is None:
            return
        assert 0 <= ssdp_messages.patience(message) <= 5
        if ssdp_messages.is_search(message):
            for target, usn in ssdp_messages.matches(DEVICE, message.headers.get("st", "")):
                said = ssdp_messages.answer(DEVICE, "http://10.0.0.1:8200/d.xml", 1, target, usn)
                assert said.count(b"\r\n\r\n") == 1, "a header ends the answer"

    hunt(attempt)


def test_criteria_and_sorting() -> None:
    viewer = Viewer("10.0.0.2", "lan0", DEFAULT, host="10.0.0.1:8200")
    codes: set[int] = set()
    values = {"dc:title": ("A film",), "upnp:class": ("object.item.videoItem",), "res@size": ("5",)}

    def attempt(dice: random.Random) -> None:
        try:
            criteria = search_criteria.parse(bent(dice, CRITERIA))
        except search_criteria.BadCriteria:
            pass
        else:
            search_criteria.properties(criteria)
            search_criteria.matches(criteria, lambda name: values.get(name, ()))
        try:
            sort_keys(bent(dice, SORTS), viewer)
        except UpnpError as error:
            codes.add(error.code)

    hunt(attempt)
    assert codes == {709}


def test_objects() -> None:
    def attempt(dice: random.Random) -> None:
        viewer = Viewer("10.0.0.2", "lan0", dice.choice((DEFAULT, *FAMILIES)), host="10.0.0.1:8200")
        title, artist = bent(dice, TITLES), bent(dice, TITLES)
        film = Item(
            "i1",
            "0",
            title,
            MediaKind.VIDEO,
            (Resource("/m/x/media.mp4", "video/mp4", 5, dice.random() * 1e6, "1920x1080", 100),),
            artist=artist,
            description=artist,
            pictures=(Picture("/m/x/media.jpg", "image/jpeg", "JPEG_TN"),),
        )
        wanted = didl.Filter.read(bent(dice, FILTERS))
        root = fromstring(didl.document([Container("c1", "0", title, 3), film], viewer, wanted))
        assert [one.tag.rpartition("}")[2] for one in root] == ["container", "item"]

    hunt(attempt)


def test_pings_and_facts() -> None:
    phone = Caller("u1", "mira", Role.VIEWER, Via.COOKIE, device="d1", address="10.0.0.3", user_agent="Phone")

    def attempt(dice: random.Random) -> None:
        read, seeds = dice.choice(((lambda told: read_pings(told, phone), PINGS), (read_facts, FACTS)))
        with contextlib.suppress(ValueError, RecursionError):  # no JSON is refused before these
            told = json.loads(bent(dice, seeds))
            try:
                found = read(told)
            except MantelError:
                return
            except (ValueError, RecursionError) as error:
                raise AssertionError(told) from error
            if isinstance(found, Facts):
                assert -(1 << 63) <= found.mtime_ns < 1 << 63, "no database holds it"
            else:
                json.dumps([entry.row(1) for entry in found], allow_nan=False)

    hunt(attempt)


def test_queries() -> None:
    def attempt(dice: random.Random) -> None:
        with contextlib.suppress(MantelError):
            query, page, size = read_query(bent_query(dice, QUERIES), "u1", NOW)
            assert 0 <= query.offset == (page - 1) * size < 1 << 63
        with contextlib.suppress(MantelError):
            read_wanted(bent_query(dice, LOG_QUERIES), NOW)

    hunt(attempt)
