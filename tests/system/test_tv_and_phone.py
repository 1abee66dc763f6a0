"""A house of its own: a TV asks and is allowed from a phone, and both go on where the other stopped."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.parse import quote

import pytest

from tests.dlna.test_events_on_the_wire import Subscriber
from tests.dlna.test_ssdp_on_the_wire import ask
from tests.house import environment
from tests.netns import Host, House
from tests.system.people import Phone, Television, connect, request, title, url_of

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240)]

SAMSUNG = "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0"
OLD_SAMSUNG = "DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"
KODI = "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"
FILM = "The Long Way to Tromsø"


class Home:
    """The appliance on the house's server."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.variables = environment(folder, library, interfaces="lan0", bind="0.0.0.0")
        self.folder, self.log = folder, folder / "log"
        self.house = House({"lan0": ("server", "tv", "phone", "den", "attic")})
        self.process: Popen[Any] | None = None

    def start(self) -> None:
        with self.log.open("a") as output:
            command = (sys.executable, "-m", "appliance", "serve")
            self.process = self.house.server.popen(
                *command, env=self.variables, cwd=self.folder, stdout=output, stderr=output
            )

    @property
    def page(self) -> str:
        return f"http://{self.house.server.address}:{self.variables['MANTEL_HTTP_PORT']}"

    @property
    def lan(self) -> str:
        return f"http://{self.house.server.address}:{self.variables['MANTEL_LAN_PORT']}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(media, folder / "library")
    found = Home(folder, folder / "library")
    with found.house:
        found.start()
        yield found
    log = found.log.read_text()
    print(log)
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def phone(home: Home) -> Phone:
    phone = Phone(home.house.phone, home.page)
    phone.files(12)
    return phone


def allowed(home: Home, phone: Phone, host: Host, user_agent: str) -> Television:
    """A TV that an admin has let in by its code."""
    tv = Television(host, home.lan, user_agent)
    (entry,) = tv.browse("0")
    phone.ask("POST", "/tvs/allow", {"code": title(entry)[-4:]})
    return tv


def test_a_tv_asks_is_let_in_limited_and_shut_out(home: Home, phone: Phone) -> None:
    tv = Television(home.house.tv, home.lan, SAMSUNG)
    (entry,) = tv.browse("0")
    assert title(entry).startswith("Allow this TV in Mantel with the code ")
    assert tv.search("*") == []
    assert tv.call("X_SetBookmark", CategoryType=0, RID=0, ObjectID="i$x", PosSecond=5)[1]["errorCode"] in (
        "606",
        "701",
    )
    (asking,) = phone.ask("GET", "/tvs")["items"]
    assert (asking["name"], asking["state"], asking["address"]) == (
        "Samsung TV at 10.77.0.20",
        "asking",
        "10.77.0.20",
    )
    assert asking["code"] == title(entry)[-4:]
    phone.ask("POST", "/tvs/allow", {"code": asking["code"], "name": "Living room"})
    assert {"Folders", "Videos", "Music", "Photos"} <= set(tv.titles("0"))
    film, song = tv.search('dc:title contains "Tromsø"')[0], tv.browse("music/all")[0]
    assert tv.fetch(url_of(film), Range="bytes=0-9")[0] == 206

    # Nothing on this listener writes or deletes.
    for action in ("DestroyObject", "CreateObject", "ImportResource", "MoveObject"):
        assert tv.call(action, ObjectID=film.get("id"))[1]["errorCode"] == "401"
    for method in ("PUT", "DELETE", "POST", "PATCH", "MKCOL"):
        assert tv.fetch(url_of(film), method)[0] == 405
    for tag in ("dc:title", "upnp:class", "res"):
        status, said = tv.call(
            "UpdateObject",
            ObjectID=film.get("id"),
            CurrentTagValue=f"<{tag}>a</{tag}>",
            NewTagValue=f"<{tag}>b</{tag}>",
        )
        assert (status, said["errorCode"]) == (500, "705")
    assert len(phone.files(12)) == 12

    # Limited to a folder: lists, search and addresses that it still holds.
    music = next(one for one in tv.browse("folders") if title(one) == "Music")
    folder_id = music.get("id").partition("#")[0].removeprefix("folder/")
    phone.ask("PATCH", f"/tvs/{asking['id']}", {"folders": [folder_id]})
    assert tv.titles("folders") == ["Music"]
    assert tv.search('upnp:class derivedfrom "object.item.videoItem"') == []
    assert tv.call("Browse", ObjectID=film.get("id"), BrowseFlag="BrowseMetadata", Filter="*",
                   StartingIndex=0, RequestedCount=0, SortCriteria="")[1]["errorCode"] == "701"  # fmt: skip
    assert tv.fetch(url_of(film))[0] == 403
    assert tv.fetch(url_of(song))[0] == 200
    # A phone on the link may fetch what the TV was given, as long as the TV may.
    assert request(home.house.phone, "GET", url_of(song))[0] == 200

    phone.ask("PATCH", f"/tvs/{asking['id']}", {"folders": []})
    running, path = connect(tv.host, url_of(film))
    running.request("GET", path, headers={"User-Agent": SAMSUNG})
    answer = running.getresponse()
    answer.read(1000)
    phone.ask("PATCH", f"/tvs/{asking['id']}", {"state": "blocked"})
    assert tv.fetch(url_of(song))[0] == 403
    assert title(tv.browse("0")[0]) == "This TV is blocked"
    running.close()
    phone.ask("DELETE", f"/tvs/{asking['id']}")
    assert title(tv.browse("0")[0]).startswith("Allow this TV")


