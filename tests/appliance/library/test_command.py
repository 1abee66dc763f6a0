"""`mantel scan` as a person runs it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.errors import NotFound
from appliance.journal.journal import Journal
from appliance.library.items import FileQuery
from appliance.library.library import Library
from tests.appliance.library.conftest import EVERYBODY, put, settle


def mantel_scan(tmp_path: Path, *words: str) -> tuple[int, str]:
    env = {
        "PATH": os.environ["PATH"],
        "MANTEL_LIBRARY": str(tmp_path / "media"),
        "MANTEL_STATE": str(tmp_path / "state"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "scan", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_scan_says_what_it_did(tmp_path: Path) -> None:
    put(tmp_path / "media", "Films/a.mp4")
    put(tmp_path / "media", "b.mp3")
    assert mantel_scan(tmp_path) == (0, "2 added, 0 changed, 0 removed\n")
    assert mantel_scan(tmp_path) == (0, "0 added, 0 changed, 0 removed\n")
    (tmp_path / "media/b.mp3").rename(tmp_path / "media/Films/c.mp3")
    (tmp_path / "media/Films/a.mp4").unlink()
    assert mantel_scan(tmp_path) == (0, "0 added, 1 changed, 1 removed\n")


def test_a_root_that_lost_its_id_is_away_until_adopted(tmp_path: Path) -> None:
    put(tmp_path / "media", "a.mp4")
    mantel_scan(tmp_path)
    shutil.rmtree(tmp_path / "media/.mantel")
    put(tmp_path / "media", "b.mp4")
    code, said = mantel_scan(tmp_path)
    assert code == 1
    assert "0 added, 0 changed, 0 removed" in said
    assert "mantel scan --adopt" in said
    assert mantel_scan(tmp_path, "--adopt") == (0, "1 added, 0 changed, 0 removed\n")


async def test_a_running_appliance_tells_what_the_command_wrote(tmp_path: Path) -> None:
    put(tmp_path / "media", "a.mp4")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'state/mantel.db'}")
    (tmp_path / "state").mkdir()
    await database.migrate()
    running = Library(database, Journal(database), [tmp_path / "media"], state=tmp_path / "state")
    await running.adopt_roots()
    await settle(running)
    await running._elsewhere.start()
    (file,) = (await running.page(FileQuery(query="a"), EVERYBODY)).items
    (await running.open(file.id, EVERYBODY)).close()
    changes = running.changes.subscribe()
    put(tmp_path / "media", "wholly new.mp4")
    (tmp_path / "media/a.mp4").unlink()
    said = await asyncio.to_thread(mantel_scan, tmp_path)
    assert said == (0, "1 added, 0 changed, 1 removed\n")
    async with asyncio.timeout(20):
        change = await anext(changes)
    assert change.revision == await running.revision()
    found = await running.page(FileQuery(query="whoolly"), EVERYBODY)
    assert [one.name for one in found.items] == ["wholly new.mp4"]
    with pytest.raises(NotFound):
        await running.file(file.id, EVERYBODY)
    await running.stop()
    await database.close()
