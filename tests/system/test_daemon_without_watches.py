"""The real daemon where the kernel gives it few watches: it looks by itself at what it cannot watch."""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

import pytest
from aiohttp import web

from appliance.run import JAR, JVM_OPTIONS
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(120)]

WATCHES, FOLDERS = 12, 40


async def test_a_change_in_a_folder_without_a_watch_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    for name in ("to-daemon", "to-appliance"):
        (tmp_path / "keys" / name).write_text(secrets.token_hex(32))
    folders = [tmp_path / "library" / f"{number:02}" for number in range(FOLDERS)]
    for folder in folders:
        folder.mkdir(parents=True)
    told: set[str] = set()
    heard = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        told.update((await request.json())["paths"])
        heard.set()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/internal/hooks/library-changed", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    log = tmp_path / "log"
    with log.open("wb") as writing:
        # The limit is the user namespace's own.
        daemon = await asyncio.create_subprocess_exec(
            "unshare", "--user", "--map-root-user", "sh", "-c",
            f'echo {WATCHES} > /proc/sys/user/max_inotify_watches; exec java "@{JVM_OPTIONS}" -jar "{JAR}"',
            stdout=writing, stderr=writing,
            env={
                "PATH": os.environ["PATH"],
                "MANTEL_STATE": str(tmp_path),
                "MANTEL_LIBRARY": str(tmp_path / "library"),
                "MANTEL_ANALYTICS_PORT": str(free_port()),
                "MANTEL_INTERNAL_PORT": str(runner.addresses[0][1]),
            },
        )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while "not all folders can be watched" not in log.read_text():
                await asyncio.sleep(0.2)
        # It says so in the middle of its first walk, of which nothing is news.
        await asyncio.sleep(3)
        for folder in folders:
            (folder / "new.txt").write_text("x")
        async with asyncio.timeout(40):
            while not {str(folder) for folder in folders} <= told:
                heard.clear()
                await heard.wait()
    finally:
        daemon.terminate()
        await daemon.wait()
        await runner.cleanup()
