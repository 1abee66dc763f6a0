"""What many tests stand on."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance import samples
from appliance.database import Database
from tests.postgres import any_database, any_database_url, postgres, postgres_url, url_of_the_run


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of this test's own, on SQLite, with all tables."""
    found = Database(url_of_the_run(tmp_path) or f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    await found.migrate()
    yield found
    await found.close()


@pytest.fixture(scope="session")
def media() -> Path:
    """Real clips, songs and photos, kept until what makes them changes; copy before you change them."""
    how = hashlib.sha256(Path(samples.__file__).read_bytes()).hexdigest()[:12]
    found = Path(tempfile.gettempdir()) / f"mantel-samples-{os.getuid()}-{how}"
    found.mkdir(mode=0o700, exist_ok=True)
    with (found / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        samples.make_samples(found / "library", lambda _line: None)
    return found / "library"


__all__ = ["any_database", "any_database_url", "database", "postgres", "postgres_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests beside programs that are not ours (renderers, browsers, mDNS) run once more when they fail.

    Such a program may drop a packet or start late on a busy machine. The summary names each rerun.
    """
    for item in items:
        if {"netns", "browser"} & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.flaky(reruns=1))
