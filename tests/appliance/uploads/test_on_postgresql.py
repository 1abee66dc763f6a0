"""What uploads ask of a database, asked of PostgreSQL: the tests are those of SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from appliance.database import Database
from tests.appliance.uploads.test_recovery import (  # noqa: F401
    quiet,
    test_after_the_rename,
    test_all_received_and_not_yet_published,
    test_before_the_rename,
    test_half_received_goes_on,
)
from tests.appliance.uploads.test_tus import (  # noqa: F401
    test_an_upload_in_pieces_of_any_size,
)
from tests.appliance.uploads.test_upload import (  # noqa: F401
    test_a_taken_name_gets_a_number_and_nothing_is_overwritten,
    test_known,
    test_the_same_file_twice_at_once_is_kept_once,
    test_waiting_uploads_are_known_to_their_owner_alone,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    found = Database(postgres_url)
    await found.migrate()
    yield found
    await found.close()
