"""Each family's real requests against the real server: what it asks, and the answers that it needs."""

from __future__ import annotations

import html
import io
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image
from sqlalchemy import select

from appliance.library.facts import Facts
from appliance.library.tables import files
from appliance.threads import in_thread
from dlna.clients.recognise import FAMILIES
from tests.appliance.lan.replays import REPLAYS, Replay
from tests.appliance.lan.test_listener import CDS, DC, DIDL, House, house
from tests.appliance.library.conftest import put, settle

__all__ = ["house"]

UPNP = "{urn:schemas-upnp-org:metadata-1-0/upnp/}"
SEC = "{http://www.sec.co.kr/}"
PV = "{http://www.pv.com/pvns/}"
AV = "{urn:schemas-sony-com:av}"


@dataclass
class Device:
    """A device at an address of its own, 127.0.0.x, that writes its requests as it does."""

    replay: Replay
    address: str
    port: int

    def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[str, dict[str, str], bytes]:
        """(status line, headers by lower-case name, body)."""
        lines = [f"{method} {path} {self.replay.http}", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() != "connection"]
        lines += ["Connection: close"] + ([f"Content-Length: {len(body)}"] if body else [])
        with socket.socket() as sock:
            sock.settimeout(20)
            sock.bind((self.address, 0))
            sock.connect(("127.0.0.1", self.port))
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        head, _, rest = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        return status, {f.partition(":")[0].lower(): f.partition(":")[2].strip() for f in fields}, rest

    def call(self, action: str, **arguments: Any) -> tuple[bytes, dict[str, str]]:
        """(the answer as it came, its values)."""
        inside = "".join(f"<{k}>{html.escape(str(v))}</{k}>" for k, v in arguments.items())
        element = (
            f'<u:{action} xmlns:u="{CDS}">{inside}</u:{action}>'
            if inside
            else f'<u:{action} xmlns:u="{CDS}"/>'
        )
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
            f"<s:Body>{element}</s:Body></s:Envelope>"
        ).encode()
        headers = {
            **self.replay.call,
            "SOAPACTION": f'"{CDS}#{action}"',
            "CONTENT-TYPE": 'text/xml; charset="utf-8"',
        }
        status, _, answer = self.send("POST", "/control/ContentDirectory", headers, body)
        assert " 200 OK" in status, (self.replay.family, action, answer)
        return answer, {e.tag.rpartition("}")[2]: e.text or "" for e in fromstring(answer).iter()}

    def browse(self, object_id: str, flag: str = "BrowseDirectChildren") -> list[Any]:
        _, got = self.call(
            "Browse",
            ObjectID=object_id,
            BrowseFlag=flag,
            Filter=self.replay.wanted,
            StartingIndex=0,
            RequestedCount=self.replay.count,
            SortCriteria=self.replay.sort,
        )
        found = list(fromstring(got["Result"]))
        assert int(got["NumberReturned"]) == len(found)
        return found

    def path(self, res: Any) -> str:
        return "/" + res.text.partition("//")[2].partition("/")[2]


@dataclass
class Seen:
    """What one device got to see."""

    device: Device
    description: str
    films: dict[str, Any]
    head: dict[str, dict[str, str]]

    def res(self, title: str, n: int = 0) -> Any:
        return self.films[title].findall(f"{DIDL}res")[n]

    def types(self, title: str) -> list[str]:
        return [r.get("protocolInfo").split(":")[2] for r in self.films[title].findall(f"{DIDL}res")]


def samsung(seen: Seen, unit: int = 1) -> None:
    assert "DCM10" in seen.description
    assert seen.types("Box")[0] == "video/x-mkv"
    assert seen.head["Box"]["content-type"] == "video/x-mkv"
    assert seen.head["Summer"]["captioninfo.sec"].endswith("/media.srt")
    assert seen.head["Summer"]["mediainfo.sec"] == "SEC_Duration=90000;"
    assert f"BM={60 * unit}" in seen.films["Summer"].findtext(f"{SEC}dcmInfo")
    assert seen.device.browse("V")[0].get("parentID").partition("#")[0] == "videos"


