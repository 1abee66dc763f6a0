"""The real server killed again and again while people upload, the disk fills up and goes away under it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from pathlib import Path

import aiohttp
import pytest

from tests.appliance.uploads.promises import Refused, Sent, check, send
from tests.campaigns import KILLS, SEED
from tests.disks import Stick
from tests.house import House, sign_in, start, stop

SIZE = 64 << 20
DISASTERS = ("none", "none", "full", "away", "pulled", "pulled while full")
EXPECTED = (aiohttp.ClientError, ConnectionError, TimeoutError, Refused)


@pytest.mark.slow
@pytest.mark.timeout(120 + 30 * KILLS)
async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    stick = Stick(tmp_path / "stick.img", tmp_path / "library", SIZE)
    dice = random.Random(SEED)
    all_sent: list[Sent] = []
    try:
        # The first run makes the disk known; from then on it may be missing.
        await stop(await start(tmp_path, stick.at))
        for turn in range(KILLS):
            disaster = dice.choice(DISASTERS)
            print(f"{turn}: {disaster}, {sum(one.file_id is not None for one in all_sent)} acknowledged")
            await one_life(tmp_path, stick, disaster, dice, all_sent)
            with contextlib.suppress(FileNotFoundError):
                assert stick.plugged or not list(stick.at.iterdir()), "something was written where no disk is"
            if not stick.plugged:
                stick.plug()
            stick.empty()
        await the_end(tmp_path, stick, all_sent)
    finally:
        if stick.plugged:
            stick.pull()


async def one_life(
    folder: Path, stick: Stick, disaster: str, dice: random.Random, all_sent: list[Sent]
) -> None:
    if disaster == "away":
        stick.pull()
    home = await start(folder, stick.at)
    async with sign_in(home) as http:
        if stick.plugged:
            await check(home, http, all_sent)
        else:
            await none_forgotten(http, all_sent)
        for _ in range(3):
            content = os.urandom(dice.choice([16, 50_000, 600_000])) + b"end"
            all_sent.append(Sent(f"{len(all_sent)}.bin", content, dice.random() < 0.4))
        if "full" in disaster:
            stick.fill()
        waiting = [one for one in all_sent if one.file_id is None]
        sending = [asyncio.create_task(send(http, one)) for one in waiting]
        await some_time(dice, all_sent)
        if "pulled" in disaster:
            stick.pull()
            await asyncio.sleep(dice.uniform(0, 0.2))
        await home.kill()
        for result in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, EXPECTED):
                raise result
    assert "Traceback" not in "".join(home.output), "".join(home.output)


async def some_time(dice: random.Random, all_sent: list[Sent]) -> None:
    """Until a few more uploads are acknowledged, or for a moment if none is."""
    before = sum(one.file_id is not None for one in all_sent)
    wanted = before + dice.choice([0, 1, 2, 3])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(6):
            while sum(one.file_id is not None for one in all_sent) < wanted:
                await asyncio.sleep(0.01)
    await asyncio.sleep(dice.uniform(0, 0.2))


async def none_forgotten(http: aiohttp.ClientSession, all_sent: list[Sent]) -> None:
    """The disk is away: what it holds is still listed."""
    for one in all_sent:
        if one.file_id:
            async with http.get(f"/files/{one.file_id}") as answer:
                assert answer.status == 200, f"{one.name} is forgotten while its disk is away"


async def the_end(folder: Path, stick: Stick, all_sent: list[Sent]) -> None:
    """With the disk there and room on it, everything comes to its end without anybody's help."""
    home = await start(folder, stick.at)
    try:
        async with sign_in(home) as http:
            for one in all_sent:
                if one.file_id is None:
                    await send(http, one)
            await check(home, http, all_sent)
            await as_many_as_sent(home, all_sent)
    finally:
        await stop(home)


async def as_many_as_sent(home: House, all_sent: list[Sent]) -> None:
    on_disk = [
        path
        for path in home.library.rglob("*")
        if path.is_file() and ".mantel" not in path.parts and "lost+found" not in path.parts
    ]
    assert len(on_disk) == len(all_sent)
    left = [path for path in (home.library / ".mantel" / "inbox").iterdir() if path.stat().st_size]
    assert not left, "an upload that nobody can go on with keeps its bytes"
