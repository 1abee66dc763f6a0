"""The thread through the house: a phone streams and uploads, the daemon hears, the page names it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.house import House, files_when, house, sign_in
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.timeout(180)]


@pytest.fixture
async def home(tmp_path: Path, media: Path) -> AsyncIterator[House]:
    """Server and real daemon together, as `make run` starts them."""
    async with house(
        tmp_path, media, module="appliance.run", analytics="on", analytics_port=str(free_port())
    ) as found:
        yield found


async def until(http: aiohttp.ClientSession, path: str, good: Any, seconds: float = 60) -> Any:
    """The JSON of `path`, once `good(it)` holds."""
    answer: Any = None
    async with asyncio.timeout(seconds):
        while True:
            async with http.get(path) as response:
                answer = await response.json(content_type=None)
                if response.status == 200 and good(answer):
                    return answer
            await asyncio.sleep(0.2)


async def test_what_is_streamed_is_popular_and_what_is_uploaded_is_there(home: House) -> None:
    async with sign_in(home) as http:
        files = await files_when(home, http, 12)
        film = next(f for f in files if f["name"] == "The Long Way to Tromsø.mp4")
        on_disk = home.library / "Films" / film["name"]
        assert film["size_bytes"] == on_disk.stat().st_size

        async with http.get(f"/files/{film['id']}/stream", headers={"Range": "bytes=1000-200999"}) as answer:
            assert answer.status == 206
            assert answer.headers["Content-Range"] == f"bytes 1000-200999/{film['size_bytes']}"
            assert await answer.read() == on_disk.read_bytes()[1000:201000]

        song = (home.library / "Music/Aya Lindqvist/Slow Ferry/01 Harbour.mp3").read_bytes() + b"\0"
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("folder", "Music")
        form.add_field("file", song, filename="New song.mp3", content_type="audio/mpeg")
        async with http.post("/files/upload", data=form) as answer:
            assert answer.status == 201, await answer.text()
            (uploaded,) = (await answer.json())["files"]
        assert (uploaded["folder"], uploaded["duplicate"]) == ("Music", False)
        assert (home.library / "Music" / "New song.mp3").read_bytes() == song
        assert any(f["name"] == "New song.mp3" for f in await files_when(home, http, 13))

        popular = await until(
            http,
            "/api/analytics/popular?range=7d",
            lambda a: any(i["fileId"] == film["id"] for i in a["items"]),
        )
        (item,) = (i for i in popular["items"] if i["fileId"] == film["id"])
        assert item["name"] == film["name"]
        assert item["streams"] == 1

        described = await until(http, f"/files/{film['id']}", lambda a: a["duration_sec"])
        assert described["resolution"] == "1280x720"
        assert described["duration_sec"] == pytest.approx(24, abs=0.2)


async def test_no_traceback_in_a_quiet_life(home: House) -> None:
    async with sign_in(home) as http:
        await files_when(home, http, 12)
    assert "Traceback" not in "".join(home.output)