def samsung_new(seen: Seen) -> None:
    samsung(seen, 1000)
    assert "#" in seen.films["Summer"].get("id"), "an id that changes with the file"
    plain = seen.films["Summer"].get("id").partition("#")[0]
    assert seen.device.browse(seen.films["Summer"].get("id"), "BrowseMetadata")[0].get("id").startswith(plain)
    assert seen.films["Summer"].findtext(f"{DC}title") == "Summer", (
        "no extension in a title (rclone 328ac017c)"
    )


def samsung_player(seen: Seen) -> None:
    assert seen.types("Summer") == ["video/mp4"], "no captions among the resources"
    assert "DLNA.ORG_PN" not in seen.res("Summer").get("protocolInfo")


def lg(seen: Seen) -> None:
    assert "DLNA.ORG_PN" not in seen.res("Summer").get("protocolInfo")
    assert "DLNA.ORG_OP=01" in seen.head["Summer"]["contentfeatures.dlna.org"]
    assert "DLNA.ORG_FLAGS=21700000" in seen.head["Summer"]["contentfeatures.dlna.org"]
    assert seen.head["Summer"]["transfermode.dlna.org"] == "Streaming"
    assert seen.head["Summer"]["realtimeinfo.dlna.org"] == "DLNA.ORG_TLAG=*"
    arts = seen.films["Summer"].findall(f"{UPNP}albumArtURI")
    assert arts[-1].attrib.popitem()[1] == "JPEG_TN"


def lg_old(seen: Seen) -> None:
    assert "Summer." in seen.films, "a dot, or the captions are not shown"
    assert "Box" in seen.films
    assert seen.res("Summer.").get(f"{PV}subtitleFileType") == "SRT"


def bravia(seen: Seen) -> None:
    assert "Windows Media Player Sharing" in seen.description
    assert seen.films["Summer"].findtext(f"{AV}mediaClass") == "V"
    assert "video/mpeg:DLNA.ORG_PN=AVC_TS_HD_50_AC3_ISO" in seen.res("Recorded").get("protocolInfo")
    assert seen.head["Recorded"]["content-type"] == "video/mpeg"
    assert "AVC_TS_HD_50_AC3_ISO" in seen.head["Recorded"]["contentfeatures.dlna.org"]
    assert "video/vnd.dlna.mpeg-tts:DLNA.ORG_PN=AVC_TS_HD_50_AC3_T" in seen.res("Camera").get("protocolInfo")
    assert "DLNA.ORG_PN=AVC_MP4_MP_SD_AAC_MULT5" in seen.res("Summer").get("protocolInfo")


def bravia_xr(seen: Seen) -> None:
    assert "DLNA.ORG_FLAGS" not in seen.res("Summer").get("protocolInfo")
    assert "DLNA.ORG_FLAGS" not in seen.head["Summer"]["contentfeatures.dlna.org"]


def sony_player(seen: Seen) -> None:
    assert seen.types("Box")[0] == seen.types("Old")[0] == "video/divx"
    assert seen.films["Summer"].find(f"{DC}date") is None


def panasonic(seen: Seen) -> None:
    assert seen.res("Summer").get(f"{PV}subtitleFileUri").endswith(".srt")
    assert list(seen.films) == sorted(seen.films), "sorted for it, though it asks for nothing"
    assert seen.films["Summer"].find(f"{DC}date") is None


def philips(seen: Seen) -> None:
    assert seen.head["Summer"]["captioninfo.sec"].endswith("/media.srt")


def xbox_360(seen: Seen) -> None:
    assert ": 1</friendlyName>" in seen.description
    assert "<modelNumber>1</modelNumber>" in seen.description
    assert seen.types("Old")[0] == "video/avi"
    titles = [one.findtext(f"{DC}title") for one in seen.device.browse("15")]
    assert titles, "video folders by the number that it knows"
    for number in ("4", "5", "6", "7", "8", "B", "14", "16"):
        seen.device.browse(number)
    _, got = seen.device.call(
        "Search", ContainerID="7", SearchCriteria='(upnp:class = "object.container.album.musicAlbum")',
        Filter="*", StartingIndex=0, RequestedCount=1000, SortCriteria="+dc:title",
    )  # fmt: skip
    assert [one.findtext(f"{DC}title") for one in fromstring(got["Result"])] == ["Nord"]


def xbox_one(seen: Seen) -> None:
    assert "Windows Media Player Sharing" in seen.description
    assert seen.types("Summer") == ["video/mp4"], "it shows no subtitles of any kind"


def playstation_3(seen: Seen) -> None:
    assert seen.types("Old")[0] == "video/divx"


