"""What was freed goes back to the system, also where something that lives lies behind it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

import pytest

from appliance import wiring

BLOCKS, SIZE = 20_000, 6_000


def resident() -> int:
    """Bytes (proc(5), VmRSS)."""
    return 1024 * int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0])


async def test_holes_in_the_heap_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[bytes | None] = [bytes(SIZE) for _ in range(BLOCKS)]
    for number in range(BLOCKS):
        if number % 50:
            blocks[number] = None
    before = resident()
    monkeypatch.setattr(wiring, "TRIM_EACH", 0.01)
    giving = asyncio.create_task(wiring._give_memory_back())
    async with asyncio.timeout(10):
        while resident() > before - BLOCKS * SIZE // 2:
            await asyncio.sleep(0.05)
    giving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await giving
    assert blocks[0] is not None
