"""The real appliance as its users meet it: a process of its own on free ports, over real media.

`Media` is made once a test run by ffmpeg and Pillow (appliance/samples.py); `House` is one running
appliance; `sign_in` is what a phone does first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.ports import free_port

CHECKOUT = Path(__file__).parents[1]
ADMIN, PASSWORD = "admin", "correct horse battery staple"
START_SECONDS = 60
STOP_SECONDS = 10


@dataclass
class House:
    """One running appliance. `http` is signed in as admin by bearer."""

    url: str
    library: Path
    state: Path
    environment: dict[str, str]
    process: asyncio.subprocess.Process
    output: list[str] = field(default_factory=list)
    lan_url: str = ""

    async def kill(self) -> None:
        """A power cut."""
        self.process.kill()
        await self.process.wait()


def environment(folder: Path, library: Path, **more: str) -> dict[str, str]:
    """An environment for an appliance of the test's own: nothing on the network but loopback."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return (
        own
        | {
            "PYTHONPATH": str(CHECKOUT),
            "MANTEL_LIBRARY": str(library),
            "MANTEL_STATE": str(folder / "state"),
            "MANTEL_BIND": "127.0.0.1",
            "MANTEL_HTTP_PORT": str(free_port()),
            "MANTEL_LAN_PORT": str(free_port()),
            "MANTEL_INTERNAL_PORT": str(free_port()),
            "MANTEL_INTERFACES": "lo",
            "MANTEL_ANALYTICS": "off",
            "MANTEL_ADMIN_PASSWORD": PASSWORD,
            "MANTEL_FREE_SPACE": "1 MiB",
        }
        | {f"MANTEL_{name.upper()}": value for name, value in more.items()}
    )


@asynccontextmanager
async def house(
    folder: Path, media: Path | None = None, module: str = "appliance", **settings: str
) -> AsyncIterator[House]:
    """`mantel serve` over a copy of `media`, until the block ends. `settings`: MANTEL_… in lower case."""
    library = folder / "library"
    if media and not library.exists():
        shutil.copytree(media, library)
    library.mkdir(exist_ok=True)
    home = await start(folder, library, module, **settings)
    try:
        yield home
    finally:
        await stop(home)


async def start(folder: Path, library: Path, module: str = "appliance", **settings: str) -> House:
    """A running appliance; the caller stops it. A test that kills it starts another over the same folders."""
    variables = environment(folder, library, **settings)
    argv = [sys.executable, "-m", module] + (["serve"] if module == "appliance" else [])
    process = await asyncio.create_subprocess_exec(
        *argv, env=variables, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    home = House(
        f"http://127.0.0.1:{variables['MANTEL_HTTP_PORT']}", library, folder / "state", variables, process,
        lan_url=f"http://127.0.0.1:{variables['MANTEL_LAN_PORT']}",
    )  # fmt: skip
    asyncio.get_running_loop().create_task(_listen(process, home.output))
    try:
        async with asyncio.timeout(START_SECONDS):
            await _serving(home)
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise
    return home


async def _serving(home: House) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            if home.process.returncode is not None:
                raise AssertionError(f"the appliance ended at its start:\n{''.join(home.output)}")
            try:
                async with http.get(home.url + "/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def stop(home: House) -> None:
    if home.process.returncode is None:
        home.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            await home.process.wait()


async def _listen(process: asyncio.subprocess.Process, output: list[str]) -> None:
    assert process.stdout
    async for line in process.stdout:
        output.append(line.decode(errors="replace"))


@asynccontextmanager
async def sign_in(
    home: House, username: str = ADMIN, password: str = PASSWORD
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that carries this person's bearer."""
    async with aiohttp.ClientSession(home.url) as http:
        async with http.post("/auth/login", json={"username": username, "password": password}) as answer:
            assert answer.status == 200, await answer.text()
            token = (await answer.json())["token"]
    async with aiohttp.ClientSession(home.url, headers={"Authorization": f"Bearer {token}"}) as http:
        yield http


async def files_when(
    home: House, http: aiohttp.ClientSession, count: int, **query: str
) -> list[dict[str, Any]]:
    """The list of files, once it has `count` of them."""
    async with asyncio.timeout(30):
        while True:
            async with http.get("/files", params={"page_size": "100", **query}) as answer:
                items: list[dict[str, Any]] = (await answer.json())["items"]
            if len(items) >= count:
                return items
            await asyncio.sleep(0.1)
