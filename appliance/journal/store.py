"""Every query and write on the journal's tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, insert, null, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.journal.entry import Entry, now_ms
from appliance.journal.tables import access_log, favourites, log_state, popularity, positions


async def epoch(connection: AsyncConnection) -> str:
    """The log's epoch; needs a write transaction the first time."""
    found = (await connection.execute(select(log_state.c.epoch))).scalar()
    if found is None:
        found = str(uuid4())
        await connection.execute(insert(log_state).values(one=1, epoch=found, last_seq=0))
    return str(found)


async def last_seq(connection: AsyncConnection) -> int:
    """The newest row's number; 0 before the first."""
    return int((await connection.execute(select(log_state.c.last_seq))).scalar() or 0)


async def renew_epoch(connection: AsyncConnection) -> None:
    await epoch(connection)
    await connection.execute(update(log_state).values(epoch=str(uuid4())))


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Write entries; one that is there already is replaced and moves to the end.

    That is a span that grew, or a write that was cut off after its commit and is done again.
    """
    if not entries:
        return
    await epoch(connection)
    taken = (
        update(log_state).values(last_seq=log_state.c.last_seq + len(entries)).returning(log_state.c.last_seq)
    )
    first = int((await connection.execute(taken)).scalar_one()) - len(entries) + 1
    statement = _upsert(connection, access_log)
    anew = {name: statement.excluded[name] for name in entries[0].row(first)}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["event_id"], set_=anew),
        [entry.row(first + n) for n, entry in enumerate(entries)],
    )


async def after(connection: AsyncConnection, seq: int, limit: int) -> Sequence[Any]:
    """Rows of the log behind `seq`, in order."""
    query = select(access_log).where(access_log.c.seq > seq).order_by(access_log.c.seq).limit(limit)
    return (await connection.execute(query)).all()


async def forget(connection: AsyncConnection, before_ms: int, through_seq: int) -> int:
    """Delete rows older than `before_ms` that the daemon has read; returns how many."""
    old = delete(access_log).where(access_log.c.ts < before_ms, access_log.c.seq <= through_seq)
    return (await connection.execute(old)).rowcount


def _upsert(connection: AsyncConnection, table: Any) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


async def set_position(connection: AsyncConnection, user_id: str, file_id: str, seconds: float) -> None:
    statement = _upsert(connection, positions).values(
        user_id=user_id, file_id=file_id, seconds=seconds, updated_at=now_ms()
    )
    new = {"seconds": statement.excluded.seconds, "updated_at": statement.excluded.updated_at}
    await connection.execute(statement.on_conflict_do_update(index_elements=["user_id", "file_id"], set_=new))


async def position(connection: AsyncConnection, user_id: str, file_id: str) -> float | None:
    query = select(positions.c.seconds).where(positions.c.user_id == user_id, positions.c.file_id == file_id)
    return (await connection.execute(query)).scalar()


async def marks(
    connection: AsyncConnection, user_id: str, file_ids: Collection[str]
) -> tuple[dict[str, float], set[str]]:
    """A person's positions in these files, and which of them are favourites."""
    begun = select(positions.c.file_id, positions.c.seconds).where(
        positions.c.user_id == user_id, positions.c.file_id.in_(file_ids)
    )
    kept = select(favourites.c.file_id, null()).where(
        favourites.c.user_id == user_id, favourites.c.file_id.in_(file_ids)
    )
    rows = (await connection.execute(union_all(begun, kept))).all()
    return {i: seconds for i, seconds in rows if seconds is not None}, {i for i, at in rows if at is None}


async def recent_positions(connection: AsyncConnection, user_id: str, limit: int) -> list[tuple[str, float]]:
    """(file id, seconds) of what a person left unfinished, newest first."""
    query = (
        select(positions.c.file_id, positions.c.seconds)
        .where(positions.c.user_id == user_id, positions.c.seconds > 0)
        .order_by(positions.c.updated_at.desc())
        .limit(limit)
    )
    return [(row.file_id, row.seconds) for row in await connection.execute(query)]


async def set_favourite(connection: AsyncConnection, user_id: str, file_id: str, on: bool) -> None:
    if on:
        statement = _upsert(connection, favourites).values(
            user_id=user_id, file_id=file_id, created_at=now_ms()
        )
        await connection.execute(statement.on_conflict_do_nothing())
    else:
        mine = (favourites.c.user_id == user_id) & (favourites.c.file_id == file_id)
        await connection.execute(delete(favourites).where(mine))


async def favourite_ids(connection: AsyncConnection, user_id: str, limit: int) -> list[str]:
    """File ids, newest favourite first."""
    query = (
        select(favourites.c.file_id)
        .where(favourites.c.user_id == user_id)
        .order_by(favourites.c.created_at.desc())
        .limit(limit)
    )
    return [row.file_id for row in await connection.execute(query)]


async def replace_popularity(connection: AsyncConnection, counts: Iterable[tuple[str, int]]) -> None:
    await connection.execute(delete(popularity))
    rows = [{"file_id": file_id, "plays": plays} for file_id, plays in counts]
    if rows:
        await connection.execute(insert(popularity), rows)
