"""A household moves from SQLite to PostgreSQL: people, files and what was watched are there as before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.run import JAR, JVM_OPTIONS, daemon_command, daemon_environment
from appliance.settings import read_settings
from tests.house import House, files_when, house, sign_in
from tests.ports import free_port
from tests.system.test_thread import until

pytestmark = [pytest.mark.jar, pytest.mark.postgres, pytest.mark.timeout(240)]


@contextlib.asynccontextmanager
async def daemon_alone(home: House, jdbc: str) -> AsyncIterator[None]:
    """The daemon's first start on the new database, once it answers."""
    variables = home.environment | {"MANTEL_ANALYTICS_DATABASE_URL": jdbc}
    java = shutil.which("java")
    assert java
    process = await asyncio.create_subprocess_exec(
        *daemon_command(java, JAR, JVM_OPTIONS),
        env=daemon_environment(read_settings(variables), dict(os.environ)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{variables['MANTEL_ANALYTICS_PORT']}/health"):
                        break
                await asyncio.sleep(0.2)
        yield
    finally:
        process.terminate()
        await process.wait()


async def migrate(home: House, *words: str | Path) -> str:
    """`mantel migrate-database`; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", "migrate-database", *words,
        env=home.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


async def watch(http: aiohttp.ClientSession, file_id: str) -> None:
    async with http.get(f"/files/{file_id}/stream", headers={"Range": "bytes=0-99999"}) as answer:
        await answer.read()


def streams(report: dict[str, Any], file_id: str) -> int:
    return sum(item["streams"] for item in report["items"] if item["fileId"] == file_id)


async def test_all_is_there_as_before(tmp_path: Path, media: Path, postgres_url: str) -> None:
    settings = {"analytics": "on", "analytics_port": str(free_port())}
    popular, unsettled = "/api/analytics/popular?range=7d", {"last_accessed_at": None}
    async with house(tmp_path, media, "appliance.run", **settings) as old, sign_in(old) as http:
        files = await files_when(old, http, 12)
        film, song = (next(f for f in files if f["type"] == kind) for kind in ("video", "audio"))
        await watch(http, film["id"])
        await until(http, popular, lambda a: streams(a, film["id"]) == 1)
        for file in files:  # what is told later would be a difference
            await until(http, f"/files/{file['id']}", lambda a: a["sha256"])
        files = await files_when(old, http, 12)

    jdbc = postgres_url.replace("postgresql+asyncpg://mantel@", "jdbc:postgresql://") + "?user=mantel"
    async with daemon_alone(old, jdbc):
        pass
    assert "files                12" in await migrate(old, postgres_url)
    assert "file_facts           12" in await migrate(
        old, postgres_url, "--daemon", old.state / "analytics.db"
    )

    moved = settings | {"database_url": postgres_url, "analytics_database_url": jdbc}
    async with house(tmp_path, None, "appliance.run", **moved) as new, sign_in(new) as http:
        assert [f | unsettled for f in await files_when(new, http, 12)] == [f | unsettled for f in files]
        await until(http, popular, lambda a: streams(a, film["id"]) == 1)
        await watch(http, song["id"])
        after = await until(http, popular, lambda a: streams(a, song["id"]) == 1)
        assert streams(after, film["id"]) == 1
