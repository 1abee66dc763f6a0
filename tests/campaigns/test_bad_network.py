"""A phone and a TV at the edge of the Wi-Fi: of a hundred frames three are lost each way, the others come
late and out of their order. What arrives is whole, and nothing is given up.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.appliance.uploads.promises import Sent, send
from tests.bad_wire import BadWire
from tests.campaigns import SEED
from tests.house import ADMIN, CHECKOUT, PASSWORD, environment
from tests.netns import House

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.timeout(600)]

FILM = ("Folders", "Films", "The Long Way to Tromsø")
FILES = 12
UPLOADED = 3_000_000
PATIENCE = 180
"""Seconds for all that a device wants."""
CUT_OFF = (aiohttp.ClientError, ConnectionError, TimeoutError)


@pytest.fixture
def house(tmp_path: Path, media: Path) -> Iterator[tuple[House, str]]:
    """A house with `mantel serve` on its server, and the page's address."""
    shutil.copytree(media, tmp_path / "library")
    variables = environment(
        tmp_path, tmp_path / "library", interfaces="lan0", bind="0.0.0.0", tv_access="open"
    )
    log = tmp_path / "log"
    with House() as found, log.open("w") as output:
        command = (sys.executable, "-m", "appliance", "serve")
        found.server.popen(*command, env=variables, cwd=tmp_path, stdout=output, stderr=output)
        port = int(variables["MANTEL_HTTP_PORT"])
        found.server.wait_for_port(port, 30)
        page = f"http://{found.server.address}:{port}"
        with found.server.entered():
            asyncio.run(asyncio.wait_for(all_listed(page), PATIENCE))
        yield found, page
    assert "Traceback" not in log.read_text(), log.read_text()


def test_a_phone_gets_and_sends_everything_whole(house: tuple[House, str], tmp_path: Path) -> None:
    found, page = house
    with BadWire(found, found.phone, SEED), found.phone.entered():
        asyncio.run(asyncio.wait_for(an_evening(page, tmp_path / "library"), PATIENCE))


@asynccontextmanager
async def signed_in(page: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(page, timeout=aiohttp.ClientTimeout(sock_read=20)) as http:
        login = {"username": ADMIN, "password": PASSWORD}
        async with http.post("/auth/login", json=login) as answer:
            http.headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
        yield http


async def all_listed(page: str) -> None:
    async with signed_in(page) as http:
        while len(await listed(http)) < FILES:
            await asyncio.sleep(0.3)


async def an_evening(page: str, library: Path) -> None:
    async with signed_in(page) as http:
        heard = asyncio.create_task(hears_of_news(http))
        for file in await listed(http):
            path = library / file["folder"] / file["name"]
            assert await fetched(http, file["id"], path.stat().st_size) == path.read_bytes()
        sent = Sent("From afar.bin", random.Random(SEED).randbytes(UPLOADED), by_form=False)
        while sent.file_id is None:
            try:
                await send(http, sent)
            except CUT_OFF as error:
                print(f"cut off at {sent.offset}: {error!r}")
        assert (library / sent.name).read_bytes() == sent.content
        await heard


async def listed(http: aiohttp.ClientSession) -> list[dict[str, str]]:
    async with http.get("/files", params={"page_size": "100"}) as answer:
        items: list[dict[str, str]] = (await answer.json())["items"]
        return items


async def fetched(http: aiohttp.ClientSession, file_id: str, size: int) -> bytes:
    """All of a file; after a cut it goes on where it was, as a player does."""
    data = bytearray()
    while len(data) < size:
        try:
            asked = {"Range": f"bytes={len(data)}-"}
            async with http.get(f"/files/{file_id}/stream", headers=asked) as answer:
                assert answer.status == 206
                async for piece in answer.content.iter_any():
                    data += piece
        except CUT_OFF as error:
            print(f"cut off at {len(data)}: {error!r}")
    return bytes(data)


async def hears_of_news(http: aiohttp.ClientSession) -> None:
    """Until the live stream has told of a file that was added."""
    async with http.get("/events/live", timeout=aiohttp.ClientTimeout(sock_read=60)) as answer:
        event = ""
        async for line in answer.content:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "library" and json.loads(value).get("added"):
                return


def test_a_tv_finds_it_browses_and_plays(house: tuple[House, str], tmp_path: Path) -> None:
    found, _page = house
    film = (tmp_path / "library" / "Films" / f"{FILM[-1]}.mp4").read_bytes()
    with BadWire(found, found.tv, SEED):
        done = found.tv.run(
            *(
                sys.executable,
                "-m",
                "tests.system.tv_at_home",
                found.tv.address,
                *FILM,
                f"0-,{len(film) // 2}-",
            ),
            cwd=CHECKOUT,
            timeout=PATIENCE,
            stdout=subprocess.PIPE,
        )
    met = json.loads(done.stdout)
    assert len(met["locations"]) == 1
    for one, part in zip(met["fetched"], (film, film[len(film) // 2 :]), strict=True):
        assert one["sha256"] == hashlib.sha256(part).hexdigest()
