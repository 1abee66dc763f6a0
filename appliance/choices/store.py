"""Choices in SQL. Each function runs in its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.choices.tables import choices


async def every(connection: AsyncConnection) -> dict[str, Any]:
    return {row.name: row.value for row in await connection.execute(select(choices))}


async def forget(connection: AsyncConnection, names: Iterable[str]) -> None:
    await connection.execute(delete(choices).where(choices.c.name.in_(list(names))))


async def save(connection: AsyncConnection, name: str, value: Any) -> None:
    await forget(connection, [name])
    await connection.execute(insert(choices).values(name=name, value=value))
