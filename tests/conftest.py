"""What many tests stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.samples import make_samples
from tests.postgres import any_database, postgres, postgres_url


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of this test's own, on SQLite, with all tables."""
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    await found.migrate()
    yield found
    await found.close()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real clips, songs and photos, made once; copy before you change them."""
    found = tmp_path_factory.mktemp("media") / "library"
    make_samples(found, lambda _line: None)
    return found


__all__ = ["any_database", "database", "postgres", "postgres_url"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests beside programs that are not ours (renderers, browsers, mDNS) run once more when they fail.

    Such a program may drop a packet or start late on a busy machine. The summary names each rerun.
    """
    for item in items:
        if {"netns", "browser"} & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.flaky(reruns=1))
