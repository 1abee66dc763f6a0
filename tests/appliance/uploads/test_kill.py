"""The real server killed at any moment: nothing half-published, nothing acknowledged lost, uploads go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from pathlib import Path

import aiohttp
import pytest

from tests.appliance.uploads.promises import Sent, check, send
from tests.house import sign_in, start, stop


async def campaign(folder: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    library = folder / "library"
    library.mkdir()
    all_sent: list[Sent] = []
    for _ in range(rounds):
        home = await start(folder, library)
        async with sign_in(home) as http:
            await check(home, http, all_sent)
            for _ in range(3):
                size = dice.choice([16, 50_000, 900_000])
                all_sent.append(Sent(f"{len(all_sent)}.bin", os.urandom(size) + b"end", dice.random() < 0.4))
            waiting = [one for one in all_sent if one.file_id is None]
            sending = [asyncio.create_task(send(http, one)) for one in waiting]
            await asyncio.sleep(dice.uniform(0, 0.35))
            await home.kill()
            results = await asyncio.gather(*sending, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException) and not isinstance(
                    result, (aiohttp.ClientError, ConnectionError, TimeoutError)
                ):
                    raise result
    home = await start(folder, library)
    try:
        async with sign_in(home) as http:
            await check(home, http, all_sent)
            for one in all_sent:
                if one.file_id is None:
                    await send(http, one)
            await check(home, http, all_sent)
            async with http.get("/files", params={"page_size": "100"}) as answer:
                listed = sorted(item["id"] for item in (await answer.json())["items"])
            assert listed == sorted(one.file_id or "" for one in all_sent)
            on_disk = [p for p in library.rglob("*") if p.is_file() and ".mantel" not in p.parts]
            assert len(on_disk) == len(all_sent)
            # An upload whose address was on its way to the client when the server was killed is empty.
            assert all(path.stat().st_size == 0 for path in (library / ".mantel" / "inbox").iterdir())
    finally:
        with contextlib.suppress(ProcessLookupError):
            await stop(home)


@pytest.mark.timeout(240)
async def test_killed_at_random_moments(tmp_path: Path) -> None:
    await campaign(tmp_path, rounds=5, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
async def test_killed_many_times(tmp_path: Path, seed: int) -> None:
    await campaign(tmp_path, rounds=25, seed=100 + seed)
