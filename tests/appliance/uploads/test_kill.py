"""The real server killed at any moment: nothing half-published, nothing acknowledged lost, uploads go on."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.house import House, sign_in, start, stop

PIECE = 200_000


@dataclass
class Sent:
    """One file that a client wants on the shelf, and what it was promised about it so far."""

    name: str
    content: bytes
    by_form: bool
    at: str | None = None
    offset: int = 0
    file_id: str | None = None
    forms_cut_off: int = 0


async def send(http: aiohttp.ClientSession, one: Sent) -> None:
    """Until it is acknowledged, or the server is gone."""
    if one.by_form:
        one.forms_cut_off += 1
        form = aiohttp.FormData()
        form.add_field("file", one.content, filename=one.name)
        async with http.post("/files/upload", data=form) as answer:
            assert answer.status in (200, 201), await answer.text()
            one.file_id = (await answer.json())["files"][0]["id"]
            one.forms_cut_off -= 1
        return
    headers = {"Tus-Resumable": "1.0.0"}
    if one.at is None:
        name = base64.b64encode(one.name.encode()).decode()
        given = headers | {"Upload-Length": str(len(one.content)), "Upload-Metadata": f"filename {name}"}
        async with http.post("/files/tus", headers=given) as answer:
            assert answer.status == 201, await answer.text()
            one.at = answer.headers["Location"]
    else:
        async with http.head(one.at, headers=headers) as answer:
            assert answer.status == 200, f"an acknowledged upload is forgotten: {answer.status}"
            offset = int(answer.headers["Upload-Offset"])
            assert offset >= one.offset, "acknowledged bytes are lost"
            one.offset, one.file_id = offset, answer.headers.get("Mantel-File")
    while one.file_id is None:
        given = headers | {
            "Upload-Offset": str(one.offset),
            "Content-Type": "application/offset+octet-stream",
        }
        piece = one.content[one.offset : one.offset + PIECE]
        async with http.patch(one.at, headers=given, data=piece) as answer:
            assert answer.status == 204, await answer.text()
            one.offset, one.file_id = int(answer.headers["Upload-Offset"]), answer.headers.get("Mantel-File")


async def check(home: House, http: aiohttp.ClientSession, all_sent: list[Sent]) -> None:
    whole = {one.content for one in all_sent}
    for path in home.library.rglob("*"):
        if path.is_file() and ".mantel" not in path.parts:
            assert path.read_bytes() in whole, f"{path.name} is half-published"
    for one in all_sent:
        if one.file_id:
            async with http.get(f"/files/{one.file_id}/stream") as answer:
                assert answer.status == 200, f"{one.name} was acknowledged and is gone"
                assert await answer.read() == one.content


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
