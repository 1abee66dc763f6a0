"""kill -9 of the appliance and of the daemon, while people upload and watch, folders are looked through and
files are read; the disk fills up, goes away and comes back meanwhile.

Nobody helps: what was acknowledged is there, what was told is told once, and every file is read in the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.appliance.uploads.promises import Refused, Sent, send
from tests.campaigns import KILLS, SEED
from tests.disks import Stick
from tests.house import sign_in
from tests.household import Household

SIZE = 384 << 20
DISASTERS = ("none", "none", "full", "away", "pulled", "pulled while full")
VICTIMS = ("appliance",) * 4 + ("daemon",) * 2 + ("both",)
EXPECTED = (aiohttp.ClientError, ConnectionError, TimeoutError, Refused)
PINGS = 5
"""In one request."""
LATELY = 8
"""Acknowledged uploads that are fetched after each kill; all of them at the end."""
SETTLES = 900
"""Seconds after which everything must have come to its end."""

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(SETTLES + 300 + 40 * KILLS)]


@dataclass
class Kept:
    """What was promised, or put on the disk by other ways."""

    sent: list[Sent] = field(default_factory=list)
    dropped: dict[str, bytes] = field(default_factory=dict)
    """By name."""
    told: int = 0
    """Events that were acknowledged."""

    def unsent(self) -> list[Sent]:
        return [one for one in self.sent if one.file_id is None]

    def acknowledged(self) -> list[Sent]:
        return [one for one in self.sent if one.file_id]


async def test_nothing_is_lost_doubled_or_left_undone(tmp_path: Path) -> None:
    stick = Stick(tmp_path / "stick.img", tmp_path / "library", SIZE)
    household, kept, dice = Household(tmp_path), Kept(), random.Random(SEED)
    happened: Counter[str] = Counter()
    try:
        await household.start()
        for turn in range(KILLS):
            disaster, victim = dice.choice(DISASTERS), dice.choice(VICTIMS)
            happened[f"{victim}, {disaster}"] += 1
            if turn % 25 == 0:
                print(
                    f"{turn}: {len(kept.acknowledged())} of {len(kept.sent)} acknowledged, {kept.told} told"
                )
            house = household.house
            try:
                await one_life(household, stick, disaster, victim, dice, kept)
            except BaseException as error:
                error.add_note(f"life {turn}, {victim}, {disaster}:\n{''.join(house.output)}")
                raise
        if not stick.plugged:
            stick.plug()
        await the_end(household, stick, kept)
        print(dict(happened))
    finally:
        await household.stop()
        if stick.plugged:
            stick.pull()


async def one_life(
    household: Household, stick: Stick, disaster: str, victim: str, dice: random.Random, kept: Kept
) -> None:
    """Ends with the kill; who was killed runs again, and the disk is there unless it went `away`."""
    house = household.house
    async with sign_in(house) as http:
        if stick.plugged:
            await check(http, kept.acknowledged()[-LATELY:])
            drop(stick, dice, kept)
        for _ in range(dice.randint(1, 3)):
            content = os.urandom(dice.choice([16, 5_000, 120_000])) + b"end"
            kept.sent.append(Sent(f"sent-{len(kept.sent)}.bin", content, dice.random() < 0.4))
        if stick.plugged and "full" in disaster:
            stick.fill()
        under_way = [asyncio.create_task(send(http, one)) for one in kept.unsent()[-6:]]
        under_way.append(asyncio.create_task(watch(http, kept)))
        await asyncio.sleep(dice.uniform(0, 1.5))
        if stick.plugged and ("pulled" in disaster or disaster == "away"):
            stick.pull()
            await asyncio.sleep(dice.uniform(0, 0.2))
        killing = asyncio.create_task(household.kill(victim))
        if disaster != "away":
            # As the appliance starts, or while it runs on without its daemon.
            await asyncio.sleep(dice.uniform(0, 1))
            if not stick.plugged:
                stick.plug()
        await killing
        if stick.plugged:
            stick.empty()
        for task in under_way:
            if victim == "daemon":
                await asyncio.sleep(0.05)
            task.cancel()
        for result in await asyncio.gather(*under_way, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(
                result, (*EXPECTED, asyncio.CancelledError)
            ):
                raise result
    assert "Traceback" not in "".join(house.output), "".join(house.output)


def drop(stick: Stick, dice: random.Random, kept: Kept) -> None:
    """Somebody puts files there by other ways, for a look to find and for the daemon to read."""
    for _ in range(dice.randint(0, 2)):
        name = f"dropped-{len(kept.dropped)}.txt"
        kept.dropped[name] = os.urandom(2_000)
        (stick.at / name).write_bytes(kept.dropped[name])
    os.sync()


async def watch(http: aiohttp.ClientSession, kept: Kept) -> None:
    """A phone plays what was sent first, and tells where it is."""
    film = next((one for one in kept.acknowledged() if one.file_id), None)
    while film:
        events = [{"fileId": film.file_id, "type": "playing", "position": n, "rate": 1} for n in range(PINGS)]
        async with http.post("/events", json={"events": events}) as answer:
            assert answer.status == 202, await answer.text()
            kept.told += PINGS
        async with http.get(f"/files/{film.file_id}/stream") as answer:
            assert answer.status in (200, 404, 503), await answer.text()
            await answer.read()
        await asyncio.sleep(0.1)


async def check(http: aiohttp.ClientSession, acknowledged: list[Sent]) -> None:
    for one in acknowledged:
        async with asyncio.timeout(30):
            while True:
                async with http.get(f"/files/{one.file_id}/stream") as answer:
                    if answer.status == 200:
                        assert await answer.read() == one.content
                        break
                    # The disk has only just come back.
                    assert answer.status == 503, f"{one.name} was acknowledged and is gone"
                await asyncio.sleep(0.1)


async def the_end(household: Household, stick: Stick, kept: Kept) -> None:
    """With the disk there and room on it, everything comes to its end without anybody's help."""
    async with sign_in(household.house) as http:
        await check(http, kept.acknowledged()[:1])
        for one in kept.unsent():
            await send(http, one)
        await check(http, kept.acknowledged())
    whole = {one.name: one.content for one in kept.sent} | kept.dropped
    on_disk = {path.name: path.read_bytes() for path in stick.at.iterdir() if path.is_file()}
    assert on_disk == whole
    await household.restart_house()
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in whole.items()}
    state = stick.at.with_name("state")
    async with asyncio.timeout(SETTLES):
        while (read := checksums(state)) != wanted:
            assert read.keys() <= wanted.keys()
            await asyncio.sleep(1)
        while len(await household.stored()) < len(await household.logged()):
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
    told, stored = await household.logged(), await household.stored()
    assert {event: version for event, (version, _) in stored.items()} == {
        event: version for event, (version, _) in told.items()
    }
    assert sum(kind == "ping" for _, kind in told.values()) >= kept.told


def checksums(state: Path) -> dict[str, str | None]:
    with contextlib.closing(sqlite3.connect(f"file:{state / 'mantel.db'}?mode=ro", uri=True)) as database:
        return dict(database.execute("select name, sha256 from files where gone_at is null"))
