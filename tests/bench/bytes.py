"""Bytes of one large file: what they cost, how many readers are served, and who waits beside a slow disk."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.bench import lan, peers
from tests.bench.bench import Bench, Target, cpu_seconds, pin
from tests.house import files_when, house, sign_in

SIZE = 1 << 30
SERVER_CORE, READER_CORE = 0, 1


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
            if job.get("last"):
                delays = sorted(said["delays"])
                return {
                    "requests/s": len(delays) / said["seconds"],
                    "CPU µs/request": 1e6 * cpu / len(delays),
                    "p99 ms": 1e3 * delays[int(0.99 * len(delays))],
                }
            return {"MB/s": said["bytes"] / 1e6 / said["seconds"], "CPU-s/GB": cpu / gigabytes}

        return once

    async def read(self, **job: Any) -> tuple[dict[str, Any], float]:
        """What the readers said, and the server's processor time meanwhile."""
        url = urlsplit(self.url)
        headers = dict(self.headers)
        if job.get("last"):
            headers["Range"] = f"bytes=0-{job['last']}"
        whole = {
            "host": url.hostname, "port": url.port, "requests": [{"path": url.path, "headers": headers}],
            "readers": 1, "count": 1, **job,
        }  # fmt: skip
        before = cpu_seconds(self.pid)
        process = await asyncio.create_subprocess_exec(
            "taskset", "-c", str(READER_CORE), sys.executable, "-m", "tests.bench.reader", json.dumps(whole),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{self.name}: the readers failed")
        return json.loads(out), cpu_seconds(self.pid) - before


async def run(bench: Bench) -> None:
    library = bench.folder / "library"
    library.mkdir()
    film(library / "film.mp4")
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house(bench.folder, tv_access="open"))
        http = await stack.enter_async_context(sign_in(home))
        [item] = await files_when(home, http, 1)
        pin(home.process.pid, SERVER_CORE)
        bearer = {"Authorization": http.headers["Authorization"]}
        web = Served("Mantel, web", home.process.pid, f"{home.url}/files/{item['id']}/stream", bearer)
        plain = await stack.enter_async_context(aiohttp.ClientSession())
        media = await lan.find_media(plain, home.lan_url + lan.CONTROL["Mantel"])
        tv = Served("Mantel, TVs", home.process.pid, media, {})
        bench.versions["Mantel"] = "this one"

        async def peer(start: Any, path: str) -> list[Served]:
            try:
                one = await stack.enter_async_context(start(library, bench.folder / start.__name__))
            except peers.Missing as missing:
                bench.missing.append(str(missing))
                return []
            pin(one.pid, SERVER_CORE)
            bench.versions[one.name] = one.version
            url = one.url + path if path else await _of_minidlna(plain, one.url)
            return [Served(one.name, one.pid, url, {})]

        nginx = await peer(peers.nginx, "/film.mp4")
        copyparty = await peer(peers.copyparty, "/film.mp4")
        minidlna = await peer(peers.minidlna, "")
        ours, all_of_them = [web, tv], [web, tv, *nginx, *copyparty, *minidlna]

        def each(**job: Any) -> dict[str, Any]:
            return {one.name: one.probe(**job) for one in all_of_them}

        cost = {(one.name, "CPU-s/GB"): [Target("nginx", 1.25)] for one in ours}
        await bench.compare("One reader, the whole file", each(), cost)
        through = {
            (one.name, "MB/s"): [Target("nginx", 0.8, False), Target("copyparty", 1, False)] for one in ours
        }
        await bench.compare(
            "16 readers, the whole file each",
            each(readers=16, many=True),
            through | cost,
            rounds=max(3, bench.rounds),
        )
        slow = {"readers": 200, "speed": 1_000_000, "seconds": 4, "many": True}
        few = [web, tv, *nginx, *copyparty]
        await bench.compare(
            "200 readers at 1 MB/s",
            {one.name: one.probe(**slow) for one in few},
            {
                (web.name, "CPU-s/GB"): [Target("nginx", 3.5)],
                (tv.name, "CPU-s/GB"): [Target("nginx", 2)],
                (web.name, "readers served"): [Target("nginx", 1, False)],
                (tv.name, "readers served"): [Target("nginx", 1, False)],
            },
        )
        await bench.compare(
            "Ranges of 64 KiB, 8 at a time",
            {one.name: one.probe(readers=8, count=100, last=65535, many=True) for one in few},
            note="Each range of the web listener is a request like any other: who asks and what they may is "
            "looked up anew.",
        )


async def _of_minidlna(http: aiohttp.ClientSession, url: str) -> str:
    """Its URL of the film, once it has scanned."""
    async with asyncio.timeout(60):
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
