"""All rows of one store into another, SQLite or PostgreSQL, each row compared afterwards.

Both stores have the same tables already. What a database keeps for itself (search indexes) follows from
the rows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.errors import Conflict

AT_ONCE = 500
"""Rows in memory of one side."""


async def copy_rows(
    source: AsyncConnection, target: AsyncConnection, tables: Iterable[Table]
) -> AsyncIterator[tuple[str, int]]:
    """Replaces what `target` holds in `tables` by what `source` holds; gives (table, rows) for each.

    `tables` as the target has them, parents before children. Conflict names the first table and row that do
    not arrive as they were. Run it to its end before either side commits.
    """
    tables = list(tables)
    for table in reversed(tables):
        await target.execute(table.delete())
    for table in tables:
        try:
            async for rows in (await source.stream(_all(table, source))).partitions(AT_ONCE):
                await target.execute(_insert(table, target), [_parameters(row._mapping) for row in rows])
        except DBAPIError as error:
            raise Conflict(f"A row of {table.name} is not taken: {error.orig}") from error
        await _continue_numbers(target, table)
        yield table.name, await _compared(source, target, table)


def _all(table: Table, connection: AsyncConnection) -> Select[Any]:
    """Every row, in an order that is the same on both databases, with JSON as its text."""
    own = [*table.primary_key.columns] or [*table.columns]
    # A folder stands in another one; the deeper comes later.
    first = [table.c.depth] if "depth" in table.c else []
    texts = [
        cast(column, Text).label(column.name) if _is_json(column) else column for column in table.columns
    ]
    return select(*texts).order_by(*first, *(_by_bytes(column, connection) for column in own))


def _by_bytes(column: Column[Any], connection: AsyncConnection) -> Any:
    """SQLite compares bytes; PostgreSQL by the language's rules unless told otherwise."""
    in_words = connection.dialect.name == "postgresql" and isinstance(column.type, String)
    return column.collate("C") if in_words else column


def _insert(table: Table, connection: AsyncConnection) -> Any:
    def value(column: Column[Any]) -> Any:
        if not _is_json(column):
            return bindparam(f"new_{column.name}", type_=column.type)
        text = bindparam(f"new_{column.name}", type_=Text())
        return cast(text, JSONB) if connection.dialect.name == "postgresql" else text

    return insert(table).values({column.name: value(column) for column in table.columns})


def _parameters(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in row.items()}


async def _compared(source: AsyncConnection, target: AsyncConnection, table: Table) -> int:
    """Rows on both sides. Conflict where they differ."""
    texts = {column.name for column in table.columns if _is_json(column)}

    def known(row: Mapping[Any, Any]) -> dict[str, Any]:
        return {
            name: json.loads(value) if name in texts and value is not None else value
            for name, value in row.items()
        }

    count = 0
    sent = await source.stream(_all(table, source))
    arrived = await target.stream(_all(table, target))
    while True:
        ours, theirs = [
            [known(row._mapping) for row in await side.fetchmany(AT_ONCE)] for side in (sent, arrived)
        ]
        if ours != theirs:
            place = next(
                (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(theirs)
            )
            raise Conflict(f"Row {count + place + 1} of {table.name} did not arrive as it was.")
        if not ours:
            await sent.close()
            await arrived.close()
            return count
        count += len(ours)


async def _continue_numbers(target: AsyncConnection, table: Table) -> None:
    """PostgreSQL's sequences know nothing of numbers that were given."""
    if target.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if isinstance(column.type, (Integer, BigInteger)):
            name = f"{table.schema}.{table.name}" if table.schema else table.name
            sequence = func.pg_get_serial_sequence(name, column.name)
            largest = select(func.max(column)).scalar_subquery()
            await target.execute(select(func.setval(sequence, largest)).where(largest.is_not(None)))


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)
