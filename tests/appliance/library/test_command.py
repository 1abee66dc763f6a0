"""`mantel scan` as a person runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.appliance.library.conftest import put


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
