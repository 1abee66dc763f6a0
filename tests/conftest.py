"""What many tests stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of this test's own, on SQLite, with all tables."""
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'mantel.db'}")
    await found.migrate()
    yield found
    await found.close()
