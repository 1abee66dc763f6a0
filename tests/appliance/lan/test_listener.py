"""The LAN listener over a real library: a TV asks, is allowed, browses, plays, is blocked."""

from __future__ import annotations

import asyncio
import html
import io
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image
from sqlalchemy import select

from appliance.accounts.caller import Audience
from appliance.accounts.keys import load_keys
from appliance.database import Database
from appliance.errors import NotFound
from appliance.journal.journal import Journal
from appliance.journal.tables import access_log
from appliance.lan.app import LanListener
from appliance.lan.tv import State
from appliance.library.library import Library
from appliance.settings import read_settings
from appliance.streaming import zero_copy
from appliance.streaming.subtitles import Subtitles
from tests.appliance.library.conftest import put, settle

DIDL = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}"
DC = "{http://purl.org/dc/elements/1.1/}"
CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"
FILM = bytes(range(256)) * 400


class House:
    """One listener on `lo` and a TV's HTTP client."""

    def __init__(self, listener: LanListener, library: Library, journal: Journal, database: Database) -> None:
        self.listener, self.library, self.journal, self.database = listener, library, journal, database
        self.http = aiohttp.ClientSession()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"

    async def call(self, action: str, **arguments: Any) -> tuple[int, dict[str, str]]:
        inside = "".join(f"<{k}>{html.escape(str(v))}</{k}>" for k, v in arguments.items())
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<u:{action} xmlns:u="{CDS}">{inside}</u:{action}></s:Body></s:Envelope>'
        )
        headers = {"SOAPACTION": f'"{CDS}#{action}"', "Content-Type": "text/xml"}
        url = f"{self.base}/control/ContentDirectory"
        async with self.http.post(url, data=body, headers=headers) as answer:
            root = fromstring(await answer.read())
            return answer.status, {e.tag.rpartition("}")[2]: e.text or "" for e in root.iter()}

    async def browse(self, object_id: str, start: int = 0, count: int = 0, sort: str = "") -> tuple[Any, int]:
        status, got = await self.call(
            "Browse", ObjectID=object_id, BrowseFlag="BrowseDirectChildren", Filter="*",
            StartingIndex=start, RequestedCount=count, SortCriteria=sort,
        )  # fmt: skip
        assert status == 200, got
        return list(fromstring(got["Result"])), int(got["TotalMatches"])

    async def told(self) -> None:
        """Once the listener has heard of the library's last change."""
        revision = await self.library.revision()
        async with asyncio.timeout(5):
            while self.listener.catalog.revision < revision:
                await asyncio.sleep(0.01)

    async def titles(self, object_id: str) -> list[str]:
        return [one.findtext(f"{DC}title") for one in (await self.browse(object_id))[0]]


@pytest.fixture
async def house(database: Database, root: Path, tmp_path: Path) -> AsyncIterator[House]:
    journal = Journal(database)
    await journal.start()
    library = Library(database, journal, [root], state=tmp_path / "state")
    await library.adopt_roots()
    put(root, "Films/Summer.mp4", FILM)
    put(root, "Films/Summer.srt", b"1\n00:00:01,000 --> 00:00:02,000\nGr\xfc\xdfe\n")
    put(root, "Music/Song.mp3", b"ID3" + b"x" * 100)
    put(root, "Music/Notes.pdf", b"%PDF-")
    put(root, "Photos/Beach.jpg", b"\xff\xd8\xff" + b"x" * 100)
    await settle(library)
    settings = replace(
        read_settings({"MANTEL_STATE": str(tmp_path / "state"), "MANTEL_INTERFACES": "lo"}), lan_port=0
    )
    subtitles = Subtitles(library, tmp_path / "cache")
    keys = load_keys(tmp_path / "keys")
    listener = LanListener(settings, database, library, journal, keys, subtitles)
    await listener.start()
    made = House(listener, library, journal, database)
    yield made
    await made.http.close()
    await listener.stop()
    await journal.stop()
    await library.stop()


@pytest.fixture
async def allowed(house: House) -> House:
    await house.browse("0")
    tv = house.listener.tvs.all()[0]
    await house.listener.tvs.allow(tv.code, None)
    return house


