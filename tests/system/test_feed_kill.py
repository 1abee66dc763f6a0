"""kill -9 of the appliance and of the daemon while events flow: none is lost, none counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from appliance.units import SECONDS
from tests.daemon import spawn
from tests.house import House, files_when, sign_in, start, stop
from tests.ports import free_port

pytestmark = pytest.mark.jar

PINGS = 100
"""In one request: the most that it may have."""
DRAINED_WITHIN = 90 * SECONDS


class Household:
    """Both processes over one folder, each of which may be killed and comes back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings = {"analytics_port": str(free_port()), "internal_port": str(free_port())}
        self._ports = {"http_port": str(free_port()), "lan_port": str(free_port())}
        self.daemon: asyncio.subprocess.Process
        self.house: House

    async def start(self) -> None:
        await self.start_daemon()
        await self.start_house()

    async def start_daemon(self) -> None:
        port = int(self._settings["analytics_port"])
        self.daemon = await spawn(self._folder, port, internal_port=self._settings["internal_port"])

    async def start_house(self) -> None:
        self.house = await start(
            self._folder, self._folder / "library", analytics="on", **self._settings, **self._ports
        )

    async def kill(self, victim: str) -> None:
        """A power cut for one of them; back at once, the daemon perhaps not yet answering."""
        if victim == "daemon":
            self.daemon.kill()
            await self.daemon.wait()
            await self.start_daemon()
        else:
            await self.house.kill()
            await self.start_house()

    async def stop(self) -> None:
        await stop(self.house)
        if self.daemon.returncode is None:
            self.daemon.terminate()
            await self.daemon.wait()


def logged(state: Path) -> dict[str, int]:
    """Event id → version of what the appliance has written down."""
    with contextlib.closing(sqlite3.connect(f"file:{state}/mantel.db?mode=ro", uri=True)) as database:
        return dict(database.execute("select event_id, version from access_log"))


def stored(state: Path) -> dict[str, int]:
    """The same of what the daemon has stored; nothing before it has made its tables."""
    if not (state / "analytics.db").exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"file:{state}/analytics.db?mode=ro", uri=True)) as database:
        if not database.execute("select 1 from sqlite_master where name = 'ingest_reject'").fetchone():
            return {}
        assert database.execute("select count(*) from ingest_reject").fetchone() == (0,)
        found = database.execute(
            "select event_id, version from event union all select event_id, 1 from file_change"
        ).fetchall()
    assert len(found) == len(dict(found))
    return dict(found)


@asynccontextmanager
async def pings(phone: aiohttp.ClientSession, film: str) -> AsyncIterator[None]:
    """A phone tells where it plays, as fast as it is heard, whoever is killed meanwhile."""

    async def tell() -> None:
        for position in itertools.count(step=PINGS):
            events = [
                {"fileId": film, "type": "playing", "position": position + n, "rate": 1} for n in range(PINGS)
            ]
            with contextlib.suppress(aiohttp.ClientError):
                async with phone.post("/events", json={"events": events}) as answer:
                    await answer.read()
            await asyncio.sleep(0.05)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling


async def survive(folder: Path, victims: list[str]) -> None:
    """Kills one after the other while events flow, then compares both stores event by event."""
    chance = random.Random(len(victims))
    household = Household(folder)
    (folder / "library").mkdir()
    with (folder / "library" / "film.mp4").open("wb") as film_file:
        film_file.truncate(1 << 20)
    await household.start()
    state = folder / "state"
    try:
        async with sign_in(household.house) as http:
            film = (await files_when(household.house, http, 1))[0]["id"]
            async with pings(http, film):
                for victim in victims:
                    await asyncio.sleep(chance.uniform(0.2, 1.5))
                    await household.kill(victim)
                await asyncio.sleep(1)
            async with asyncio.timeout(DRAINED_WITHIN):
                while len(stored(state)) < len(logged(state)):
                    await asyncio.sleep(0.3)
    finally:
        await household.stop()
    told = logged(state)
    assert len(told) > 10 * PINGS
    assert stored(state) == told


@pytest.mark.timeout(600)
async def test_five_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    await survive(tmp_path, ["daemon", "appliance", "daemon", "daemon", "appliance"])
