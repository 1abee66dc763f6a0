"""A library over a folder of the test's own, on SQLite."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library

EVERYBODY = frozenset(Audience)
GUESTS = frozenset({Audience.EVERYONE})


def put(root: Path, name: str | bytes, content: bytes = b"x", age: float = 60) -> Path:
    """A file that was last written `age` seconds ago, as far as its mtime tells."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(root), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


async def settle(library: Library) -> None:
    """Look until nothing is unsettled any more."""
    for _ in range(5):
        if not (await library.scan()).unsettled:
            return
        await asyncio.sleep(1.05)
    raise AssertionError("the library does not settle")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
async def library(database: Database, root: Path) -> AsyncIterator[Library]:
    """Adopted, not started: tests say when it looks."""
    made = Library(database, Journal(database), [root], state=root.parent / "state")
    await made.adopt_roots()
    yield made
    await made.stop()
