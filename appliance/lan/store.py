"""Every query and write on the TVs and on the media server's own row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.errors import NotFound
from appliance.lan.tables import media_server, tvs
from appliance.lan.tv import State, Tv


def _tv(row: Any) -> Tv:
    return Tv(
        id=row.id,
        key=row.key,
        name=row.name,
        family=row.family,
        state=State(row.state),
        code=row.code,
        folders=tuple(row.folders or ()),
        user_id=row.user_id,
        address=row.address,
        user_agent=row.user_agent,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )


async def all_tvs(connection: AsyncConnection) -> list[Tv]:
    rows = await connection.execute(select(tvs).order_by(tvs.c.last_seen_at.desc()))
    return [_tv(row) for row in rows]


async def save(connection: AsyncConnection, tv: Tv) -> None:
    """Insert or replace by id."""
    values: Mapping[str, Any] = {
        "id": tv.id,
        "key": tv.key,
        "name": tv.name,
        "family": tv.family,
        "state": tv.state.value,
        "code": tv.code,
        "folders": list(tv.folders),
        "user_id": tv.user_id,
        "address": tv.address,
        "user_agent": tv.user_agent[:200],
        "first_seen_at": tv.first_seen_at,
        "last_seen_at": tv.last_seen_at,
    }
    changed = await connection.execute(update(tvs).where(tvs.c.id == tv.id).values(**values))
    if not changed.rowcount:
        await connection.execute(insert(tvs).values(**values))


async def forget(connection: AsyncConnection, tv_id: str) -> None:
    """Raises NotFound."""
    if not (await connection.execute(delete(tvs).where(tvs.c.id == tv_id))).rowcount:
        raise NotFound("TV", tv_id)


async def start_server(connection: AsyncConnection, new_udn: str) -> tuple[str, int]:
    """(UDN, boot id) of this start: the name is kept, the number is higher than ever."""
    row = (await connection.execute(select(media_server))).first()
    now = int(time.time()) & 0x7FFFFFFF
    if row is None:
        await connection.execute(insert(media_server).values(one=1, udn=new_udn, boot_id=now))
        return new_udn, now
    boot_id = max(now, int(row.boot_id) + 1)
    await connection.execute(update(media_server).values(boot_id=boot_id))
    return str(row.udn), boot_id
