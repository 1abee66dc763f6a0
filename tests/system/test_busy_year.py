"""Half a million events on the real jar with its real options: it stays small, and its figures are printed.

Times depend on the machine and what else runs on it, so they are shown and not asserted.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from appliance.units import MIB
from tests.daemon import Daemon, batches, daemon
from tests.postgres import Postgres
from tests.system.busy_year import FILM, FILMS, MTIME_NS, USERS, files, keyframes, year

pytestmark = [pytest.mark.slow, pytest.mark.jar, pytest.mark.timeout(900)]

LARGEST = 220 * MIB
REQUESTS = 1000
REPORTS = [
    "/api/analytics/popular?range=7d",
    "/api/analytics/popular?range=400d&limit=100",
    "/api/analytics/popular?range=24h",
    "/api/analytics/users/engagement?range=400d",
    f"/api/analytics/users/engagement?range=400d&userId={USERS[0]}",
    f"/api/analytics/heatmap?fileId={FILMS[0]}",
    "/api/analytics/most-replayed",
    "/api/analytics/storage/summary",
    "/api/analytics/insights",
    "/api/analytics/search-insights",
    "/api/analytics/search-insights?query=slow+fery",
    "/api/stats",
]
FACTS = (
    "insert into {}file_facts (file_id, size_bytes, mtime_ns, described_at, facts, pending, duration_sec,"
    " keyframes, sha256) values ({}, {}, {}, 0, '{{}}', 0, {}, {}, {})"
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The daemon's setting for an empty store."""
    if request.param == "sqlite":
        yield {}
        return
    server = Postgres()
    plain = server.new_database().removeprefix("postgresql+asyncpg://mantel@")
    yield {"analytics_database_url": f"jdbc:postgresql://{plain}?user=mantel"}
    server.stop()


def facts() -> list[tuple[str, int, int, float, bytes | None, str]]:
    index = keyframes(*FILM)
    return [
        (file_id, size, MTIME_NS, seconds, index if kind == "video" else None, file_id)
        for file_id, kind, size, seconds in files()
    ]


async def know(state: Path, store: dict[str, str]) -> None:
    """What the analysis would have found in each file, put into the store of a daemon that is not running."""
    if not store:
        with sqlite3.connect(state / "analytics.db") as database:
            database.executemany(FACTS.format("", *"??????"), facts())
        return
    url = store["analytics_database_url"].removeprefix("jdbc:").partition("?")[0]
    connection = await asyncpg.connect(url.replace("//", "//mantel@"))
    await connection.executemany(FACTS.format("analytics.", *(f"${n}" for n in range(1, 7))), facts())
    await connection.close()


async def counted_again(folder: Path, running: Daemon) -> re.Match[str]:
    """The log's line on the year that was counted again."""
    async with asyncio.timeout(300):
        while not (
            found := re.search(r"counted (3\d\d) days in ([\d.]+) s", (folder / "daemon.log").read_text())
        ):
            assert running.process.returncode is None
            await asyncio.sleep(0.2)
    return found


async def test_a_year_of_a_busy_household(
    tmp_path: Path, store: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    figures: dict[str, str] = {}
    async with daemon(tmp_path, **store) as running:
        figures["start, empty"] = f"{running.started:.1f} s, {running.busy:.1f} s of processor time"
    await know(tmp_path / "state", store)
    async with daemon(tmp_path, **store) as running:
        count, began = 0, time.monotonic()
        for batch in batches(year()):
            answer = await running.send("the-year", batch)
            assert answer["accepted"] == len(batch)
            count += len(batch)
        took = time.monotonic() - began
        figures["events"] = f"{count:,}, stored at {count / took:,.0f} a second beside rollups"
        figures["resident after the feed"] = f"{running.resident / MIB:.0f} MiB"
    assert count > 500_000
    # Another time zone: every day is counted again.
    async with daemon(tmp_path, timezone="Asia/Kathmandu", **store) as running:
        busy = running.busy
        figures["start, full"] = f"{running.started:.1f} s, {busy:.1f} s of processor time"
        found = await counted_again(tmp_path, running)
        figures["rollup"] = f"{found[1]} days in {found[2]} s, {running.busy - busy:.1f} s of processor time"
        took_by: dict[str, list[float]] = {path: [] for path in REPORTS}
        for number in range(REQUESTS):
            path = REPORTS[number % len(REPORTS)]
            began = time.monotonic()
            answer = await running.get(path)
            took_by[path].append(time.monotonic() - began)
            assert answer
        for path, took_all in took_by.items():
            middle, most = sorted(took_all)[len(took_all) // 2], max(took_all)
            figures[path] = f"{middle * 1000:.0f} ms, at most {most * 1000:.0f} ms"
        resident = running.resident
        figures["resident"] = f"{resident / MIB:.0f} MiB"
        popular = await running.get("/api/analytics/popular?range=400d")
        assert popular["items"][0]["streams"] > 100
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name:64} {value}" for name, value in figures.items()))
    assert resident < LARGEST
