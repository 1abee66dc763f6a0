"""Each family is recognised by what its devices really say, and stays what it is.

Where a string comes from stands beside it: the projects that recorded it from devices.
"""

from __future__ import annotations

import pytest

from dlna.clients.client import Hints
from dlna.clients.recognise import Recogniser, family_of
from dlna.description import description
from dlna.device import Device

SAID: list[tuple[str, dict[str, str], str]] = [
    ("samsung", {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"}, "minidlna clients.c"),
    ("samsung", {"user-agent": "DLNADOC/1.50 SEC_HHP_ Family TV/1.0"}, "UMS renderer tests"),
    ("samsung-new", {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0"}, "gerbera"),
    ("samsung-new", {"user-agent": "DLNADOC/1.50 SEC_HHP_Samsung QN90AA 50 TV/1.0"}, "UMS"),
    ("samsung-player", {"user-agent": "DLNADOC/1.50 SEC_HHP_[BD]J5500/1.0"}, "minidlna"),
    ("samsung-player", {"user-agent": "SEC_HHP_BD-D5100/1.0"}, "minidlna"),
    (
        "lg-old",
        {"user-agent": "Linux/2.6.18 UPnP/1.0 LGE_DLNA_SDK/1.6.0 [TV][LG]42UB820V-ZH/04.02.00 DLNADOC/1.50"},
        "UMS",
    ),
    ("samsung-a", {"user-agent": "SamsungWiselinkPro/1.0"}, "minidlna"),
    ("samsung", {"user-agent": "SEC_HHP_TV-40C7000/1.0"}, "dms"),
    ("samsung-new", {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung TU7000 (55)/1.0"}, "UMS"),
    ("asus", {"user-agent": "O!Play HDP-R1"}, "minidlna"),
    (
        "sony-bravia-xr",
        {"user-agent": "UPnP/1.0", "x-av-physical-unit-info": 'pa="BRAVIA XR-55X90K";'},
        "UMS#4279",
    ),
    (
        "lg",
        {"user-agent": "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 WebAppManager"},
        "UMS PR 4032",
    ),
    ("lg", {"user-agent": "LGE WebOS TV LGE_DLNA_SDK/1.6.0/04.30.13 DLNADOC/1.50"}, "UMS LG-OLED.conf"),
    ("lg", {"dlnadevicename.lge.com": "%5bLG%5d%20webOS%20TV%20LQ63006LA"}, "UMS LG-TV-2025+.conf"),
    (
        "sony-bravia",
        {
            "user-agent": "UPnP/1.0 DLNADOC/1.50",
            "x-av-client-info": 'av=5.0; cn="Sony Corporation"; mn="BRAVIA KDL-40EX503"; mv="1.7"',
        },
        "minidlna",
    ),
    (
        "sony-player",
        {"x-av-client-info": 'av=5.0; cn="Sony Corporation"; mn="Blu-ray Disc Player"; mv="2.0"'},
        "minidlna",
    ),
    (
        "playstation-3",
        {"x-av-client-info": 'av=5.0; cn="Sony Computer Entertainment Inc."; mn="PLAYSTATION 3"; mv="1.0"'},
        "minidlna",
    ),
    (
        "playstation-4",
        {"user-agent": "PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)"},
        "UMS PS4.conf",
    ),
    ("panasonic", {"user-agent": "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50"}, "minidlna"),
    ("philips", {"user-agent": "Allegro-Software-WebClient/4.61 DLNADOC/1.00"}, "UMS"),
    ("philips", {"user-agent": "49PUS8503/12"}, "UMS"),
    ("netfront", {"user-agent": "IPI/1.0 UPnP/1.0 DLNADOC/1.50"}, "minidlna"),
    ("xbox-360", {"user-agent": "Xbox/2.0.8955.0 UPnP/1.0 Xbox/2.0.8955.0"}, "minidlna"),
    ("xbox-one", {"user-agent": "NSPlayer/12.00.9600.16411 WMFSDK/12.00.9600.16411"}, "UMS"),
    ("roku", {"user-agent": "Roku/DVP-8.0 (308.00E04156A)"}, "UMS Roku-TV8.conf"),
    ("vlc", {"user-agent": "Linux/3.13.0-68-generic, UPnP/1.0, Portable SDK for UPnP devices/1.6.6"}, "UMS"),
    ("vlc", {"user-agent": "VLC/3.0.19 LibVLC/3.0.19"}, "seen"),
    ("kodi", {"user-agent": "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"}, "gerbera"),
    ("bubbleupnp", {"user-agent": "Android/13 UPnP/1.0 BubbleUPnP/4.3.1"}, "UMS"),
    ("default", {"user-agent": "curl/8"}, "none of them"),
]


@pytest.mark.parametrize(("family", "headers", "source"), SAID)
def test_a_device_is_recognised_by_its_own_words(family: str, headers: dict[str, str], source: str) -> None:
    assert family_of(Hints(headers)).family == family, source


def test_a_family_is_not_given_up_for_plainer_words() -> None:
    known = Recogniser()
    known.client("10.0.0.2", {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0"})
    for later in ("samsung-agent/1.1", "", "Lavf/58"):
        assert known.client("10.0.0.2", {"user-agent": later}).family == "samsung-new"
    assert known.client("10.0.0.3", {"user-agent": "Lavf/58"}).family == "default"


def test_a_description_tells_more_than_a_plain_user_agent() -> None:
    known = Recogniser()
    known.describe("10.0.0.2", "LG Electronics", "LG TV", "webOS")
    assert known.client("10.0.0.2", {"user-agent": "UPnP/1.0 DLNADOC/1.50"}).family == "lg"


def test_samsung_and_xbox_hear_the_description_that_they_need() -> None:
    device = Device("uuid:1", 'Shelf & "Co"', "0.1")
    samsung = description(device, family_of(Hints({"user-agent": "SEC_HHP_[TV]UE40D7000/1.0"}))).decode()
    xbox = description(device, family_of(Hints({"user-agent": "Xbox/2.0.8955.0"}))).decode()
    assert "<sec:ProductCap>smi,DCM10" in samsung
    assert "Windows Media Player Sharing" in xbox
    assert "Shelf &amp; &quot;Co&quot;" in samsung
