"""What a TV is told of each file and gets when it follows up: DIDL-Lite over a real library, on the wire."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.appliance.lan.test_listener import DC, DIDL, House, allowed, house
from tests.appliance.library.conftest import put, settle
from tests.media import film, photo, song

__all__ = ["allowed", "house"]

UPNP = "{urn:schemas-upnp-org:metadata-1-0/upnp/}"
SEC = "{http://www.sec.co.kr/}"
PV = "{http://www.pv.com/pvns/}"
DLNA = "{urn:schemas-dlna-org:metadata-1-0/}"

LINES = {
    "utf-16": ("Где ты был всю ночь?", "srt"),
    "utf-8": ("Wo warst du denn? – Zu Hause …", "vtt"),
    "cp1252": ("Où étais-tu, garçon? Très drôle, l’été passé à la maison.", "srt"),
    "shift_jis": ("昨日はどこにいたのですか。私はずっと家で待っていました。", "srt"),
    "cp1251": ("Где ты был всю ночь? Я ждал тебя дома и не спал.", "ass"),
}
ASS = "[Events]\nFormat: Layer, Start, End, Style, Text\n"


def subtitle(kind: str, line: str) -> str:
    if kind == "ass":
        return ASS + f"Dialogue: 0,0:00:01.00,0:00:02.00,Default,{{\\i1}}{line}\n" * 4
    head, dot = ("WEBVTT\n\n", ".") if kind == "vtt" else ("1\n", ",")
    return head + f"00:00:01{dot}000 --> 00:00:02{dot}000\n{line}\n\n" * 4


async def item(house: House, view: str, title: str, agent: str = "") -> Any:
    if agent:
        house.http.headers["User-Agent"] = agent
    found = (await house.browse(view))[0]
    return next(one for one in found if one.findtext(f"{DC}title") == title)


async def fetched(house: House, url: str, **headers: str) -> tuple[bytes, Any]:
    async with house.http.get(url, headers=headers) as answer:
        assert answer.status == 200, (url, answer.status)
        return await answer.read(), answer.headers


async def test_subtitles_of_any_encoding_reach_a_tv_in_utf_8_in_all_four_ways(
    allowed: House, root: Path
) -> None:
    for encoding, (line, kind) in LINES.items():
        put(root, f"Films/{encoding}.mp4", b"x" * 20)
        put(root, f"Films/{encoding}.{kind}", subtitle(kind, line).encode(encoding))
    await settle(allowed.library)
    await allowed.told()
    for encoding, (line, _) in LINES.items():
        one = await item(allowed, "videos/all", encoding)
        res = one.findall(f"{DIDL}res")
        by_type = {r.get("protocolInfo").split(":")[2]: r.text for r in res[1:]}
        attributes = res[0].attrib
        assert attributes[f"{PV}subtitleFileType"] == "SRT"
        _, headers = await fetched(allowed, res[0].text, **{"getCaptionInfo.sec": "1"})
        srt = {
            one.findtext(f"{SEC}CaptionInfoEx"),
            one.findtext(f"{SEC}CaptionInfo"),
            attributes[f"{PV}subtitleFileUri"],
            headers["CaptionInfo.sec"],
            by_type["text/srt"],
        }
        assert len(srt) == 1, "one address, told in four ways"
        assert one.find(f"{SEC}CaptionInfoEx").get(f"{SEC}type") == "srt"
        text, headers = await fetched(allowed, srt.pop())
        assert headers["Content-Type"] == "text/srt; charset=utf-8"
        assert line in text.decode("utf-8-sig"), encoding
        smi, headers = await fetched(allowed, by_type["smi/caption"])
        assert headers["Content-Type"] == "smi/caption; charset=utf-8"
        assert line in smi.decode(), encoding


async def test_the_track_that_is_called_as_the_film_comes_first(allowed: House, root: Path) -> None:
    for name, line in (("Summer.de", "deutsch"), ("Summer.en", "english")):
        put(root, f"Films/{name}.srt", subtitle("srt", line).encode())
    await settle(allowed.library)
    await allowed.told()
    one = await item(allowed, "videos/all", "Summer")
    res = one.findall(f"{DIDL}res")
    texts = [(await fetched(allowed, e.text))[0].decode() for e in one.findall(f"{SEC}CaptionInfoEx")]
    assert ["Grüße" in texts[0], "deutsch" in texts[1], "english" in texts[2]] == [True] * 3
    _, headers = await fetched(allowed, res[0].text, **{"getCaptionInfo.sec": "1"})
    assert "Grüße" in (await fetched(allowed, headers["CaptionInfo.sec"]))[0].decode()


async def test_real_media_are_told_and_served_with_all_that_is_known(allowed: House, root: Path) -> None:
    """Made by ffmpeg and Pillow, described by the probe."""
    put(root, "Films/Real.mp4", film())
    put(root, "Music/Real.mp3", song())
    put(root, "Photos/Wide.jpg", photo(1600, 900, taken="2024:07:01 12:30:00"))
    put(root, "Photos/Turned.jpg", photo(1600, 900, orientation=6))
    await settle(allowed.library)
    while await allowed.library._describe._step():
        pass
    await allowed.told()
    await all_that_is_known(allowed)
    await pictures_of_every_size(allowed)


async def all_that_is_known(described: House) -> None:
    one = await item(described, "videos/all", "Real")
    res = one.find(f"{DIDL}res")
    body, headers = await fetched(described, res.text, **{"getcontentFeatures.dlna.org": "1"})
    assert int(res.get("size")) == len(body)
    assert re.fullmatch(r"0:00:04\.\d{3}", res.get("duration"))
    assert res.get("resolution") == "320x180"
    assert int(res.get("bitrate")) == pytest.approx(len(body) / 4, rel=0.05)
    protocol, network, mime, features = res.get("protocolInfo").split(":")
    assert (protocol, network, mime) == ("http-get", "*", "video/mp4")
    assert features == headers["contentFeatures.dlna.org"]
    assert features == "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000" + "0" * 24
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.findtext(f"{DC}date"))

    one = await item(described, "music/all", "Long Song")
    res = one.find(f"{DIDL}res")
    assert "DLNA.ORG_PN=MP3;" in res.get("protocolInfo")
    assert (res.get("sampleFrequency"), res.get("nrAudioChannels")) == ("44100", "1")
    assert one.findtext(f"{DC}creator") == one.findtext(f"{UPNP}artist") == "Sigrún"
    assert one.findtext(f"{UPNP}album") == "Tromsø"

    one = await item(described, "photos/all", "Wide")
    assert one.findtext(f"{DC}date") == "2024-07-01"
    assert "DLNA.ORG_PN=JPEG_LRG;" in one.find(f"{DIDL}res").get("protocolInfo")
    assert one.find(f"{DIDL}res").get("resolution") == "1600x900"


async def pictures_of_every_size(described: House) -> None:
    boxes = {"JPEG_TN": (160, 160), "JPEG_SM": (640, 480), "JPEG_MED": (1024, 768), "JPEG_LRG": (4096, 4096)}
    for view, title in (
        ("photos/all", "Wide"),
        ("photos/all", "Turned"),
        ("videos/all", "Real"),
        ("music/all", "Long Song"),
    ):
        one = await item(described, view, title)
        arts = one.findall(f"{UPNP}albumArtURI")
        assert arts[-1].get(f"{DLNA}profileID") == "JPEG_TN", "TVs show the last one (jellyfin#1380)"
        told = [(art.text, art.get(f"{DLNA}profileID"), None) for art in arts]
        if view == "photos/all":
            renditions = one.findall(f"{DIDL}res")[1:]
            assert {re.search(r"PN=(\w+)", r.get("protocolInfo"))[1] for r in renditions} == {
                "JPEG_TN", "JPEG_SM", "JPEG_MED"
            }  # fmt: skip
            for res in renditions:
                name = re.search(r"PN=(\w+);DLNA.ORG_OP=01;DLNA.ORG_CI=1", res.get("protocolInfo"))[1]
                told.append((res.text, name, res.get("resolution")))
        for url, name, resolution in told:
            data, headers = await fetched(described, url, **{"getcontentFeatures.dlna.org": "1"})
            assert f"DLNA.ORG_PN={name};" in headers["contentFeatures.dlna.org"]
            assert (headers["Content-Type"], headers["transferMode.dlna.org"]) == (
                "image/jpeg",
                "Interactive",
            )
            with Image.open(io.BytesIO(data)) as image:
                assert image.format == "JPEG"
                assert image.width <= boxes[name][0]
                assert image.height <= boxes[name][1]
                if resolution:
                    assert f"{image.width}x{image.height}" == resolution, name
                if title == "Turned":
                    assert image.height > image.width, "upright"


async def test_the_type_is_the_same_in_the_list_and_in_the_answer(allowed: House, root: Path) -> None:
    put(root, "Films/Box.mkv", b"x" * 30)
    await settle(allowed.library)
    await allowed.told()
    for agent, mime in (("curl/8", "video/x-matroska"), ("SEC_HHP_[TV]UE40D7000/1.0", "video/x-mkv")):
        one = await item(allowed, "videos/all", "Box", agent)
        res = one.find(f"{DIDL}res")
        assert res.get("protocolInfo").split(":")[2] == mime
        _, headers = await fetched(allowed, res.text)
        assert headers["Content-Type"] == mime
