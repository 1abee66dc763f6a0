"""kill -9 of the appliance and of the daemon while events flow: none is lost, none counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from appliance.units import MIB, SECONDS
from tests.campaigns import SEED
from tests.house import files_when, sign_in
from tests.household import Household
from tests.postgres import Postgres

pytestmark = pytest.mark.jar

PINGS = 100
"""In one request: the most that it may have."""
PIECE = 128 * 1024
"""Bytes of the film in one request: enough for a span to be written at once."""
FILM = 512 * MIB
DRAINED_WITHIN = 240 * SECONDS
FIVE = ["daemon", "appliance", "daemon", "both", "appliance"]


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
