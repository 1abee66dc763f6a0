"""What a TV plays becomes watching in the daemon's report; a look at its index or its picture does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.appliance.lan.television import browse, title
from tests.house import House, files_when, house, sign_in
from tests.ports import free_port
from tests.system.test_thread import until

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(300)]

LOOKED_AT, PLAYED = "The Long Way to Tromsø", "Summer in Lot 12"
SECONDS = 18
"""Length of the one that is played; half of it is enough for a play."""
UPNP = "{urn:schemas-upnp-org:metadata-1-0/upnp/}"
DIDL = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}"


@pytest.fixture
async def home(tmp_path: Path, media: Path) -> AsyncIterator[House]:
    settings = {"analytics": "on", "analytics_port": str(free_port()), "tv_access": "open"}
    async with house(tmp_path, media, module="appliance.run", **settings) as found:
        yield found


async def play(tv: aiohttp.ClientSession, url: str, size: int, seconds: int) -> None:
    """Takes the film as a TV with a small buffer does: second by second."""
    for second in range(seconds):
        first, last = size * second // seconds, size * (second + 1) // seconds - 1
        async with tv.get(url, headers={"Range": f"bytes={first}-{last}"}) as answer:
            assert answer.status == 206
            await answer.read()
        await asyncio.sleep(1)


async def test_a_play_is_counted_and_a_look_is_not(home: House) -> None:
    async with sign_in(home) as http, aiohttp.ClientSession() as tv:
        files = await files_when(home, http, 12)
        ids = {one["name"].rpartition(".")[0]: one["id"] for one in files}
        size_of = {one["name"].rpartition(".")[0]: one["size_bytes"] for one in files}
        # The daemon has to know how long the film is, or it cannot tell a play from a look.
        for name in (LOOKED_AT, PLAYED):
            await until(http, f"/files/{ids[name]}", lambda one: one["duration_sec"])
        films = {title(one): one for one in await browse(home.lan_url, "videos/all")}

        url = films[LOOKED_AT].findtext(f"{DIDL}res")
        size = size_of[LOOKED_AT]
        async with tv.head(url) as answer:
            assert answer.status == 200
        for wanted in ("bytes=0-1023", f"bytes={size - 1024}-"):
            async with tv.get(url, headers={"Range": wanted}) as answer:
                assert answer.status == 206
                await answer.read()
        for photo in await browse(home.lan_url, "photos/all"):
            for picture in photo.findall(f"{UPNP}albumArtURI"):
                async with tv.get(picture.text) as answer:
                    assert answer.status == 200
                    await answer.read()
        await play(tv, films[PLAYED].findtext(f"{DIDL}res"), size_of[PLAYED], SECONDS)

        popular = await until(
            http,
            "/api/analytics/popular?range=7d",
            lambda said: any(one["plays"] for one in said["items"]),
            90,
        )
        counted = {one["fileId"]: one for one in popular["items"]}
        assert (counted[ids[PLAYED]]["streams"], counted[ids[PLAYED]]["plays"]) == (1, 1)
        assert (counted[ids[LOOKED_AT]]["streams"], counted[ids[LOOKED_AT]]["plays"]) == (1, 0)
        assert set(counted) == {ids[PLAYED], ids[LOOKED_AT]}
