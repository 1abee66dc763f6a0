"""Files found and described: 10,000 of a household beside MiniDLNA, which does both at once; and 100,000.

6,000 songs, 2,000 clips, 2,000 photos: copies of three real ones. Mantel's look makes them browsable and
playable; what is in them the daemon tells afterwards, beside everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import re
import shutil
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library
from appliance.library.scan import SETTLED
from tests import media
from tests.bench import peers
from tests.bench.bench import Bench, Probe, Target
from tests.bench.names import paths
from tests.house import house
from tests.ports import free_port

FILES, MANY = 10_000, (10_000, 30_000, 100_000)
LONGEST = 900
"""Seconds until everything is described."""


def make_tree(root: Path, count: int, content: Mapping[str, bytes]) -> None:
    """Folders as a household has them, six songs to two films and two photos; old enough to be taken."""
    share = {"mp3": 6, "mp4": 2, "jpg": 2}
    turns = itertools.cycle([kind for kind, parts in share.items() for _ in range(parts)])
    for path, kind in zip(paths(count), turns, strict=False):
        file = (root / path).with_suffix(f".{kind}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content[kind])
    time.sleep(SETTLED + 0.1)


async def run(bench: Bench) -> None:
    root = bench.folder / "library"
    real = {"mp3": media.song(), "mp4": media.film(), "jpg": media.photo()}
    await asyncio.to_thread(make_tree, root, FILES, real)
    count = iter(range(1_000_000))

    async def look() -> Mapping[str, float]:
        return await _look(root, bench.folder / "state", FILES)

    async def whole() -> Mapping[str, float]:
        return await _described(bench.folder / f"whole {next(count)}", root)

    async def minidlna() -> Mapping[str, float]:
        return await _minidlna(root, bench.folder / f"minidlna {next(count)}")

    async def tenth() -> Mapping[str, float]:
        return {"part of the first look, unchanged": 0.1}

    ways: dict[str, Probe] = {"Mantel": look, "Mantel, whole": whole, "a tenth": tenth}
    try:
        async with peers.minidlna(root, bench.folder / "minidlna") as peer:
            bench.versions["minidlna"] = peer.version
        ways["minidlna"] = minidlna
    except peers.Missing as missing:
        bench.missing.append(str(missing))
    await bench.compare(
        f"A look at {FILES:,} files",
        ways,
        {
            ("Mantel", "files/s, browsable"): [Target("minidlna", 10, False)],
            ("Mantel, whole", "files/s, described"): [Target("minidlna", 1, False)],
            ("Mantel", "part of the first look, unchanged"): [Target("a tenth", 1)],
        },
        note="MiniDLNA lists a file when it has read what is in it; Mantel when it has found it, and a "
        "search finds them at the end of the look. Mantel, whole: server and daemon, from their start until "
        "the last file is described.",
    )

    async def growing() -> Mapping[str, float]:
        found = {}
        for many in MANY:
            folder = bench.folder / f"many {many}"
            if not folder.exists():
                await asyncio.to_thread(make_tree, folder, many, dict.fromkeys(real, b""))
            looked = await _look(folder, bench.folder / "state", many)
            found[f"files/s of {many:,}"] = looked["files/s, searchable"]
        return {**found, "100,000 beside 10,000": found["files/s of 100,000"] / found["files/s of 10,000"]}

    async def limit() -> Mapping[str, float]:
        return {"100,000 beside 10,000": 0.7}

    await bench.compare(
        "First looks at more and more files",
        {"Mantel": growing, "no knee": limit},
        {("Mantel", "100,000 beside 10,000"): [Target("no knee", 1, False)]},
        note="Empty files: what is measured is the index.",
    )


async def _look(root: Path, state: Path, count: int) -> dict[str, float]:
    """Scans into an empty index, and again."""
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    database = Database(f"sqlite+aiosqlite:///{state}/mantel.db")
    await database.migrate()
    library = Library(database, Journal(database), [root], state=state)
    await library.adopt_roots()
    gc.collect()
    gc.freeze()  # as the appliance does when it has started
    clock = time.perf_counter()

    async def listed() -> float:
        while (await library.count())[0] < count:
            await asyncio.sleep(0.02)
        return time.perf_counter() - clock

    listing = asyncio.create_task(listed())
    result = await library.scan()
    first = time.perf_counter() - clock
    assert result.looked_at == count
    clock, until_listed = time.perf_counter(), await listing
    await library.scan()
    again = time.perf_counter() - clock
    await library.stop()
    await database.close()
    return {
        "files/s, browsable": count / until_listed,
        "files/s, searchable": count / first,
        "part of the first look, unchanged": again / first,
    }


async def _described(folder: Path, root: Path) -> dict[str, float]:
    """The whole appliance, as `make run` starts it."""
    folder.mkdir()
    (folder / "library").symlink_to(root)
    clock = time.perf_counter()
    settings = {"analytics": "on", "analytics_port": str(free_port())}
    async with house(folder, None, "appliance.run", **settings) as home, asyncio.timeout(LONGEST):
        while True:
            with contextlib.closing(sqlite3.connect(home.state / "mantel.db")) as index:
                done = index.execute("select count(*) from files where facts_from is not null").fetchone()[0]
            if done >= FILES:
                break
            await asyncio.sleep(0.2)
        seconds = time.perf_counter() - clock
    shutil.rmtree(root / ".mantel", ignore_errors=True)
    return {"files/s, described": FILES / seconds}


async def _minidlna(root: Path, scratch: Path) -> dict[str, float]:
    """From its start until its own page counts them all."""
    clock = time.perf_counter()
    async with (
        peers.minidlna(root, scratch) as peer,
        aiohttp.ClientSession() as http,
        asyncio.timeout(LONGEST),
    ):
        while True:
            async with http.get(peer.url) as answer:
                said = await answer.text()
            counted = sum(map(int, re.findall(r"files</td><td>(\d+)", said)))
            if counted >= FILES and "in progress" not in said:
                break
            await asyncio.sleep(0.05)
    seconds = time.perf_counter() - clock
    return {"files/s, browsable": FILES / seconds, "files/s, described": FILES / seconds}
