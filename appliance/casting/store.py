"""Every query and write on players and showings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Role
from appliance.casting.player import Kind, Player, Standing
from appliance.casting.queue import Queue, Repeat
from appliance.casting.tables import players, showings

MOST_PLAYERS = 200
"""Remembered at once; beyond that the new ones seen longest ago give way."""


@dataclass(frozen=True)
class ShowingRow:
    """One showing: a queue that somebody plays on one player."""

    id: str
    player_id: str
    user_id: str | None
    user_name: str
    session_id: str | None
    device: str | None
    queue: Queue
    position: float
    started_at: int
    fetched_by: str | None = None
    ended_at: int | None = None


def _player(row: Any) -> Player:
    return Player(
        id=row.id,
        kind=Kind(row.kind),
        key=row.key,
        name=row.name,
        given_name=row.given_name,
        maker=row.maker,
        model=row.model,
        standing=Standing(row.standing),
        hidden=row.hidden,
        least_role=Role(row.least_role),
        mac=row.mac,
        address=row.address,
        sink=frozenset(row.sink),
        last_seen_at=row.last_seen_at,
    )


def _columns(player: Player) -> dict[str, Any]:
    return {
        "kind": player.kind.value,
        "key": player.key[:120],
        "name": player.name,
        "given_name": player.given_name,
        "maker": player.maker[:80],
        "model": player.model[:80],
        "standing": player.standing.value,
        "hidden": player.hidden,
        "least_role": int(player.least_role),
        "mac": player.mac,
        "address": player.address,
        "sink": sorted(player.sink),
        "last_seen_at": player.last_seen_at,
    }


async def all_players(connection: AsyncConnection) -> tuple[Player, ...]:
    return tuple(_player(row) for row in await connection.execute(select(players)))


async def save_player(connection: AsyncConnection, player: Player) -> None:
    """Write it, whether it is there or not."""
    columns = _columns(player)
    if (
        await connection.execute(update(players).where(players.c.id == player.id).values(**columns))
    ).rowcount:
        return
    await connection.execute(insert(players).values(id=player.id, **columns))


async def forget_player(connection: AsyncConnection, player_id: str) -> None:
    await connection.execute(delete(players).where(players.c.id == player_id))


def _showing(row: Any) -> ShowingRow:
    return ShowingRow(
        id=row.id,
        player_id=row.player_id,
        user_id=row.user_id,
        user_name=row.user_name,
        session_id=row.session_id,
        device=row.device,
        queue=Queue(tuple(row.files), row.place, Repeat(row.repeat)),
        position=row.position,
        started_at=row.started_at,
        fetched_by=row.fetched_by,
        ended_at=row.ended_at,
    )


async def add_showing(connection: AsyncConnection, row: ShowingRow) -> None:
    await connection.execute(
        insert(showings).values(
            id=row.id,
            player_id=row.player_id,
            user_id=row.user_id,
            user_name=row.user_name[:80],
            session_id=row.session_id,
            device=row.device,
            files=list(row.queue.files),
            place=row.queue.place,
            repeat=row.queue.repeat.value,
            position=row.position,
            started_at=row.started_at,
        )
    )


async def note_progress(connection: AsyncConnection, showing_id: str, queue: Queue, position: float) -> None:
    await connection.execute(
        update(showings)
        .where(showings.c.id == showing_id)
        .values(files=list(queue.files), place=queue.place, repeat=queue.repeat.value, position=position)
    )


async def pin(connection: AsyncConnection, showing_id: str, address: str) -> str:
    """The address that fetches for this showing: `address` if it is the first, else who was."""
    await connection.execute(
        update(showings)
        .where(showings.c.id == showing_id, showings.c.fetched_by.is_(None))
        .values(fetched_by=address)
    )
    query = select(showings.c.fetched_by).where(showings.c.id == showing_id)
    return str((await connection.execute(query)).scalar())


async def end_showing(connection: AsyncConnection, showing_id: str, now_ms: int) -> None:
    await connection.execute(
        update(showings)
        .where(showings.c.id == showing_id, showings.c.ended_at.is_(None))
        .values(ended_at=now_ms)
    )


async def live_showings(connection: AsyncConnection, ended_after: int) -> tuple[ShowingRow, ...]:
    """Those that run, and those that ended after that moment."""
    query = select(showings).where(or_(showings.c.ended_at.is_(None), showings.c.ended_at > ended_after))
    return tuple(_showing(row) for row in await connection.execute(query))


async def forget_showings(connection: AsyncConnection, ended_before: int) -> None:
    await connection.execute(delete(showings).where(showings.c.ended_at < ended_before))