async def film_url(house: House) -> str:
    items, _ = await house.browse("videos/all")
    return str(items[0].findtext(f"{DIDL}res"))


async def test_an_unknown_tv_sees_one_entry_with_its_code(house: House) -> None:
    entries, total = await house.browse("0")
    tv = house.listener.tvs.all()[0]
    assert total == 1
    assert tv.code in entries[0].findtext(f"{DC}title")
    status, got = await house.call(
        "Search", ContainerID="0", SearchCriteria="*", Filter="*", StartingIndex=0, RequestedCount=0,
        SortCriteria="",
    )  # fmt: skip
    assert (status, got["TotalMatches"]) == (200, "0")
    status, got = await house.call(
        "Browse", ObjectID="videos/all", BrowseFlag="BrowseDirectChildren", Filter="*", StartingIndex=0,
        RequestedCount=0, SortCriteria="",
    )  # fmt: skip
    assert (status, got["errorCode"]) == (500, "701")


async def test_a_film_leaves_without_being_copied(allowed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    really = zero_copy.Wire.send

    async def counted(wire: zero_copy.Wire, fd: int, offset: int, count: int, sent: Any) -> None:
        taken.append(count)
        await really(wire, fd, offset, count, sent)

    monkeypatch.setattr(zero_copy.Wire, "send", counted)
    async with allowed.http.get(await film_url(allowed), headers={"Range": "bytes=7-"}) as answer:
        assert await answer.read() == FILM[7:]
    assert taken == [len(FILM) - 7]


async def test_a_description_tells_the_family_of_a_plain_user_agent(allowed: House) -> None:
    allowed.listener.describe("127.0.0.1", "Samsung Electronics", "UE40D7000", "Samsung TV DMR")
    async with allowed.http.get(f"{allowed.base}/description.xml") as answer:
        assert "sec:ProductCap" in await answer.text()


async def test_a_wrong_code_allows_nobody(house: House) -> None:
    await house.browse("0")
    code = house.listener.tvs.all()[0].code
    with pytest.raises(NotFound):
        await house.listener.tvs.allow(f"{(int(code) + 1) % 10_000:04}", None)
    assert house.listener.tvs.all()[0].state is State.ASKING


async def test_an_allowed_tv_browses_folders_and_views(allowed: House) -> None:
    assert await allowed.titles("0") == ["Folders", "Videos", "Music", "Photos"]
    assert await allowed.titles("folders") == ["Films", "Music", "Photos"]
    music = next(one for one in (await allowed.browse("folders"))[0] if one.findtext(f"{DC}title") == "Music")
    assert music.get("childCount") == "1"  # the document is not for TVs
    assert await allowed.titles(music.get("id")) == ["Song"]
    assert await allowed.titles("videos/all") == ["Summer"]
    assert await allowed.titles("music/all") == ["Song"]
    years = (await allowed.browse("photos/years"))[0]
    months = (await allowed.browse(years[0].get("id")))[0]
    assert await allowed.titles(months[0].get("id")) == ["Beach"]


async def test_every_child_count_is_true(allowed: House) -> None:
    waiting, seen = ["0"], 0
    while waiting:
        for one in (await allowed.browse(waiting.pop()))[0]:
            if one.tag == f"{DIDL}container":
                seen += 1
                _, total = await allowed.browse(one.get("id"))
                assert int(one.get("childCount")) == total, one.get("id")
                waiting.append(one.get("id"))
    assert seen > 15


async def test_a_film_is_fetched_by_ranges_and_becomes_a_span(allowed: House) -> None:
    url = await film_url(allowed)
    assert re.search(r"/m/[A-Za-z0-9._-]+/media\.mp4$", url)
    async with allowed.http.get(url, headers={"Range": "bytes=1000-", "getCaptionInfo.sec": "1"}) as answer:
        assert answer.status == 206
        assert await answer.read() == FILM[1000:]
        names = [name.decode() for name, _ in answer.raw_headers]
        assert {"Content-Range", "transferMode.dlna.org", "contentFeatures.dlna.org"} <= set(names)
        caption = answer.headers["CaptionInfo.sec"]
    async with allowed.http.get(caption) as answer:
        assert answer.headers["Content-Type"] == "text/srt; charset=utf-8"
        assert "Grüße" in (await answer.read()).decode("utf-8")
    async with allowed.http.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(FILM)))
    await allowed.journal._flush(final=True)
    async with allowed.database.read() as connection:
        rows = (await connection.execute(select(access_log).where(access_log.c.action == "STREAM"))).all()
    assert [(row.bytes_served, row.payload["source"], row.payload["firstByte"]) for row in rows] == [
        (len(FILM) - 1000, "tv", 1000)
    ]
    assert rows[0].device == f"tv-{allowed.listener.tvs.all()[0].id}"


