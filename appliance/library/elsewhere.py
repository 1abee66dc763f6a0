"""Noticing what another process wrote, as `mantel scan` does beside a running appliance."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import SQLAlchemyError

from appliance.database import Database
from appliance.library import store
from appliance.library.saving import Saving
from appliance.units import SECONDS

log = logging.getLogger(__name__)

LOOK = 2 * SECONDS


class Elsewhere:
    """Watches the revision while it runs; one that this process did not write is a change of all."""

    def __init__(self, database: Database, saving: Saving) -> None:
        self._database, self._saving = database, saving
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        async with self._database.read() as connection:
            self._saving.revision = await store.revision(connection)
        self._task = asyncio.create_task(self._run(), name="library revision")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        async for _ in self._database.writes(LOOK):
            try:
                await self.look()
            except (OSError, SQLAlchemyError):
                log.exception("the library's revision cannot be read; the next look comes")

    async def look(self) -> None:
        async with self._database.read() as connection:
            found = await store.revision(connection)
        if found > self._saving.revision:
            self._saving.wrote_elsewhere(found)
