"""What `mantel user` and `mantel lockdown` do, in a process of their own beside a running Mantel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.accounts.accounts import Accounts
from appliance.accounts.passwords import COST
from appliance.accounts.setup_code import close_setup
from appliance.accounts.store import User
from appliance.accounts.users import parse_role
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.settings import Settings


@asynccontextmanager
async def _accounts(settings: Settings, cost: int = COST) -> AsyncIterator[tuple[Accounts, Database]]:
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.appliance_database_url)
    await database.migrate()
    accounts = Accounts(settings, database, Journal(database), cost=cost)
    try:
        yield accounts, database
    finally:
        accounts.passwords.close()
        await database.close()


async def add_user(settings: Settings, username: str, role: str, password: str) -> User:
    """Invalid for a bad name, role or password; Conflict when the name is taken."""
    wanted = parse_role(role)
    async with _accounts(settings) as (accounts, database):
        person = await accounts.users.create(username, password, wanted)
        if await accounts.is_set_up():
            async with database.write() as connection:
                await close_setup(connection, settings.state)
        return person


async def list_users(settings: Settings) -> tuple[User, ...]:
    async with _accounts(settings) as (accounts, _):
        return await accounts.users.list()


async def reset_user(settings: Settings, username: str, password: str) -> User:
    """A new password; ends the person's sessions and lifts throttles. NotFound for an unknown name."""
    async with _accounts(settings) as (accounts, _):
        return await accounts.users.reset(username, password)


async def lockdown(settings: Settings) -> None:
    """End every session, link, pairing and cast; a running Mantel notices within a second."""
    async with _accounts(settings) as (accounts, _):
        await accounts.lockdown()
