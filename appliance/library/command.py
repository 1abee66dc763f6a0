"""`mantel scan`: one look at everything from the command line, also while the appliance runs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library
from appliance.library.scan import Result
from appliance.settings import Settings

TICK = 0.2
"""Seconds between two updates of the bar."""
WIDTH = 30


async def scan(settings: Settings, adopt: bool) -> Result:
    """Bring the index in line with the disk; `adopt` accepts a new or replaced root. Raises Unavailable."""
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.appliance_database_url)
    library = Library(database, Journal(database), settings.library, state=settings.state)
    try:
        await database.migrate()
        await library.adopt_roots(adopt)
        drawing = asyncio.create_task(_draw(library, settings.library)) if sys.stderr.isatty() else None
        try:
            return await library.scan()
        finally:
            if drawing:
                drawing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await drawing
    finally:
        for root in library.roots:
            root.close()
        await database.close()


async def _draw(library: Library, roots: tuple[Path, ...]) -> None:
    """A bar that moves while the look goes on: how much there is, nobody knows before it has ended."""
    step = 0
    try:
        while True:
            place = step % (2 * WIDTH)
            bar = " " * WIDTH
            at = place if place < WIDTH else 2 * WIDTH - place - 1
            print(f"\r[{bar[:at]}●{bar[at + 1 :]}] looking into {len(roots)} roots", end="", file=sys.stderr)
            step += 1
            await asyncio.sleep(TICK)
    finally:
        print("\r" + " " * (WIDTH + 40) + "\r", end="", file=sys.stderr)
