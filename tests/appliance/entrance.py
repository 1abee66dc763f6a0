"""A web app with real accounts on a database of its own, for tests of any feature's routes.

async with entrance(tmp_path, blueprint(...)) as house:
    mira = await house.sign_in("mira", Role.EDITOR)
    answer = await mira.get("/files")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quart import Blueprint, Quart

from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Role
from appliance.accounts.client import Client
from appliance.accounts.routes import blueprint as accounts_blueprint
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.settings import Settings, read_settings
from appliance.web.access import EVENTS
from appliance.web.app import create_web_app
from appliance.web.live import Live
from appliance.web.routes import blueprint as web_blueprint
from tests.postgres import url_of_the_run

PASSWORD = "correct horse battery"
CHEAP = 4
"""bcrypt's least cost."""
ORIGIN = "http://localhost"


@dataclass
class Browser:
    """A client with a bearer token (or none), as a program would call."""

    app: Quart
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, **more: Any) -> Any:
        headers = self.headers | more.pop("headers", {})
        client = self.app.test_client(use_cookies=False)
        return await client.open(path, method=method, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> Any:
        return await self.call("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Any:
        return await self.call("POST", path, **more)

    async def patch(self, path: str, **more: Any) -> Any:
        return await self.call("PATCH", path, **more)

    async def put(self, path: str, **more: Any) -> Any:
        return await self.call("PUT", path, **more)

    async def delete(self, path: str, **more: Any) -> Any:
        return await self.call("DELETE", path, **more)


@dataclass
class House:
    app: Quart
    settings: Settings
    accounts: Accounts
    database: Database
    live: Live
    journal: Journal

    @property
    def nobody(self) -> Browser:
        return Browser(self.app)

    async def sign_in(self, name: str, role: Role) -> Browser:
        """A new person of that role (GUEST: a guest), signed in by bearer."""
        client = Client("127.0.0.1", "test", "plain")
        person = None
        if role is not Role.GUEST:
            person = await self.accounts.users.create(name, PASSWORD, role)
        async with self.database.write() as connection:
            issued = await self.accounts.sessions.begin(connection, person, client, "password")
        return Browser(self.app, {"Authorization": f"Bearer {issued.access}"})


@asynccontextmanager
async def entrance(
    tmp_path: Path, *blueprints: Blueprint, database_url: str | None = None, **settings: str
) -> AsyncIterator[House]:
    """`settings`: as environment variables without prefix, such as guest="on"."""
    given = {"STATE": str(tmp_path / "state"), "LIBRARY": str(tmp_path / "library")}
    given |= {key.upper(): value for key, value in settings.items()}
    if database_url := database_url or url_of_the_run(tmp_path):
        given["DATABASE_URL"] = database_url
    read = read_settings({f"MANTEL_{key}": value for key, value in given.items()})
    read.state.mkdir(parents=True, exist_ok=True)
    for root in read.library:
        root.mkdir(parents=True, exist_ok=True)
    database = Database(read.appliance_database_url)
    await database.migrate()
    journal = Journal(database)
    await journal.start()
    live = Live(EVENTS)
    accounts = Accounts(read, database, journal, cost=CHEAP, tell=live.publish)
    await accounts.start()
    all_blueprints: Iterable[Blueprint] = (
        accounts_blueprint(accounts),
        web_blueprint(live),
        *blueprints,
    )
    app = create_web_app(read, accounts, all_blueprints)
    try:
        yield House(app, read, accounts, database, live, journal)
    finally:
        live.stop()
        await accounts.stop()
        await journal.stop()
        await database.close()
