"""kill -9 of the appliance and of the daemon while events flow: none is lost, none counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from appliance.units import MIB, SECONDS
from tests.campaigns import SEED
from tests.daemon import spawn
from tests.house import House, files_when, sign_in, start, stop
from tests.ports import free_port
from tests.postgres import Postgres

pytestmark = pytest.mark.jar

PINGS = 100
"""In one request: the most that it may have."""
PIECE = 128 * 1024
"""Bytes of the film in one request: enough for a span to be written at once."""
FILM = 512 * MIB
DRAINED_WITHIN = 240 * SECONDS
FIVE = ["daemon", "appliance", "daemon", "both", "appliance"]

LOGGED = "select event_id, version, action from access_log"
STORED = (
    "select event_id, version, type from {0}event"
    " union all select event_id, 1, 'file' from {0}file_change"
    " union all select 'set aside ' || seq, 0, reason from {0}ingest_reject"
)


class Household:
    """Both processes over one folder, each of which may be killed and comes back.

    `postgres`: host, port and name of an empty database for both; else each has its SQLite file.
    """

    def __init__(self, folder: Path, postgres: str = "") -> None:
        self._folder, self._postgres = folder, postgres
        self._settings = {"analytics_port": str(free_port()), "internal_port": str(free_port())}
        self._ports = {"http_port": str(free_port()), "lan_port": str(free_port())}
        self._stores: tuple[dict[str, str], dict[str, str]] = ({}, {})
        if postgres:
            self._stores = (
                {"database_url": f"postgresql+asyncpg://mantel@{postgres}"},
                {"analytics_database_url": f"jdbc:postgresql://{postgres}?user=mantel"},
            )
        self.daemon: asyncio.subprocess.Process
        self.house: House

    async def start(self) -> None:
        await self.start_daemon()
        await self.start_house()

    async def start_daemon(self) -> None:
        port = int(self._settings["analytics_port"])
        internal = self._settings["internal_port"]
        self.daemon = await spawn(self._folder, port, internal_port=internal, **self._stores[1])

    async def start_house(self) -> None:
        self.house = await start(
            self._folder,
            self._folder / "library",
            analytics="on",
            **self._settings,
            **self._ports,
            **self._stores[0],
        )

    async def kill(self, victim: str) -> None:
        """A power cut for one of them, or both; back at once, the daemon perhaps not yet answering."""
        if victim != "appliance":
            self.daemon.kill()
            await self.daemon.wait()
        if victim != "daemon":
            await self.house.kill()
        if victim != "appliance":
            await self.start_daemon()
        if victim != "daemon":
            await self.start_house()

    async def restart_house(self) -> None:
        """An orderly one: what was still being watched is written down as over."""
        await stop(self.house)
        await self.start_house()

    async def stop(self) -> None:
        await stop(self.house)
        if self.daemon.returncode is None:
            self.daemon.terminate()
            await self.daemon.wait()

    async def logged(self) -> dict[str, tuple[int, str]]:
        """Event id → version and kind of what the appliance has written down."""
        return {row[0]: (row[1], row[2].lower()) for row in await self._rows("mantel.db", LOGGED)}

    async def stored(self) -> dict[str, tuple[int, str]]:
        """The same of what the daemon has stored; nothing before it has made its tables."""
        try:
            rows = await self._rows("analytics.db", STORED.format("analytics." if self._postgres else ""))
        except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
            return {}
        found = {row[0]: (row[1], row[2]) for row in rows}
        assert len(found) == len(rows), "an event is stored twice"
        return found

    async def _rows(self, file: str, sql: str) -> list[Any]:
        if self._postgres:
            connection = await asyncpg.connect(f"postgresql://mantel@{self._postgres}")
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()
        path = self._folder / "state" / file
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()


@asynccontextmanager
async def watching(phone: aiohttp.ClientSession, film: str, at: Iterator[int]) -> AsyncIterator[None]:
    """A phone plays and tells where it is, as fast as it is heard, whoever is killed meanwhile."""

    async def tell() -> None:
        for turn in at:
            events = [
                {"fileId": film, "type": "playing", "position": turn * PINGS + n, "rate": 1}
                for n in range(PINGS)
            ]
            first = turn * PIECE % FILM
            with contextlib.suppress(aiohttp.ClientError):
                async with phone.post("/events", json={"events": events}) as answer:
                    assert answer.status == 202, await answer.text()
                wanted = {"Range": f"bytes={first}-{first + PIECE - 1}"}
                async with phone.get(f"/files/{film}/stream", headers=wanted) as answer:
                    assert answer.status == 206, await answer.text()
                    await answer.read()
            await asyncio.sleep(0.05)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling


def kinds(events: dict[str, tuple[int, str]], kind: str) -> int:
    return sum(found == kind for _, found in events.values())


async def survive(household: Household, folder: Path, victims: list[str]) -> None:
    """Kills one after the other while events flow, then compares both stores event by event."""
    chance = random.Random(SEED)
    (folder / "library").mkdir()
    with (folder / "library" / "film.mp4").open("wb") as film_file:
        film_file.truncate(FILM)
    await household.start()
    turns = itertools.count()
    try:
        async with sign_in(household.house) as http:
            film = (await files_when(household.house, http, 1))[0]["id"]
        for victim in victims:
            async with sign_in(household.house) as http, watching(http, film, turns):
                await asyncio.sleep(chance.uniform(0.05, 1.5))
                await household.kill(victim)
                await asyncio.sleep(chance.uniform(0, 1))
        async with sign_in(household.house) as http, watching(http, film, turns):
            await asyncio.sleep(2)
        await household.restart_house()
        async with asyncio.timeout(DRAINED_WITHIN):
            while len(await household.stored()) < len(await household.logged()):
                await asyncio.sleep(0.5)
            await asyncio.sleep(2)
    finally:
        await household.stop()
    told, stored = await household.logged(), await household.stored()
    assert {event: version for event, (version, _) in stored.items()} == {
        event: version for event, (version, _) in told.items()
    }
    assert kinds(told, "ping") > len(victims) * PINGS
    assert kinds(told, "ping") <= next(turns) * PINGS
    assert max(version for version, kind in told.values() if kind == "stream") > 1
    # Each was answered before anybody was killed, so it is on the disk, and once.
    assert kinds(told, "sign_in") == kinds(stored, "sign_in") == 2 + len(victims)


@pytest.mark.timeout(600)
async def test_five_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    await survive(Household(tmp_path), tmp_path, FIVE)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_a_hundred_kills_lose_and_double_nothing(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    place = ""
    if store == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        place = server.new_database().partition("@")[2]
    chance = random.Random(SEED)
    victims = chance.choices(["daemon", "appliance", "both"], [3, 3, 1], k=100)
    await survive(Household(tmp_path, place), tmp_path, victims)