def test_a_subscribed_tv_hears_that_it_is_allowed_and_of_an_upload(home: Home, phone: Phone) -> None:
    tv = Television(home.house["den"], home.lan, KODI)
    (entry,) = tv.browse("0")
    ear = Subscriber(tv.host)
    status, _, _ = request(
        tv.host,
        "SUBSCRIBE",
        home.lan + "/events/ContentDirectory",
        headers={"CALLBACK": f"<{ear.url}>", "NT": "upnp:event", "TIMEOUT": "Second-300"},
    )
    assert status == 200
    ear.until_quiet()
    phone.ask("POST", "/tvs/allow", {"code": title(entry)[-4:]})
    assert ear.next()[1]["ContainerUpdateIDs"].startswith("0,")
    assert "Videos" in tv.titles("0")
    ear.until_quiet()
    song = next((home.folder / "library" / "Music").rglob("*.mp3")).read_bytes() + b"\0"
    before = tv.titles("music/all")
    began = time.monotonic()
    phone.upload("From a phone.mp3", song, "Music")
    answered = time.monotonic()
    _, told = ear.next()
    print(
        f"an upload was answered after {answered - began:.3f} s, the TV told {time.monotonic() - began:.3f} s"
    )
    assert "music/all," in told["ContainerUpdateIDs"]
    assert len(tv.titles("music/all")) == len(before) + 1
    assert int(tv.call("GetSystemUpdateID")[1]["Id"]) >= int(told["SystemUpdateID"])
    ear.close()


def position(phone: Phone, film: dict[str, Any]) -> float:
    return float(phone.ask("GET", f"/files/{film['id']}/position")["seconds"])


def test_pause_on_one_and_go_on_on_the_other(home: Home, phone: Phone) -> None:
    film = next(one for one in phone.files(12) if one["name"].startswith(FILM))
    length = film["duration_sec"]
    assert length > 20
    kodi = allowed(home, phone, home.house["den"], KODI) if "Videos" not in Television(
        home.house["den"], home.lan, KODI
    ).titles("0") else Television(home.house["den"], home.lan, KODI)  # fmt: skip
    samsung = allowed(home, phone, home.house["attic"], OLD_SAMSUNG)

    def shown(tv: Television) -> Any:
        return tv.search(f'dc:title = "{FILM}"')[0]

    assert shown(kodi) is not None
    one = shown(samsung)
    status, said = samsung.call("X_SetBookmark", CategoryType=0, RID=0, ObjectID=one.get("id"), PosSecond=9)
    assert status == 200, said
    assert position(phone, film) == 9
    phone.ask("PUT", f"/files/{film['id']}/position", {"seconds": 12.5})
    assert position(phone, film) == 12.5
    # As Kodi 20 writes it: a state of its own beside the position, its own spelling of the id.
    before, after = (
        f"<upnp:lastPlaybackPosition>{seconds}</upnp:lastPlaybackPosition>"
        f"<xbmc:lastPlayerState>{state}</xbmc:lastPlayerState>"
        for seconds, state in ((0, ""), (17, "&lt;playerstate/&gt;"))
    )
    status, said = kodi.call(
        "UpdateObject",
        ObjectID=quote(shown(kodi).get("id"), safe="") + "/",
        CurrentTagValue=before,
        NewTagValue=after + ",<upnp:playCount>1</upnp:playCount>",
    )
    assert status == 200, said
    assert position(phone, film) == 17
    # Nonsense is refused, and what lies behind the film's end is its end.
    for wrong in ("-5", "soon", "999999999"):
        status, said = samsung.call(
            "X_SetBookmark", CategoryType=0, RID=0, ObjectID=one.get("id"), PosSecond=wrong
        )
        assert status == 500, (wrong, said)
    assert position(phone, film) == 17


def doctor(home: Home) -> str:
    command = (sys.executable, "-m", "appliance", "doctor")
    done = home.house.server.run(*command, env=home.variables, cwd=home.folder, check=False)
    return next(line for line in done.stdout.splitlines() if " sent " in line and "heard" in line)


def test_the_doctor_tells_who_has_asked_on_each_interface(home: Home, phone: Phone) -> None:
    search = ('MAN: "ssdp:discover"', "MX: 0", "ST: urn:schemas-upnp-org:device:MediaServer:1")
    with ask(home.house.tv, "lan0", *search) as asking:
        assert asking.recv(4096).startswith(b"HTTP/1.1 200 OK")
    line = doctor(home)
    print(line)
    assert re.search(
        r"✓ announcing +lan0 10\.77\.0\.10: sent [1-9]\d+, heard \d+ searches, answered [1-9]\d*; "
        r"last asked: .*10\.77\.0\.20 at [\d:]{8}",
        line,
    )


def test_it_is_the_same_server_after_a_power_cut(home: Home, phone: Phone) -> None:
    tv = Television(home.house["den"], home.lan, KODI)
    described = tv.fetch(home.lan + "/description.xml")[2]
    number = int(tv.call("GetSystemUpdateID")[1]["Id"])
    shown = tv.titles("0")
    assert home.process
    home.process.kill()
    home.process.wait()
    home.start()
    Phone(home.house.phone, home.page)
    assert tv.fetch(home.lan + "/description.xml")[2] == described
    assert int(tv.call("GetSystemUpdateID")[1]["Id"]) >= number > 0
    assert tv.titles("0") == shown
