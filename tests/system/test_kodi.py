"""Kodi, the real program, as a TV of the house: finds Mantel, opens folders, plays, stops, goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.kodi import Kodi
from tests.system.people import Phone
from tests.system.test_tv import LONG_FILM, asked_by, library
from tests.system.test_tv_and_phone import Home

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.timeout(400)]

__all__ = ["library"]


@pytest.fixture
def home(tmp_path: Path, library: Path) -> Iterator[Home]:
    found = Home(tmp_path, library)
    with found.house:
        found.start()
        yield found
    assert "Traceback" not in found.log.read_text()


def seconds(time: dict[str, int]) -> float:
    return time["hours"] * 3600 + time["minutes"] * 60 + time["seconds"] + time["milliseconds"] / 1000


def test_kodi_finds_it_plays_and_tells_where_it_stopped(home: Home, tmp_path: Path) -> None:
    phone = Phone(home.house.phone, home.page)
    film = next(one for one in phone.files(13) if one["name"].startswith(LONG_FILM[-1]))
    with asked_by(home.house.tv, tmp_path / "asked"), Kodi(home.house.tv, tmp_path) as kodi:
        servers = kodi.until(lambda: kodi.inside("upnp://"))
        (name,) = servers
        assert name.startswith("Mantel")
        (asking,) = kodi.inside(servers[name])
        (tv,) = phone.ask("GET", "/tvs")["items"]
        assert (tv["family"], tv["state"]) == ("kodi", "asking")
        assert asking.endswith(tv["code"])
        phone.ask("POST", "/tvs/allow", {"code": tv["code"]})

        place = servers[name]
        for folder in LONG_FILM[:-1]:
            # Kodi keeps what it has seen of a folder until the server tells that it has changed.
            kodi.until(lambda place=place, folder=folder: folder in kodi.inside(place))
            place = kodi.inside(place)[folder]
        path = kodi.inside(place)[LONG_FILM[-1]]
        kodi.ask("Player.Open", item={"file": path})
        player = kodi.until(lambda: kodi.ask("Player.GetActivePlayers"))[0]["playerid"]

        def now() -> float:
            return seconds(kodi.ask("Player.GetProperties", playerid=player, properties=["time"])["time"])

        kodi.until(lambda: now() > 1)
        total = kodi.ask("Player.GetProperties", playerid=player, properties=["totaltime"])["totaltime"]
        assert seconds(total) > 1900
        kodi.ask("Player.Seek", playerid=player, value={"time": {"hours": 0, "minutes": 20, "seconds": 0}})
        kodi.until(lambda: now() > 1201)
        kodi.ask("Player.PlayPause", playerid=player)
        stopped = now()
        kodi.ask("Player.Stop", playerid=player)

        # UpdateObject: the phone goes on where Kodi stopped.
        kept = kodi.until(lambda: phone.ask("GET", f"/files/{film['id']}/position")["seconds"])
        assert kept == pytest.approx(stopped, abs=3)
        # And the other way round, in a list that Kodi has not kept.
        phone.ask("PUT", f"/files/{film['id']}/position", {"seconds": 600})
        views = kodi.inside(kodi.inside(servers[name])["Videos"])
        films = kodi.ask(
            "Files.GetDirectory",
            directory=views["All videos"],
            media="video",
            properties=["resume", "runtime"],
        )["files"]
        (shown,) = (one for one in films if one["label"] == LONG_FILM[-1])
        print("Kodi stopped at", stopped, "the phone was told", kept, "and Kodi is told", shown["resume"])
        assert shown["resume"]["position"] == 600
