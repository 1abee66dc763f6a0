"""The analytics daemon alone, as its unit starts it: the real jar with the real options, fed by the test."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from appliance.run import JAR, JVM_OPTIONS, daemon_command
from tests.ports import free_port

TOKEN = "a-token-of-the-tests-only"
START_SECONDS = 60


@dataclass
class Daemon:
    """One running daemon. `http` carries its token; `started` is how long it took to answer, in seconds."""

    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    state: Path
    started: float

    @property
    def resident(self) -> int:
        """Resident memory in bytes (proc(5), VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @property
    def busy(self) -> float:
        """Processor time that it has used, in seconds (proc(5), stat)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def get(self, path: str) -> Any:
        async with self.http.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, epoch: str, events: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch, at most 500 events with their `seq`; its answer."""
        batch = {"epoch": epoch, "from": events[0]["seq"], "to": events[-1]["seq"], "events": events}
        async with self.http.post("/api/analytics/ingest", json=batch) as answer:
            assert answer.status == 202, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found


async def spawn(folder: Path, port: int, **settings: str) -> asyncio.subprocess.Process:
    """The daemon's process over `folder`, which may not answer yet; the caller ends it."""
    state = folder / "state"
    (state / "keys").mkdir(parents=True, exist_ok=True)
    for name in ("to-daemon", "to-appliance"):
        if not (state / "keys" / name).exists():
            (state / "keys" / name).write_text(TOKEN)
            (state / "keys" / name).chmod(0o600)
    (folder / "library").mkdir(exist_ok=True)
    java = shutil.which("java")
    assert java, "Java is missing"
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {
        "MANTEL_STATE": str(state),
        "MANTEL_LIBRARY": str(folder / "library"),
        "MANTEL_ANALYTICS_PORT": str(port),
        "MANTEL_INTERNAL_PORT": str(free_port()),
        "MANTEL_TIMEZONE": "Europe/Oslo",
    } | {f"MANTEL_{name.upper()}": value for name, value in settings.items()}
    with (folder / "daemon.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *daemon_command(java, JAR, JVM_OPTIONS), stdout=log, stderr=log, env=environment, cwd=folder
        )


@asynccontextmanager
async def daemon(folder: Path, **settings: str) -> AsyncIterator[Daemon]:
    """The daemon over `folder`, until the block ends. `settings`: MANTEL_… in lower case."""
    began = time.monotonic()
    port = free_port()
    process = await spawn(folder, port, **settings)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
            await _answering(http, process, folder)
            yield Daemon(process, http, folder / "state", time.monotonic() - began)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answering(http: aiohttp.ClientSession, process: asyncio.subprocess.Process, folder: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            if process.returncode is not None:
                raise AssertionError(f"the daemon ended at its start:\n{(folder / 'daemon.log').read_text()}")
            try:
                async with http.get("/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


def batches(events: Iterable[dict[str, Any]], size: int = 500) -> Iterable[list[dict[str, Any]]]:
    """`events` in lists of `size`, each with the next `seq`."""
    waiting: list[dict[str, Any]] = []
    for seq, event in enumerate(events, 1):
        waiting.append(event | {"seq": seq})
        if len(waiting) == size:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
