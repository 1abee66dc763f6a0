"""The appliance as installed, a TV and a phone, each on a host of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.appliance.casting.serving import serving
from tests.appliance.casting.stage import cast_receiver
from tests.dlna.casting.renderers import clip, gmediarender
from tests.house import ADMIN, PASSWORD
from tests.netns import House

pytestmark = pytest.mark.netns


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house:
        yield house


class Phone:
    """A person with the page's API."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def ask(self, method: str, path: str, **body: Any) -> Any:
        more = {} if method == "GET" else {"json": body}
        async with self.http.request(method, path, **more) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def until(self, path: str, true: Any, seconds: float = 30) -> Any:
        async with asyncio.timeout(seconds):
            while not true(answer := await self.ask("GET", path)):
                await asyncio.sleep(0.2)
        return answer


@asynccontextmanager
async def phone(house: House, url: str, username: str = ADMIN) -> AsyncIterator[Phone]:
    with house.phone.entered():
        async with aiohttp.ClientSession(url) as http:
            body = {"username": username, "password": PASSWORD}
            async with http.post("/auth/login", json=body) as answer:
                token = (await answer.json())["token"]
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
            yield Phone(http)


def showing(player: Any) -> dict[str, Any]:
    return player["showing"] or {}


async def test_a_film_plays_on_tv_and_cast_device_by_the_api(house: House, tmp_path: Path) -> None:
    clip(tmp_path / "library", "film.mp4")
    os.utime(tmp_path / "library" / "film.mp4", (1_700_000_000, 1_700_000_000))
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    cast_receiver(house, "Kitchen")
    async with serving(house, tmp_path) as url, phone(house, url) as mira:
        listing = await mira.until("/files", lambda found: found["total"] == 1)
        film = listing["items"][0]["id"]
        found = await mira.until("/players", lambda found: len(found["items"]) == 2)
        assert {p["state"] for p in found["items"]} == {"new"}
        for name in ("Living room", "Kitchen"):
            (player,) = (p for p in found["items"] if p["name"] == name)
            path = f"/players/{player['id']}"
            assert (await mira.ask("GET", f"{path}?fileId={film}"))["takes"] == {"ok": True, "why": None}
            asked = await mira.ask("GET", f"/players?fileId={film}")
            assert all(player["takes"]["ok"] for player in asked["items"])
            await mira.ask("PATCH", path, state="allowed")
            await mira.ask("POST", f"{path}/play", fileId=film, position=5)
            told = await mira.until(
                path, lambda p: showing(p).get("state") == "playing" and showing(p)["position"] >= 6
            )
            assert told["showing"]["title"] == "film"
            await mira.ask("POST", f"{path}/pause")
            await mira.until(path, lambda p: showing(p).get("state") == "paused")
            await mira.ask("POST", f"{path}/seek", position=12)
            await mira.ask("POST", f"{path}/volume", level=0.2)
            await mira.ask("POST", f"{path}/resume")
            await mira.until(path, lambda p: showing(p).get("position", 0) >= 13)
            await mira.until(path, lambda p: p["volume"] == pytest.approx(0.2, abs=0.02))
            await mira.ask("POST", f"{path}/stop")
            await mira.until(path, lambda p: p["showing"] is None)
        stopped = await mira.ask("GET", f"/files/{film}/position")
        assert 12 <= stopped["seconds"] < 25


async def test_opening_a_file_on_a_machine_that_sleeps_wakes_it(house: House, tmp_path: Path) -> None:
    library = tmp_path / "library"
    clip(library, "film.mp4", 2)
    os.utime(library / "film.mp4", (1_700_000_000, 1_700_000_000))
    async with serving(house, tmp_path, rescan_seconds="5") as url, phone(house, url) as mira:
        listing = await mira.until("/files", lambda found: found["total"] == 1)
        film = listing["items"][0]["id"]
        stream = f"/files/{film}/stream"
        mac = house.tv.mac
        machine = await mira.ask("POST", "/devices", name="Attic NAS", mac=mac, libraryRoot=str(library))
        assert machine["waking"]["state"] == "unknown"
        library.rename(tmp_path / "asleep")
        with house.tv.entered():
            card = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        card.setblocking(False)
        card.bind(("", 9))
        async with asyncio.timeout(20):
            while True:
                async with mira.http.get(stream) as answer:
                    if answer.status == 503:
                        told = await answer.json(content_type=None)
                        break
                await asyncio.sleep(0.2)
        assert "Attic NAS was asleep and is waking" in told["detail"]
        packet = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(card, 2000), 5)
        assert packet == bytes.fromhex("ff" * 6 + mac.replace(":", "") * 16)
        card.close()
        # So does who plays it on a TV; it was asked a moment ago, and is not asked twice.
        cast_receiver(house, "Kitchen")
        found = await mira.until("/players", lambda found: found["items"])
        kitchen = f"/players/{found['items'][0]['id']}"
        await mira.ask("PATCH", kitchen, state="allowed")
        async with mira.http.post(f"{kitchen}/play", json={"fileId": film}) as answer:
            assert answer.status == 503
            told = await answer.json(content_type=None)
        assert "Attic NAS was asleep and is waking" in told["detail"]
        async with mira.http.post(f"/devices/{machine['id']}/wake", json={}) as answer:
            assert answer.status == 429
        (tmp_path / "asleep").rename(library)
        async with asyncio.timeout(30):
            while True:
                async with mira.http.get(stream) as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.5)
