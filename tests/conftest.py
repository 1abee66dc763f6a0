"""What many tests stand on."""

import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.samples import make_samples
from tests.postgres import any_database, any_database_url, postgres, postgres_url


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of this test's own, on SQLite, with all tables."""
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    await found.migrate()
    yield found
    await found.close()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real clips, songs and photos, made once a run for all workers; copy before you change them."""
    base = tmp_path_factory.getbasetemp()
    found = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "media"
    with found.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            make_samples(found.with_suffix(".part"), lambda _line: None)
            found.with_suffix(".part").rename(found)
    return found


__all__ = ["any_database", "any_database_url", "database", "postgres", "postgres_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests beside programs that are not ours (renderers, browsers, mDNS) run once more when they fail.

    Such a program may drop a packet or start late on a busy machine. The summary names each rerun.
    """
    for item in items:
        if {"netns", "browser"} & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.flaky(reruns=1))
