"""The daemon's lint is really on: each tool finds the fault that it is there for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.jar, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PACKAGE = "src/main/java/app/mantel/analytics/storage"
HEAD = "package app.mantel.analytics.storage;\n\n"
FAULTS = {
    "google-java-format": (HEAD + "final class Planted {\n      int one = 1;\n}\n", "format violations"),
    "Error Prone": (
        HEAD + "final class Planted {\n  boolean same(String one) {\n    return one.equals(one);\n  }\n}\n",
        "[SelfEquals]",
    ),
    "NullAway": (
        HEAD + "final class Planted {\n  String nothing() {\n    return null;\n  }\n}\n",
        "[NullAway]",
    ),
}


@pytest.mark.parametrize("tool", FAULTS)
def test_a_planted_fault_fails(tool: str, tmp_path: Path) -> None:
    source, word = FAULTS[tool]
    module = tmp_path / "java-analytics"
    shutil.copytree(ROOT / "java-analytics", module, ignore=shutil.ignore_patterns("target"))
    (tmp_path / "appliance").symlink_to(ROOT / "appliance")
    (module / PACKAGE / "Planted.java").write_text(source)
    done = subprocess.run(
        ["mvn", "-q", "-B", "-o", "-f", module / "pom.xml", "-Plint", "compile"],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode != 0
    assert word in done.stdout + done.stderr