def one_caption(seen: Seen) -> None:
    assert seen.types("Summer") == ["video/mp4", "text/srt"], "each track once"


def kodi(seen: Seen) -> None:
    one_caption(seen)
    assert seen.films["Summer"].findtext(f"{UPNP}lastPlaybackPosition") == "60"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen.films["Summer"].findtext(f"{DC}date"))
    item = seen.films["Summer"].get("id")
    seen.device.call(
        "UpdateObject",
        ObjectID=item,
        CurrentTagValue="<upnp:lastPlaybackPosition>60</upnp:lastPlaybackPosition>",
        NewTagValue="<upnp:lastPlaybackPosition>70</upnp:lastPlaybackPosition>",
    )
    found = seen.device.browse(item, "BrowseMetadata")[0]
    assert found.findtext(f"{UPNP}lastPlaybackPosition") == "70"
    seen.device.call(
        "UpdateObject",
        ObjectID=item,
        CurrentTagValue="<upnp:lastPlaybackPosition>70</upnp:lastPlaybackPosition>",
        NewTagValue="<upnp:lastPlaybackPosition>60</upnp:lastPlaybackPosition>",
    )


def yamaha(seen: Seen) -> None:
    answer, _ = seen.device.call(
        "Browse", ObjectID="music/all", BrowseFlag="BrowseDirectChildren", Filter="*", StartingIndex=0,
        RequestedCount=0, SortCriteria="",
    )  # fmt: skip
    assert answer.isascii()
    assert b"Sigr&#250;n" in answer


def radio(seen: Seen) -> None:
    answer, _ = seen.device.call("GetSystemUpdateID")
    assert answer.startswith(b"<s:Envelope")


def technisat(seen: Seen) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", seen.films["Summer"].findtext(f"{DC}date"))


def default(seen: Seen) -> None:
    assert seen.types("Summer") == ["video/mp4", "text/srt", "smi/caption"]


NEEDS: dict[str, Callable[[Seen], None]] = {
    "samsung": samsung,
    "samsung-new": samsung_new,
    "samsung-player": samsung_player,
    "lg": lg,
    "lg-old": lg_old,
    "sony-bravia": bravia,
    "sony-bravia-xr": bravia_xr,
    "sony-player": sony_player,
    "panasonic": panasonic,
    "philips": philips,
    "netfront": lambda seen: None,
    "xbox-360": xbox_360,
    "xbox-one": xbox_one,
    "playstation-3": playstation_3,
    "playstation-4": default,
    "roku": one_caption,
    "vlc": one_caption,
    "kodi": kodi,
    "bubbleupnp": one_caption,
    "yamaha": yamaha,
    "radio": radio,
    "technisat": technisat,
    "default": default,
}


async def furnish(house: House, root: Path) -> None:
    """Films, a song and a photo, described; and a place where somebody stopped."""
    for name in ("Box.mkv", "Old.avi", "Recorded.ts", "Camera.m2ts"):
        put(root, f"Films/{name}", b"x" * 5000)
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), "red").save(picture, "JPEG")
    put(root, "Photos/Beach.jpg", picture.getvalue())
    await settle(house.library)
    h264 = {"video": "h264", "videoProfile": "Main", "videoLevel": "3.0", "frameRate": 25.0}
    aac = {"audio": "aac", "audioProfile": "LC", "audioChannels": 2, "audioSampleRate": 48000}
    described = {
        "Summer.mp4": {"codecs": {"container": "mp4", **h264, **aac}, "resolution": "640x480"},
        "Recorded.ts": {"codecs": {"container": "mpegts", **h264, "audio": "ac3"}, "resolution": "1920x1080"},
        "Camera.m2ts": {"codecs": {"container": "mpegts", **h264, "audio": "ac3"}, "resolution": "1920x1080"},
        "Song.mp3": {"tags": {"title": "Nordlys", "artist": "Sigrún", "album": "Nord"}},
    }
    async with house.database.read() as connection:
        rows = (await connection.execute(select(files))).all()
    facts = [
        Facts(row.id, row.size_bytes, row.mtime_ns, duration_sec=90.0, bitrate=800_000, **described[row.name])  # type: ignore[arg-type]
        for row in rows
        if row.name in described
    ]
    await house.library.write_facts(facts)
    await house.told()
    summer = next(row.id for row in rows if row.name == "Summer.mp4")
    await house.journal.set_position("mira", summer, 60)
    house.listener.tvs.open_to_all(True)


