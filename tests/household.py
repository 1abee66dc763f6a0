"""The appliance and its daemon over one folder, each of which may be killed and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg

from tests.daemon import spawn
from tests.house import House, start, stop
from tests.ports import free_port

LOGGED = "select event_id, version, action from access_log"
STORED = (
    "select event_id, version, type from {0}event"
    " union all select event_id, 1, 'file' from {0}file_change"
    " union all select 'set aside ' || seq, 0, reason from {0}ingest_reject"
)


class Household:
    """`postgres`: host, port and name of an empty database for both; else each has its SQLite file."""

    def __init__(self, folder: Path, postgres: str = "") -> None:
        self._folder, self._postgres = folder, postgres
        self._settings = {"analytics_port": str(free_port()), "internal_port": str(free_port())}
        self._ports = {"http_port": str(free_port()), "lan_port": str(free_port())}
        self._stores: tuple[dict[str, str], dict[str, str]] = ({}, {})
        if postgres:
            self._stores = (
                {"database_url": f"postgresql+asyncpg://mantel@{postgres}"},
                {"analytics_database_url": f"jdbc:postgresql://{postgres}?user=mantel"},
            )
        self.daemon: asyncio.subprocess.Process
        self.house: House

    async def start(self) -> None:
        await self.start_daemon()
        await self.start_house()

    async def start_daemon(self) -> None:
        port = int(self._settings["analytics_port"])
        internal = self._settings["internal_port"]
        self.daemon = await spawn(self._folder, port, internal_port=internal, **self._stores[1])

    async def start_house(self) -> None:
        self.house = await start(
            self._folder,
            self._folder / "library",
            analytics="on",
            **self._settings,
            **self._ports,
            **self._stores[0],
        )

    async def kill(self, victim: str) -> None:
        """A power cut for one of them, or both; back at once, the daemon perhaps not yet answering."""
        if victim != "appliance":
            self.daemon.kill()
            await self.daemon.wait()
        if victim != "daemon":
            await self.house.kill()
        if victim != "appliance":
            await self.start_daemon()
        if victim != "daemon":
            await self.start_house()

    async def restart_house(self) -> None:
        """An orderly one: what was still being watched is written down as over."""
        await stop(self.house)
        await self.start_house()

    async def stop(self) -> None:
        await stop(self.house)
        if self.daemon.returncode is None:
            self.daemon.terminate()
            await self.daemon.wait()

    async def logged(self) -> dict[str, tuple[int, str]]:
        """Event id → version and kind of what the appliance has written down."""
        return {row[0]: (row[1], row[2].lower()) for row in await self._rows("mantel.db", LOGGED)}

    async def stored(self) -> dict[str, tuple[int, str]]:
        """The same of what the daemon has stored; nothing before it has made its tables."""
        try:
            rows = await self._rows("analytics.db", STORED.format("analytics." if self._postgres else ""))
        except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
            return {}
        found = {row[0]: (row[1], row[2]) for row in rows}
        assert len(found) == len(rows), "an event is stored twice"
        return found

    async def _rows(self, file: str, sql: str) -> list[Any]:
        if self._postgres:
            connection = await asyncpg.connect(f"postgresql://mantel@{self._postgres}")
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()
        path = self._folder / "state" / file
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()
