"""How much memory a household's evening takes: everything together on one processor, by proportional share.

Four films are watched, one is uploaded, a few hundred new files are scanned and the daemon reads what is in
them, all at once. PSS counts a page that several processes share once; the page cache is not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp

from appliance.samples import make_samples
from appliance.units import KIB, MIB
from tests.bench.bench import Bench, Target, pin, tree
from tests.house import files_when, house, sign_in
from tests.ports import free_port

LIMIT = 450
"""MiB of everything together, on a Pi with 1 GB."""
LIMITS = {"the server": 170, "its helpers": 100, "the daemon": 220}
"""What each part may take at its highest; they are not at their highest together."""
STREAMS, RATE = 4, 1 * MIB
"""Films at 8 Mbit/s."""
NEW_FILES = 300
EVENING = 40
"""Seconds."""


async def run(bench: Bench) -> None:
    samples = bench.folder / "samples"
    make_samples(samples, lambda _line: None)
    rounds = iter(range(99))

    async def evening() -> Mapping[str, float]:
        return await _evening(bench.folder / str(next(rounds)), samples)

    async def limits() -> Mapping[str, float]:
        return {"MiB": LIMIT} | {f"MiB, {part}": limit for part, limit in LIMITS.items()}

    units = ("MiB", *(f"MiB, {part}" for part in LIMITS))
    await bench.compare(
        "Memory of a household's evening, highest",
        {"Mantel": evening, "limit": limits},
        {("Mantel", unit): [Target("limit", 1)] for unit in units},
        note=f"PSS on one processor: {STREAMS} films, an upload, a scan of {NEW_FILES} files, the daemon.",
        rounds=min(bench.rounds, 3),
    )


async def _evening(folder: Path, samples: Path) -> dict[str, float]:
    """The highest of each part, in MiB."""
    folder.mkdir()
    ports = {"analytics_port": str(free_port())}
    async with (
        house(folder, samples, "appliance.run", analytics="on", **ports) as home,
        sign_in(home) as http,
    ):
        pin(home.process.pid, 0)
        films = [one["id"] for one in await files_when(home, http, 12) if one["type"] == "video"]
        await _until_counted(home.environment["MANTEL_ANALYTICS_PORT"])
        pin(home.process.pid, 0)
        busy = [asyncio.create_task(_watch(http, films[n % len(films)])) for n in range(STREAMS)]
        busy.append(asyncio.create_task(_upload(http)))
        busy.append(asyncio.create_task(asyncio.to_thread(_fill, home.library, samples)))
        highest: dict[str, float] = {}
        end = time.monotonic() + EVENING
        try:
            while time.monotonic() < end:
                now = await asyncio.to_thread(_memory, home.process.pid)
                highest = {unit: max(value, highest.get(unit, 0)) for unit, value in now.items()}
                for task in busy:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.25)
        finally:
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
        await files_when(home, http, 100)
        return highest


async def _until_counted(port: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://127.0.0.1:{port}/health"):
                    return
            await asyncio.sleep(0.5)


async def _watch(http: aiohttp.ClientSession, film: str) -> None:
    """Again and again, as slowly as a player takes it."""
    while True:
        async with http.get(f"/files/{film}/stream") as answer:
            async for piece in answer.content.iter_chunked(256 * KIB):
                await asyncio.sleep(len(piece) / RATE)


async def _upload(http: aiohttp.ClientSession) -> None:
    async def content() -> Iterator[bytes]:  # type: ignore[misc]
        for _ in range(EVENING * 4):
            yield os.urandom(1 * MIB)
            await asyncio.sleep(0.1)

    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", content(), filename="Holiday.mp4", content_type="video/mp4")
    async with http.post("/files/upload", data=form) as answer:
        await answer.read()


def _fill(library: Path, samples: Path) -> None:
    """New files that nobody has seen: each a sample with some bytes of its own at the end."""
    known = sorted(one for one in samples.rglob("*.*") if one.is_file())
    for number in range(NEW_FILES):
        source = known[number % len(known)]
        target = library / f"New {number // 50}" / f"{number} {source.name}"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        with target.open("ab") as writing:
            writing.write(os.urandom(16))


def _memory(pid: int) -> dict[str, float]:
    """PSS in MiB of everything, and of each part."""
    found = dict.fromkeys(("MiB", *(f"MiB, {part}" for part in LIMITS)), 0.0)
    for one in tree(pid):
        with contextlib.suppress(OSError, ValueError):
            rolled = Path(f"/proc/{one}/smaps_rollup").read_text()
            words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
            pss = next(int(line.split()[1]) for line in rolled.splitlines() if line.startswith("Pss:")) / 1024
            part = (
                "the server" if one == pid else "the daemon" if words[0].endswith(b"java") else "its helpers"
            )
            found["MiB"] += pss
            found[f"MiB, {part}"] += pss
    return found