def visit(device: Device) -> Seen:
    """What a device does when somebody picks a film: it reads who we are, walks the tree, looks, fetches."""
    replay = device.replay
    status, headers, body = device.send("GET", "/description.xml", replay.describe)
    assert "200 OK" in status, (replay.family, status)
    assert headers["content-type"] == 'text/xml; charset="utf-8"'
    assert fromstring(body).findtext(".//{*}UDN").startswith("uuid:")
    for path in re.findall(rb"<SCPDURL>([^<]+)", body):
        assert "200 OK" in device.send("GET", path.decode(), replay.describe)[0]
    for action in replay.extra_calls:
        device.call(action)
    root = device.browse("0", "BrowseMetadata")[0]
    children = device.browse("0")
    assert int(root.get("childCount")) == len(children)
    assert all(int(one.get("childCount")) > 0 for one in children), (
        "a true childCount, or the folder is empty"
    )
    videos = next(one for one in children if one.findtext(f"{DC}title") == "Videos")
    every = next(one for one in device.browse(videos.get("id")) if one.findtext(f"{DC}title") == "All videos")
    films = {one.findtext(f"{DC}title"): one for one in device.browse(every.get("id"))}
    assert len(films) == 5
    heads = {}
    for title, one in films.items():
        res = one.find(f"{DIDL}res")
        path = device.path(res)
        assert "?" not in path
        status, head, nothing = device.send("HEAD", path, replay.fetch)
        assert ("200 OK" in status, nothing) == (True, b""), (replay.family, title, status)
        assert head["contentfeatures.dlna.org"] == res.get("protocolInfo").split(":", 3)[3]
        assert head["content-type"] == res.get("protocolInfo").split(":")[2]
        assert head["accept-ranges"] == "bytes"
        status, got, data = device.send("GET", path, {**replay.fetch, "Range": "bytes=100-199"})
        assert "206 Partial Content" in status, (replay.family, title, status)
        assert got["content-range"] == f"bytes 100-199/{head['content-length']}"
        assert len(data) == 100
        heads[title] = head
    if replay.search:
        _, got = device.call(
            "Search", ContainerID="0", SearchCriteria=replay.search, Filter=replay.wanted, StartingIndex=0,
            RequestedCount=replay.count, SortCriteria="",
        )  # fmt: skip
        assert got["TotalMatches"] == "1", replay.search
    return Seen(device, body.decode(), films, heads)


async def test_every_family_gets_what_it_needs(house: House, root: Path) -> None:
    """One device after the other on one server, each at an address of its own."""
    await furnish(house, root)
    for number, replay in enumerate(REPLAYS, 10):
        device = Device(replay, f"127.0.0.{number}", house.listener.port)
        seen = await in_thread(visit, device)
        try:
            await in_thread(NEEDS[replay.family], seen)
        except AssertionError as error:
            raise AssertionError(f"{replay.family} ({replay.source})") from error
        tv = next(tv for tv in house.listener.tvs.all() if tv.address == device.address)
        assert tv.family == replay.family
    assert {replay.family for replay in REPLAYS} >= {
        client.family for client in FAMILIES if client.family not in ("samsung-a", "asus")
    }


@pytest.mark.parametrize("replay", [r for r in REPLAYS if r.family == "samsung-new"][:1])
async def test_a_family_outlives_a_restart(house: House, root: Path, replay: Replay) -> None:
    """A TV that wakes up and fetches at once, before it says again who it is."""
    await furnish(house, root)
    device = Device(replay, "127.0.0.9", house.listener.port)
    await in_thread(visit, device)
    await house.listener.stop()
    await house.listener.start()
    server = house.listener.server
    assert server
    assert server.recogniser.client("127.0.0.9", {"user-agent": "samsung-agent/1.1"}).family == replay.family


async def test_a_renderer_that_tells_its_model_is_known_by_it(house: House) -> None:
    house.listener.describe("127.0.0.1", "LG Electronics", "LG TV", "LG WebOSTV DMRplus")
    server = house.listener.server
    assert server
    assert server.recogniser.client("127.0.0.1", {"user-agent": "UPnP/1.0 DLNADOC/1.50"}).family == "lg"