async def test_a_time_seek_is_406_and_a_forged_path_403(allowed: House) -> None:
    url = await film_url(allowed)
    async with allowed.http.get(url, headers={"TimeSeekRange.dlna.org": "npt=5-"}) as answer:
        assert answer.status == 406
    async with allowed.http.get(url.replace("/media", "x/media")) as answer:
        assert answer.status == 403


async def test_a_blocked_tv_loses_its_running_film(allowed: House, root: Path) -> None:
    put(root, "Films/Summer.mp4", b"x" * 80_000_000)
    await settle(allowed.library)
    url = await film_url(allowed)
    answer = await allowed.http.get(url)
    await answer.content.read(1000)
    tv = allowed.listener.tvs.all()[0]
    await allowed.listener.tvs.change(tv.id, state=State.BLOCKED)
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(10):
            while await answer.content.read(1 << 20):
                pass
    async with allowed.http.get(url) as answer:
        assert answer.status == 403


async def test_a_tv_limited_to_a_folder_sees_that_alone(allowed: House) -> None:
    folders = (await allowed.browse("folders"))[0]
    music = next(one for one in folders if one.findtext(f"{DC}title") == "Music")
    tv = allowed.listener.tvs.all()[0]
    await allowed.listener.tvs.change(tv.id, folders=(music.get("id").removeprefix("folder/"),))
    assert await allowed.titles("folders") == ["Music"]
    assert await allowed.titles("videos/all") == []


async def test_a_photo_comes_in_the_sizes_that_its_profiles_promise(allowed: House, root: Path) -> None:
    Image.new("RGB", (900, 1600), "#B8400E").save(root / "Photos/Tall.jpg")
    os.utime(root / "Photos/Tall.jpg", (1_700_000_000, 1_700_000_000))
    await settle(allowed.library)
    items, _ = await allowed.browse("photos/all")
    tall = next(one for one in items if one.findtext(f"{DC}title") == "Tall")
    boxes = {"JPEG_MED": (1024, 768), "JPEG_SM": (640, 480), "JPEG_TN": (160, 160)}
    seen = set()
    for res in tall.findall(f"{DIDL}res")[1:]:
        name = re.search(r"DLNA.ORG_PN=(\w+);.*CI=1", res.get("protocolInfo"))[1]
        async with allowed.http.get(res.text) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            size = Image.open(io.BytesIO(await answer.read())).size
        assert size[0] <= boxes[name][0]
        assert size[1] <= boxes[name][1]
        seen.add(name)
    assert seen == set(boxes)


async def test_bookmarks_come_back(allowed: House) -> None:
    item = (await allowed.browse("videos/all"))[0][0]
    status, got = await allowed.call(
        "X_SetBookmark", CategoryType=0, RID=0, ObjectID=item.get("id"), PosSecond=90
    )
    assert status == 200, got
    file_id = item.get("id").rpartition("$")[2]
    assert await allowed.journal.position("household", file_id) == 90
    assert "Continue watching" in await allowed.titles("videos")


