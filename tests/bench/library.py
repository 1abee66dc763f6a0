"""A first look at 10,000 files, and the next one.

6,000 songs, 2,000 clips, 2,000 photos: copies of three real ones. Mantel's look makes them browsable and
playable; what is in them is described later, beside everything else.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library
from appliance.library.scan import SETTLED
from tests import media
from tests.bench.bench import Bench
from tests.bench.names import paths

FILES = 10_000


def make_tree(root: Path) -> None:
    """Folders as a household has them; each file old enough in the end to be taken at once."""
    kinds = {"mp3": media.song(), "mp4": media.film(), "jpg": media.photo()}
    share = {"mp3": 6, "mp4": 2, "jpg": 2}
    turns = itertools.cycle([kind for kind, count in share.items() for _ in range(count)])
    for path, kind in zip(paths(FILES), turns, strict=False):
        file = (root / path).with_suffix(f".{kind}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(kinds[kind])
    time.sleep(SETTLED + 0.1)


async def look(root: Path, state: Path) -> Mapping[str, float]:
    """Scans into an empty index, and again."""
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    database = Database(f"sqlite+aiosqlite:///{state}/mantel.db")
    await database.migrate()
    library = Library(database, Journal(database), [root], state=state)
    await library.adopt_roots()
    figures: dict[str, float] = {}
    for name in ("first", "again"):
        clock, cpu = time.perf_counter(), time.process_time()
        result = await library.scan()
        figures[f"files/s, {name}"] = result.looked_at / (time.perf_counter() - clock)
        figures[f"CPU ms/file, {name}"] = (time.process_time() - cpu) * 1000 / result.looked_at
    await library.stop()
    await database.close()
    return figures


async def run(bench: Bench) -> None:
    root = bench.folder / "media"
    root.mkdir()
    await asyncio.to_thread(make_tree, root)
    ways = {"Mantel": lambda: look(root, bench.folder / "state")}
    await bench.compare(f"A look at {FILES} files", ways, rounds=min(bench.rounds, 3))
