"""ContentDirectory on the wire over a real library: every action and fault, bytes as old TVs like them."""

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from appliance.lan.tv import State
from dlna.catalog import Away
from tests.appliance.lan.test_listener import CDS, DC, DIDL, House, allowed, house
from tests.appliance.library.conftest import put, settle

__all__ = ["allowed", "house"]

BROWSE = {
    "ObjectID": "0",
    "BrowseFlag": "BrowseDirectChildren",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}
SEARCH = {
    "ContainerID": "0",
    "SearchCriteria": "*",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}


async def raw(
    house: House, body: bytes, action: str, *, head: str = "", service: str = CDS
) -> tuple[str, str]:
    """(head, body) exactly as they came over the socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.listener.port)
    path = "/control/" + service.split(":")[-2]
    writer.write(
        (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{house.listener.port}\r\nConnection: close\r\n"
            f'SOAPACTION: "{service}#{action}"\r\nContent-Type: text/xml; charset="utf-8"\r\n'
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        + body
    )
    answer = (await reader.read()).decode()
    writer.close()
    found, _, rest = answer.partition("\r\n\r\n")
    return found, rest


def envelope(action: str, arguments: dict[str, Any], service: str = CDS) -> bytes:
    inside = "".join(f"<{k}>{html.escape(str(v))}</{k}>" for k, v in arguments.items())
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<u:{action} xmlns:u="{service}">{inside}</u:{action}></s:Body></s:Envelope>'
    ).encode()


async def test_every_action_answers_in_the_order_of_its_scpd(allowed: House) -> None:
    """The list that a server needs to equal the best; all three services."""
    film = (await allowed.browse("videos/all"))[0][0].get("id")
    given: dict[str, dict[str, dict[str, Any]]] = {
        "urn:schemas-upnp-org:service:ContentDirectory:1": {
            "Browse": BROWSE,
            "Search": SEARCH,
            "GetSearchCapabilities": {},
            "GetSortCapabilities": {},
            "GetSortExtensionCapabilities": {},
            "GetSystemUpdateID": {},
            "GetFeatureList": {},
            "X_GetFeatureList": {},
            "X_SetBookmark": {"CategoryType": 0, "RID": 0, "ObjectID": film, "PosSecond": 40},
            "UpdateObject": {
                "ObjectID": film,
                "CurrentTagValue": "",
                "NewTagValue": "<upnp:lastPlaybackPosition>50</upnp:lastPlaybackPosition>",
            },
        },
        "urn:schemas-upnp-org:service:ConnectionManager:1": {
            "GetProtocolInfo": {},
            "GetCurrentConnectionIDs": {},
            "GetCurrentConnectionInfo": {"ConnectionID": 0},
        },
        "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1": {
            "IsAuthorized": {"DeviceID": ""},
            "IsValidated": {"DeviceID": ""},
            "RegisterDevice": {"RegistrationReqMsg": ""},
        },
    }
    for service, actions in given.items():
        name = service.split(":")[-2]
        scpd = allowed.listener.server._services[name].scpd  # type: ignore[union-attr]
        assert set(scpd.actions) == set(actions), "each action of the SCPD is called here"
        for action, arguments in actions.items():
            body = envelope(action, arguments, service)
            head, answer = await raw(allowed, body, action, service=service)
            assert head.startswith("HTTP/1.1 200 OK\r\n"), (action, answer)
            element = fromstring(answer)[0][0]
            assert element.tag == f"{{{service}}}{action}Response"
            assert tuple(child.tag for child in element) == scpd.actions[action].outputs, action


async def test_the_bytes_are_those_that_old_tvs_want(allowed: House, root: Path) -> None:
    put(root, 'Films/Tom & "Jerry" <1>\'s.mp4', b"x" * 10)
    await settle(allowed.library)
    head, body = await raw(allowed, envelope("Browse", {**BROWSE, "ObjectID": "videos/all"}), "Browse")
    lines = head.split("\r\n")
    names = [line.partition(":")[0] for line in lines[1:]]
    assert lines[0] == "HTTP/1.1 200 OK"
    assert {"Content-Type", "Content-Length", "EXT", "Server", "Date"} <= set(names)
    assert "Transfer-Encoding" not in names
    assert f"Content-Length: {len(body.encode())}" in lines
    assert "&amp;quot;" in body
    assert not re.search(r"&(amp;)?#", body), "named entities only (rclone 8502532c2)"
    assert re.search(r"UPnP/1\.[01]", next(line for line in lines if line.startswith("Server:")))
    for bad, line in (("GET", "405 Method Not Allowed"), ("POST", "400 Bad Request")):
        reader, writer = await asyncio.open_connection("127.0.0.1", allowed.listener.port)
        host = f"Host: 127.0.0.1:{allowed.listener.port}\r\nConnection: close\r\n\r\n"
        writer.write(f"{bad} /control/ContentDirectory HTTP/1.1\r\n{host}".encode())
        assert (await reader.read()).decode().startswith(f"HTTP/1.1 {line}\r\n")
        writer.close()


START_1 = {**BROWSE, "BrowseFlag": "BrowseMetadata", "StartingIndex": 1}
DEEP = "(" * 40 + 'dc:title = "x"' + ")" * 40
MARK = {"CategoryType": 0, "RID": 0, "ObjectID": "item$0", "PosSecond": 1}
UPDATE = {"ObjectID": "0", "CurrentTagValue": "", "NewTagValue": "x"}
FAULTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("no such action", "Format", {}, 401),
    ("an argument too few", "Browse", {k: v for k, v in BROWSE.items() if k != "Filter"}, 402),
    ("an argument too many", "Browse", {**BROWSE, "Colour": "red"}, 402),
    ("a number that is none", "Browse", {**BROWSE, "StartingIndex": "first"}, 402),
    ("a number below its range", "Browse", {**BROWSE, "StartingIndex": "-1"}, 601),
    ("a number above its range", "Browse", {**BROWSE, "RequestedCount": "4294967296"}, 601),
    ("a value that is not in the list", "Browse", {**BROWSE, "BrowseFlag": "BrowseAll"}, 601),
    ("metadata from the middle", "Browse", START_1, 402),
    ("an object that is not there", "Browse", {**BROWSE, "ObjectID": "folder/nowhere"}, 701),
    ("a view that is not there", "Browse", {**BROWSE, "ObjectID": "photos/years/1066"}, 701),
    ("its metadata", "Browse", {**BROWSE, "ObjectID": "item$0", "BrowseFlag": "BrowseMetadata"}, 701),
    ("a sort by nothing known", "Browse", {**BROWSE, "SortCriteria": "+upnp:colour"}, 709),
    ("a sort with two signs", "Browse", {**BROWSE, "SortCriteria": "+-dc:title"}, 709),
    ("a sort that is no list", "Search", {**SEARCH, "SortCriteria": "dc:title dc:date"}, 709),
    ("criteria that stop", "Search", {**SEARCH, "SearchCriteria": 'dc:title contains "x" and'}, 708),
    ("criteria without a value", "Search", {**SEARCH, "SearchCriteria": "dc:title ="}, 708),
    ("an unknown operator", "Search", {**SEARCH, "SearchCriteria": 'dc:title like "x"'}, 708),
    ("an unknown property", "Search", {**SEARCH, "SearchCriteria": 'upnp:colour = "red"'}, 708),
    ("a bracket too few", "Search", {**SEARCH, "SearchCriteria": '(dc:title = "x"'}, 708),
    ("too many brackets", "Search", {**SEARCH, "SearchCriteria": DEEP}, 708),
    ("a search in nothing", "Search", {**SEARCH, "ContainerID": "folder/nowhere"}, 710),
    ("a bookmark in nothing", "X_SetBookmark", MARK, 701),
    ("a bookmark next year", "X_SetBookmark", {**MARK, "PosSecond": 99999999}, 601),
    ("an update of nothing", "UpdateObject", UPDATE, 703),
    ("an update of a title", "UpdateObject", {**UPDATE, "NewTagValue": "<dc:title>Mine</dc:title>"}, 705),
]


async def test_each_malformed_call_gets_its_fault(allowed: House) -> None:
    for what, action, arguments, code in FAULTS:
        head, body = await raw(allowed, envelope(action, arguments), action)
        assert head.startswith("HTTP/1.1 500 Internal Server Error\r\n"), what
        fault = fromstring(body)[0][0]
        assert fault.findtext("faultstring") == "UPnPError", what
        assert fault.findtext(".//{urn:schemas-upnp-org:control-1-0}errorCode") == str(code), (what, body)
        assert fault.findtext(".//{urn:schemas-upnp-org:control-1-0}errorDescription"), what
    for body, action, code in (
        (b"<a", "Browse", 402),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "Browse", 402),
        (envelope("Browse", BROWSE), "Search", 401),
        (envelope("Browse", BROWSE, "urn:schemas-upnp-org:service:AVTransport:1"), "Browse", 401),
    ):
        _, answer = await raw(allowed, body, action)
        assert f"<errorCode>{code}</errorCode>" in answer


@pytest.mark.parametrize(("error", "code"), [(Away(), 720), (RuntimeError("a bug"), 501)])
async def test_what_fails_inside_is_a_fault_too(
    allowed: House, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(allowed.listener.catalog, "children", fail)
    head, body = await raw(allowed, envelope("Browse", BROWSE), "Browse")
    assert head.startswith("HTTP/1.1 500 Internal Server Error\r\n")
    assert f"<errorCode>{code}</errorCode>" in body
    assert "bug" not in body


async def test_pages_are_one_list_whatever_their_size(allowed: House, root: Path) -> None:
    for number in range(25):
        put(root, f"Films/Part {number}.mp4", b"x" * (number + 1))
    await settle(allowed.library)
    await allowed.told()
    whole, total = await allowed.browse("videos/all")
    assert total == len(whole) == 26
    for count in (1, 7, 25, 26, 100):
        found: list[str] = []
        while True:
            page, of = await allowed.browse("videos/all", start=len(found), count=count)
            assert of == total
            assert len(page) == min(count, total - len(found))
            found += [one.get("id") for one in page]
            if len(found) >= total:
                break
        assert found == [one.get("id") for one in whole]
    assert (await allowed.browse("videos/all", start=1000))[0] == []
    titles = [one.findtext(f"{DC}title") for one in whole]
    assert titles[:3] == ["Part 0", "Part 1", "Part 2"]
    assert titles[10] == "Part 10", "numbers as people count"
    down = (await allowed.browse("videos/all", sort="-dc:title"))[0]
    assert [one.findtext(f"{DC}title") for one in down] == titles[::-1]
    by_size = (await allowed.browse("videos/all", sort="-res@size"))[0]
    sizes = [int(one.find(f"{DIDL}res").get("size")) for one in by_size]
    assert sizes == sorted(sizes, reverse=True)


async def test_a_filter_leaves_out_what_it_does_not_name(allowed: House) -> None:
    async def first(wanted: str) -> Any:
        status, got = await allowed.call("Browse", **{**BROWSE, "ObjectID": "videos/all", "Filter": wanted})
        assert status == 200
        return fromstring(got["Result"])[0]

    bare = await first("")
    assert {child.tag for child in bare} == {f"{DC}title", "{urn:schemas-upnp-org:metadata-1-0/upnp/}class"}
    sized = await first("res@size")
    assert sized.find(f"{DIDL}res").get("size")
    assert "duration" not in sized.find(f"{DIDL}res").attrib
    assert (await first("*")).findtext(f"{DC}date")
    assert (await first("dc:date,res")).findtext(f"{DC}date")


async def test_ids_that_old_clients_use(allowed: House) -> None:
    """An empty id is the root (rclone 3e9e29ba8); an Xbox says ContainerID in Browse."""
    root = await allowed.titles("0")
    assert await allowed.titles("") == root
    given = {("ContainerID" if k == "ObjectID" else k): v for k, v in BROWSE.items()}
    status, got = await allowed.call("Browse", **given)
    assert status == 200
    assert [one.findtext(f"{DC}title") for one in fromstring(got["Result"])] == root
    metadata = {**BROWSE, "BrowseFlag": "BrowseMetadata"}
    status, got = await allowed.call("Browse", **metadata)
    container = fromstring(got["Result"])[0]
    assert (container.get("id"), container.get("parentID"), container.get("restricted")) == ("0", "-1", "1")
    assert int(container.get("childCount")) == len(root)


async def test_most_popular_is_there_while_the_daemon_is(allowed: House) -> None:
    film = (await allowed.browse("videos/all"))[0][0].get("id").rpartition("$")[2]
    there = True
    shelf = allowed.listener.catalog._shelf
    shelf._plays_counted = lambda: there
    assert "Most popular this week" not in await allowed.titles("0")
    await allowed.journal.set_popularity([(film, 3)])
    assert "Most popular this week" in await allowed.titles("0")
    assert await allowed.titles("popular") == ["Summer"]
    there = False
    assert "Most popular this week" not in await allowed.titles("0")


async def test_favourites_and_positions_are_those_of_the_tvs_person(allowed: House, root: Path) -> None:
    put(root, "Films/Winter.mp4", b"y" * 100)
    await settle(allowed.library)
    await allowed.told()
    summer, winter = [one.get("id").rpartition("$")[2] for one in (await allowed.browse("videos/all"))[0]]
    await allowed.journal.set_favourite("mira", summer, True)
    await allowed.journal.set_favourite("jon", winter, True)
    await allowed.journal.set_position("mira", winter, 100)
    await allowed.journal.set_position("jon", summer, 100)
    assert sorted(await allowed.titles("favourites")) == ["Summer", "Winter"]
    tv = allowed.listener.tvs.all()[0]
    await allowed.listener.tvs.change(tv.id, state=State.ALLOWED, user_id="mira")
    assert await allowed.titles("favourites") == ["Summer"]
    assert await allowed.titles("videos/continue") == ["Winter"]