async def test_a_list_that_was_given_before_is_given_anew_once_anything_differs(
    allowed: House, root: Path
) -> None:
    """Answers, items and lists are kept; each of these changes has to be seen at the next call."""
    assert await allowed.titles("videos/all") == ["Summer"] == await allowed.titles("videos/all")
    put(root, "Films/Winter.mp4", FILM)
    await settle(allowed.library)
    await allowed.told()
    assert await allowed.titles("videos/all") == ["Summer", "Winter"]
    item = (await allowed.browse("videos/all"))[0][0]
    file_id = item.get("id").rpartition("$")[2]
    assert await allowed.titles("0") == ["Folders", "Videos", "Music", "Photos"]
    await allowed.journal.set_favourite("somebody", file_id, True)
    assert "Favourites" in await allowed.titles("0")
    await allowed.journal.set_favourite("somebody", file_id, False)
    assert "Favourites" not in await allowed.titles("0")
    await allowed.journal.set_position("somebody", file_id, 90)
    assert "Continue watching" in await allowed.titles("videos")
    await allowed.library.change(file_id, frozenset(Audience), name="Autumn.mp4")
    await allowed.told()
    assert await allowed.titles("videos/all") == ["Autumn", "Winter"]
    put(root, "Films/Winter.en.srt", b"1\n00:00:01,000 --> 00:00:02,000\nSnow\n")
    await settle(allowed.library)
    await allowed.told()
    winter = (await allowed.browse("videos/all"))[0][1]
    assert winter.find("{http://www.sec.co.kr/}CaptionInfoEx") is not None
    tv = allowed.listener.tvs.all()[0]
    await allowed.listener.tvs.change(tv.id, state=State.BLOCKED)
    assert await allowed.titles("0") == ["This TV is blocked"]


async def test_search_by_the_whole_grammar(allowed: House) -> None:
    for criteria, total in (
        ('upnp:class derivedfrom "object.item.videoItem"', "1"),
        ('dc:title contains "sum" and (res@size > "1000" or dc:title = "x")', "1"),
        ('upnp:class derivedfrom "object.item.audioItem" and @refID exists false', "1"),
        ("*", "3"),
    ):
        status, got = await allowed.call(
            "Search", ContainerID="0", SearchCriteria=criteria, Filter="*", StartingIndex=0,
            RequestedCount=0, SortCriteria="+dc:title",
        )  # fmt: skip
        assert (status, got["TotalMatches"]) == (200, total), criteria


async def test_the_name_survives_a_restart_and_the_boot_id_rises(house: House) -> None:
    async with house.http.get(f"{house.base}/description.xml") as answer:
        before = fromstring(await answer.read()).findtext(".//{*}UDN")
    boot = house.listener.server.ssdp.boot_id if house.listener.server and house.listener.server.ssdp else 0
    await house.listener.stop()
    await house.listener.start()
    async with house.http.get(f"{house.base}/description.xml") as answer:
        assert fromstring(await answer.read()).findtext(".//{*}UDN") == before
    if boot:
        assert house.listener.server.ssdp.boot_id > boot  # type: ignore[union-attr]


async def test_an_upload_reaches_a_subscribed_tv(allowed: House, root: Path) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(request: aiohttp.web.Request) -> aiohttp.web.Response:
        heard.put_nowait((await request.read()).decode())
        return aiohttp.web.Response()

    app = aiohttp.web.Application()
    app.router.add_route("NOTIFY", "/", hear)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    headers = {"CALLBACK": f"<http://127.0.0.1:{port}/>", "NT": "upnp:event", "TIMEOUT": "Second-300"}
    url = f"{allowed.base}/events/ContentDirectory"
    async with allowed.http.request("SUBSCRIBE", url, headers=headers) as answer:
        assert (answer.status, answer.headers["TIMEOUT"]) == (200, "Second-300")
        assert answer.headers["SID"].startswith("uuid:")
    assert "SystemUpdateID" in await asyncio.wait_for(heard.get(), 5)
    put(root, "Films/New.mp4", b"x" * 10, age=60)
    began = time.monotonic()
    await settle(allowed.library)
    assert "ContainerUpdateIDs" in await asyncio.wait_for(heard.get(), 5)
    assert time.monotonic() - began < 30
    foreign = {**headers, "CALLBACK": "<http://10.9.9.9:80/>"}
    async with allowed.http.request("SUBSCRIBE", url, headers=foreign) as answer:
        assert answer.status == 412
    await runner.cleanup()
