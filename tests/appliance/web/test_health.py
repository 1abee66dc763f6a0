"""The box's health, as an admin's page asks for it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from appliance.database import Database
from appliance.units import KIB
from appliance.web.health import Health
from tests.house import house, sign_in
from tests.postgres import any_database as any_database
from tests.postgres import postgres_url as postgres_url


async def test_health_names_what_is_wrong(tmp_path: Path) -> None:
    async with (
        house(tmp_path, analytics="on", analytics_port="1", rescan_seconds="5") as home,
        sign_in(home) as http,
    ):
        async with http.get("/health") as answer:
            assert answer.status == 200
            first = await answer.json()
        (root,) = first["roots"]
        assert root["online"]
        assert 0 < root["free_bytes"] <= root["total_bytes"]
        assert 0 < first["state"]["free_bytes"]
        assert first["daemon"] | {"wanted": True, "reached": False, "said": None} == first["daemon"]
        assert first["daemon"]["waiting"] > 0, "the sign-in, at least"
        assert first["database"]["kind"] == "SQLite"
        assert first["network"] == [{"interface": "lo", "address": "127.0.0.1", "network": "127.0.0.0/8"}]
        assert first["scan"]["files"] == 0
        assert {"mantel", "python", "ffmpeg"} <= set(first["versions"])
        assert "library" not in {one["about"] for one in first["problems"]}
        shutil.rmtree(home.library / ".mantel")
        async with asyncio.timeout(30), http.get("/events/live") as live:
            async for line in live.content:
                if line.startswith(b"event: health"):
                    async with http.get("/health") as answer:
                        told = await answer.json()
                    if "library" in {one["about"] for one in told["problems"]}:
                        break
        assert not told["ok"]
        assert told["roots"][0] | {"online": False, "free_bytes": None} == told["roots"][0]
        assert all(one["said"] and one["remedy"] for one in told["problems"])


async def test_health_knows_its_database(any_database: Database) -> None:
    nothing: Any = MagicMock()
    health = Health(any_database, nothing, nothing, None, nothing, nothing, nothing, nothing)
    told = await health._store()
    assert told["kind"] == ("SQLite" if any_database.is_sqlite else "PostgreSQL")
    assert told["version"][0].isdigit()
    # Its tables at the least, which may all lie in SQLite's write-ahead log.
    assert told["bytes"] > 64 * KIB
