"""What the real daemon says on systemd's socket, as a unit of Type=notify with a watchdog."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from pathlib import Path

import pytest

from appliance.run import JAR, JVM_OPTIONS
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.timeout(60)]


def heard(listening: socket.socket) -> str:
    """One message. systemd-notify waits until the descriptor that comes with its barrier is closed."""
    message, descriptors, _, _ = socket.recv_fds(listening, 4096, 4)
    for descriptor in descriptors:
        os.close(descriptor)
    return message.decode()


async def test_ready_alive_and_stopping(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("to-daemon", "to-appliance"):
        (keys / name).write_text(secrets.token_hex(32))
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        daemon = await asyncio.create_subprocess_exec(
            "java", f"@{JVM_OPTIONS}", "-jar", str(JAR),
            env={
                "PATH": os.environ["PATH"],
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "1000000",
                "MANTEL_STATE": str(tmp_path),
                "MANTEL_LIBRARY": str(tmp_path / "library"),
                "MANTEL_ANALYTICS_PORT": str(free_port()),
            },
        )  # fmt: skip

        async def until(word: str) -> None:
            while word not in said:
                said.append(await asyncio.to_thread(heard, listening))

        try:
            await until("READY=1")
            said.clear()
            await until("WATCHDOG=1")
            said.clear()
            await until("WATCHDOG=1")
            daemon.terminate()
            await until("STOPPING=1")
            assert await daemon.wait() == 143
        finally:
            if daemon.returncode is None:
                daemon.kill()
                await daemon.wait()
