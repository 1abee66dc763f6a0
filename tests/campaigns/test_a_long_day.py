"""A household's day in minutes: sign-ins, lists, searches, films that are left, uploads, links, TVs. Nothing
that the server holds may grow with it: memory, descriptors, tasks, threads, rows.

MANTEL_MINUTES: 1440 for 24 hours; 90 unless told.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from async_upnp_client.aiohttp import AiohttpSessionRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice

from tests.campaigns import SEED
from tests.house import ADMIN, PASSWORD, House, files_when, house, sign_in
from tests.ports import free_port

MINUTES = int(os.environ.get("MANTEL_MINUTES", "90"))
WARM = max(20, MINUTES // 6)
"""Minutes after which all that is kept once, is."""
GROWTH = 24 * 1024
"""KiB of resident memory of the server that may come on top: allocators keep what a burst took."""
REMEMBERED = re.compile("access_log|files|files_.*|words|trash|thumb.*|uploads|positions|sessions|share.*")
"""Tables that grow with what people do, until it is forgotten in days."""

pytestmark = [pytest.mark.slow, pytest.mark.jar, pytest.mark.timeout(300 + 4 * MINUTES)]


async def test_nothing_grows_in_a_day(tmp_path: Path, media: Path) -> None:
    dice = random.Random(SEED)
    ports = {"analytics": "on", "analytics_port": str(free_port()), "tv_access": "open"}
    async with (
        house(tmp_path, media, "appliance.run", **ports) as home,
        sign_in(home) as http,
        television(home) as tv,
    ):
        files = await files_when(home, http, 12)
        for minute in range(MINUTES):
            await asyncio.gather(
                comes_and_goes(home),
                watches(http, dice.choice([one for one in files if one["type"] == "video"])["id"], dice),
                looks_around(http, dice.choice(files)["id"]),
                shares(home, http, dice.choice(files)["id"]),
                leafs(tv),
            )
            if minute % 10 == 0:
                await adds_and_throws_away(http, minute)
            if minute == WARM:
                before = await held(home)
        await asyncio.sleep(2)
        after = await held(home)
        print(f"{MINUTES} minutes: {before} → {after}")
        assert after["KiB"] < before["KiB"] + GROWTH
        assert {name for name in before.keys() - {"KiB"} if after[name] > before[name] + 6} == set()
        assert "Traceback" not in "".join(home.output), "".join(home.output)[-4000:]


@asynccontextmanager
async def television(home: House) -> AsyncIterator[DmsDevice]:
    async with aiohttp.ClientSession() as session:
        factory = UpnpFactory(AiohttpSessionRequester(session, with_sleep=True))
        yield DmsDevice(await factory.async_create_device(f"{home.lan_url}/description.xml"), None)


async def held(home: House) -> dict[str, int]:
    """What the server has: KiB, descriptors, threads, tasks, and rows of each table that may not grow."""
    pid = home.process.pid
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{home.environment['MANTEL_INTERNAL_PORT']}/metrics") as answer,
    ):
        tasks = re.search(r"^mantel_tasks (\d+)", await answer.text(), re.MULTILINE)
    assert tasks
    status = Path(f"/proc/{pid}/status").read_text()
    found = {
        "KiB": int(re.findall(r"VmRSS:\s+(\d+)", status)[0]),
        "threads": int(re.findall(r"Threads:\s+(\d+)", status)[0]),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "tasks": int(tasks[1]),
    }
    with sqlite3.connect(f"file:{home.state}/mantel.db?mode=ro", uri=True) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            if not REMEMBERED.fullmatch(name):
                found[f"rows of {name}"] = database.execute(f"select count(*) from {name}").fetchone()[0]
    return found


async def comes_and_goes(home: House) -> None:
    """Another phone signs in, listens for a moment, and signs out."""
    async with aiohttp.ClientSession(home.url) as http:
        async with http.post("/auth/login", json={"username": ADMIN, "password": PASSWORD}) as answer:
            assert answer.status == 200
            http.headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
        async with http.get("/events/live") as answer:
            await answer.content.readline()
        async with http.post("/auth/logout", json={}) as answer:
            assert answer.status == 204


async def watches(http: aiohttp.ClientSession, film: str, dice: random.Random) -> None:
    """From some place, for a while, and off without a word."""
    first = dice.randrange(100_000)
    async with http.get(f"/files/{film}/stream", headers={"Range": f"bytes={first}-"}) as answer:
        assert answer.status == 206
        await answer.content.readexactly(50_000)
    events = [
        {"fileId": film, "type": kind, "position": dice.random() * 10}
        for kind in ("playing", "seeked", "paused")
    ]
    async with http.post("/events", json={"events": events}) as answer:
        assert answer.status == 202
    async with http.put(f"/files/{film}/position", json={"seconds": dice.randrange(10)}) as answer:
        assert answer.status == 204


async def looks_around(http: aiohttp.ClientSession, file_id: str) -> None:
    searched = {"query": "tromso the lnog way"}
    for path, query in (
        ("/files", {}),
        ("/files", searched),
        ("/folders", {}),
        ("/me/continue", {}),
        ("/api/analytics/popular", {"range": "7d"}),
        (f"/files/{file_id}", {}),
        (f"/files/{file_id}/thumbnail", {"size": "320"}),
        (f"/files/{file_id}/download", {}),
        (f"/files/{'0' * 16}", {}),
    ):
        async with http.get(path, params=query) as answer:
            assert answer.status in (200, 404, 503), path
            await answer.read()
    for on in (True, False):
        async with http.put(f"/files/{file_id}/favourite", json={"on": on}) as answer:
            assert answer.status == 204


async def shares(home: House, http: aiohttp.ClientSession, file_id: str) -> None:
    async with http.post("/shares", json={"file_ids": [file_id], "seconds": 3600}) as answer:
        assert answer.status == 201, await answer.text()
        share: dict[str, Any] = await answer.json()
    async with aiohttp.ClientSession(home.url) as guest:
        async with guest.get(f"/s/{share['link'].rpartition('/')[2]}/about") as answer:
            assert answer.status == 200
    async with http.delete(f"/shares/{share['id']}") as answer:
        assert answer.status == 204


async def leafs(tv: DmsDevice) -> None:
    """Through two levels of what the TV is shown."""
    for one in (await tv.async_browse_direct_children("0")).result:
        await tv.async_browse_direct_children(one.id)


async def adds_and_throws_away(http: aiohttp.ClientSession, minute: int) -> None:
    form = aiohttp.FormData()
    form.add_field("file", os.urandom(20_000), filename=f"Note {minute}.bin")
    async with http.post("/files/upload", data=form) as answer:
        assert answer.status == 201, await answer.text()
        added = (await answer.json())["files"][0]["id"]
    async with http.delete(f"/files/{added}") as answer:
        assert answer.status in (200, 204)
