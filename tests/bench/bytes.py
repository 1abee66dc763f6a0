"""Bytes of one large file: what they cost, how many readers are served, and who waits beside a slow disk."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.bench import lan, peers
from tests.bench.bench import Bench, Target, cpu_seconds, pin
from tests.disks import forget, slow_disk
from tests.house import ADMIN, PASSWORD, files_when, house, sign_in
from tests.ports import free_port

SIZE = 1 << 30
SERVER_CORE, READER_CORE = 0, 1
COLD_SIZE, COLD_SPEED, COLD_SECONDS = 150 << 20, 25_000_000, 5


@dataclass(frozen=True)
class Served:
    """One program, and the file as it gives it out."""

    name: str
    pid: int
    url: str
    headers: dict[str, str]

    def probe(self, **job: Any) -> Callable[[], Awaitable[Mapping[str, float]]]:
        async def once() -> Mapping[str, float]:
            said, cpu = await self.read(**job)
            gigabytes = said["bytes"] / 1e9
            if job.get("speed"):
                return {"readers served": said["served"], "CPU-s/GB": cpu / gigabytes}
            if job.get("count", 1) >= 100:
                delays = sorted(said["delays"])
                return {
                    "requests/s": len(delays) / said["seconds"],
                    "CPU µs/request": 1e6 * cpu / len(delays),
                    "p99 ms": 1e3 * delays[int(0.99 * len(delays))],
                }
            return {"MB/s": said["bytes"] / 1e6 / said["seconds"], "CPU-s/GB": cpu / gigabytes}

        return once

    async def read(self, **job: Any) -> tuple[dict[str, Any], float]:
        """What the readers said, and the server's processor time meanwhile; slow ones count once all read."""
        before = cpu_seconds(self.pid)
        process = await self.readers(**job)
        assert process.stdout
        if job.get("speed"):
            await process.stdout.readline()
            before = cpu_seconds(self.pid)
        out, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{self.name}: the readers failed")
        return json.loads(out), cpu_seconds(self.pid) - before

    async def readers(self, **job: Any) -> asyncio.subprocess.Process:
        url = urlsplit(self.url)
        headers = dict(self.headers)
        if job.get("last"):
            headers["Range"] = f"bytes=0-{job['last']}"
        whole = {
            "host": url.hostname, "port": url.port, "requests": [{"path": url.path, "headers": headers}],
            "readers": 1, "count": 1, **job,
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.reader", json.dumps(whole), stdout=asyncio.subprocess.PIPE
        )
        pin(process.pid, READER_CORE)
        return process

    async def over_tls(self) -> Mapping[str, float]:
        """The whole file by curl, which is what takes the time: only the server's processor counts."""
        before = cpu_seconds(self.pid)
        headers = [word for name, value in self.headers.items() for word in ("-H", f"{name}: {value}")]
        process = await asyncio.create_subprocess_exec(
            "taskset",
            "-c",
            str(READER_CORE),
            "curl",
            "-skf",
            "--http1.1",
            "-o",
            "/dev/null",
            *headers,
            self.url,
        )
        if await process.wait():
            raise RuntimeError(f"{self.name}: curl failed")
        return {"CPU-s/GB": (cpu_seconds(self.pid) - before) / (SIZE / 1e9)}

    def beside_a_cold_stream(self, file: Path, small: str) -> Callable[[], Awaitable[Mapping[str, float]]]:
        """How long a small request takes while one reader has the disk read."""

        async def once() -> Mapping[str, float]:
            forget(file)
            stream = await self.readers()
            await asyncio.sleep(0.5)
            said, _ = await self.read(ping=small, seconds=COLD_SECONDS)
            streamed, _ = await stream.communicate()
            delays = sorted(said["delays"])
            cold = json.loads(streamed)
            return {
                "ms of a small request": 1e3 * delays[len(delays) // 2],
                "p99 ms of a small request": 1e3 * delays[int(0.99 * len(delays))],
                "MB/s of the stream": cold["bytes"] / 1e6 / cold["seconds"],
            }

        return once


async def run(bench: Bench) -> None:
    bench.versions["Mantel"] = version("mantel")
    await from_the_cache(bench)
    await over_tls(bench)
    await from_a_slow_disk(bench)


@asynccontextmanager
async def mantel(folder: Path, **settings: str) -> AsyncIterator[tuple[Served, Served]]:
    """The appliance over `folder`/library, as its web listener and its LAN listener give out the one film."""
    async with (
        house(folder, tv_access="open", **settings) as home,
        sign_in(home) as http,
        aiohttp.ClientSession() as tv,
    ):
        [item] = await files_when(home, http, 1)
        pin(home.process.pid, SERVER_CORE)
        url, bearer = home.url, http.headers["Authorization"]
        if "https_port" in settings:
            # A session holds on the channel that it was made on.
            url = f"https://127.0.0.1:{settings['https_port']}"
            who = {"username": ADMIN, "password": PASSWORD}
            async with tv.post(f"{url}/auth/login", json=who, ssl=False) as answer:
                bearer = f"Bearer {(await answer.json())['token']}"
        media = await lan.find_media(tv, home.lan_url + lan.CONTROL["Mantel"])
        await asyncio.sleep(2)  # it describes the film; nothing of that is measured
        yield (
            Served(
                "Mantel, web", home.process.pid, f"{url}/files/{item['id']}/stream", {"Authorization": bearer}
            ),
            Served("Mantel, TVs", home.process.pid, media, {}),
        )


async def add_peers(bench: Bench, stack: AsyncExitStack, library: Path, *starts: Any) -> list[Served]:
    """Those that are installed, over the same folder, in the order of `starts`."""
    found = []
    for start in starts:
        try:
            one = await stack.enter_async_context(start(library, bench.folder / start.__name__))
        except peers.Missing as missing:
            bench.missing.append(str(missing))
            continue
        pin(one.pid, SERVER_CORE)
        bench.versions[one.name] = one.version
        url = await _of_minidlna(one.url) if one.name == "minidlna" else f"{one.url}/film.mp4"
        found.append(Served(one.name, one.pid, url, {}))
    return found


async def from_the_cache(bench: Bench) -> None:
    library = bench.folder / "library"
    library.mkdir()
    film(library / "film.mp4")
    async with AsyncExitStack() as stack:
        web, tv = await stack.enter_async_context(mantel(bench.folder))
        others = await add_peers(bench, stack, library, peers.nginx, peers.copyparty, peers.minidlna)
        every = [web, tv, *others]
        # MiniDLNA forks a process a reader and answers few of many.
        many = [one for one in every if one.name != "minidlna"]

        def each(those: list[Served], **job: Any) -> dict[str, Any]:
            return {one.name: one.probe(**job) for one in those}

        cost = {(one.name, "CPU-s/GB"): [Target("nginx", 1.25)] for one in (web, tv)}
        await bench.compare("One reader, the whole file", each(every), cost)
        through = {
            (one.name, "MB/s"): [Target("nginx", 0.8, False), Target("copyparty", 1, False)]
            for one in (web, tv)
        }
        await bench.compare(
            "16 readers, 64 MiB each",
            each(every, readers=16, last=(64 << 20) - 1, many=True),
            cost | through,
        )
        await bench.compare(
            "200 readers at 1 MB/s",
            each(many, readers=200, speed=1_000_000, seconds=4, many=True),
            {
                (web.name, "CPU-s/GB"): [Target("nginx", 3.5)],
                (tv.name, "CPU-s/GB"): [Target("nginx", 2)],
                (web.name, "readers served"): [Target("nginx", 1, False)],
                (tv.name, "readers served"): [Target("nginx", 1, False)],
            },
        )
        await bench.compare(
            "Ranges of 64 KiB, 8 at a time",
            each(many, readers=8, count=100, last=65535, many=True),
            note="Each range is a request like any other to the web listener: who asks is looked up anew.",
        )


async def over_tls(bench: Bench) -> None:
    folder = bench.folder / "tls"
    (folder / "library").mkdir(parents=True)
    film(folder / "library" / "film.mp4")
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench", "-days", "9",
         "-keyout", str(key), "-out", str(chain)],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = {
        "https_port": str(free_port()), "tls_cert": str(chain), "tls_key": str(key), "plain_http": "full"
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        web, _ = await stack.enter_async_context(mantel(folder, **settings))

        def nginx(library: Path, scratch: Path) -> Any:
            return peers.nginx(library, scratch.with_name("nginx-tls"), (chain, key))

        both = [web, *await add_peers(bench, stack, folder / "library", nginx)]
        await bench.compare(
            "One reader over TLS, the whole file",
            {one.name: one.over_tls for one in both},
            {(web.name, "CPU-s/GB"): [Target("nginx", 1.15)]},
        )


async def from_a_slow_disk(bench: Bench) -> None:
    if os.geteuid():
        bench.missing.append("root, for a disk that is slow")
        return
    folder = bench.folder / "cold"
    folder.mkdir()
    with slow_disk(folder / "disk.img", COLD_SIZE + (64 << 20), read=COLD_SPEED) as (library, join):
        film(library / "film.mp4", COLD_SIZE)
        (library / "lost+found").rmdir()
        (folder / "library").symlink_to(library)
        async with AsyncExitStack() as stack:
            web, tv = await stack.enter_async_context(mantel(folder))
            others = await add_peers(bench, stack, library, peers.nginx, peers.copyparty)
            small = {"Mantel, web": "/healthz", "Mantel, TVs": "/description.xml", "nginx": "/tiny"}
            every = [web, tv, *(one for one in others if one.name in small)]
            for one in every:
                join(one.pid)
            await bench.compare(
                "Beside a stream from a disk of 25 MB/s",
                {one.name: one.beside_a_cold_stream(library / "film.mp4", small[one.name]) for one in every},
                {
                    (one.name, unit): [target]
                    for one in (web, tv)
                    for unit, target in (
                        ("ms of a small request", Target("nginx", 0.1)),
                        ("p99 ms of a small request", Target("nginx", 0.1)),
                        ("MB/s of the stream", Target("nginx", 0.9, False)),
                    )
                },
            )


async def _of_minidlna(url: str) -> str:
    """Its URL of the film, once it has scanned."""
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                return await lan.find_media(http, url + lan.CONTROL["minidlna"])
            except (LookupError, aiohttp.ClientError):
                await asyncio.sleep(0.5)


def film(path: Path, size: int = SIZE) -> None:
    """`size` bytes that no filesystem makes smaller, in the page cache."""
    if not path.exists():
        block = os.urandom(1 << 20)
        with path.open("wb") as file:
            for _ in range(size >> 20):
                file.write(block)
    subprocess.run(["cat", str(path)], stdout=subprocess.DEVNULL, check=True)
