"""`mantel scan`: bringing the index in line with the disk, without the page."""

from __future__ import annotations

import asyncio
import sys

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library
from appliance.library.scan import Result
from appliance.settings import Settings
from appliance.units import SECONDS

MOST_LOOKS = 30
"""A file that is written all the while is left to the running appliance."""
BAR = 30
"""Characters."""


async def scan(settings: Settings, adopt: bool) -> int:
    """Look at every root once, with a progress bar; `adopt` accepts a new or replaced root.

    Prints what was added, changed and removed; 1 when a root is away.
    """
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.appliance_database_url)
    try:
        await database.migrate()
        library = Library(database, Journal(database), settings.library, state=settings.state)
        await library.adopt_roots(adopt)
        known, _ = await library.count()
        shown = sys.stderr.isatty()
        total = Result()
        for _ in range(MOST_LOOKS):
            result = await library.scan(lambda so_far: _show(so_far.looked_at, known) if shown else None)
            total += result
            if not result.unsettled:
                break
            await asyncio.sleep(SECONDS)
        if shown:
            print(file=sys.stderr)
        print(f"{total.added} added, {total.changed} changed, {total.removed} removed")
        away = [root for root in library.roots if not root.online]
        for root in away:
            print(f"{root.path} is away: {root.why_away}")
        missing = set(settings.library) - {root.path for root in library.roots}
        for path in sorted(missing):
            print(f"{path} is away: there is no such folder, or it cannot be written")
        await library.stop()
        return 1 if away or missing else 0
    finally:
        await database.close()


def _show(looked_at: int, known: int) -> None:
    part = min(1.0, looked_at / known) if known else 0.0
    filled = "█" * round(part * BAR)
    print(f"\r{filled:░<{BAR}} {looked_at} files", end="", file=sys.stderr, flush=True)
