"""What all provisioning tests stand on: what `make dist` makes, and a house."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import House
from tests.provisioning.playbook import ROOT


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder that `make dist` fills, filled now; or the one named by MANTEL_TEST_DIST, as it is."""
    given = os.environ.get("MANTEL_TEST_DIST")
    if given:
        return Path(given)
    subprocess.run(["make", "--silent", "dist"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / "dist"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as house:
        yield house
