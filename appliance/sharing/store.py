"""Links in SQL. Each function runs in its caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.sharing.share import Opening, Share, SharedFile
from appliance.sharing.tables import share_files, share_opens, shares


async def add(connection: AsyncConnection, share: Share, files: Sequence[SharedFile]) -> None:
    await connection.execute(insert(shares).values(**vars(share)))
    rows = [{"share_id": share.id, "position": n, **vars(file)} for n, file in enumerate(files)]
    await connection.execute(insert(share_files), rows)


async def share(connection: AsyncConnection, share_id: str) -> Share | None:
    row = (await connection.execute(select(shares).where(shares.c.id == share_id))).one_or_none()
    return Share(**row._mapping) if row else None


async def all_shares(connection: AsyncConnection, owner_id: str | None, now: int) -> tuple[Share, ...]:
    """Newest first, those that are not over; of everybody when `owner_id` is None."""
    query = select(shares).where(shares.c.revoked.is_(False), shares.c.expires_at > now)
    if owner_id is not None:
        query = query.where(shares.c.owner_id == owner_id)
    rows = await connection.execute(query.order_by(shares.c.created_at.desc(), shares.c.id))
    return tuple(Share(**row._mapping) for row in rows)


async def files(connection: AsyncConnection, share_id: str) -> tuple[SharedFile, ...]:
    query = (
        select(share_files.c.file_id, share_files.c.size_bytes, share_files.c.mtime_ns)
        .where(share_files.c.share_id == share_id)
        .order_by(share_files.c.position)
    )
    return tuple(SharedFile(**row._mapping) for row in await connection.execute(query))


async def shared_file(connection: AsyncConnection, share_id: str, file_id: str) -> SharedFile | None:
    query = select(share_files.c.file_id, share_files.c.size_bytes, share_files.c.mtime_ns).where(
        share_files.c.share_id == share_id, share_files.c.file_id == file_id
    )
    row = (await connection.execute(query)).one_or_none()
    return SharedFile(**row._mapping) if row else None


async def revoke(connection: AsyncConnection, share_id: str, now: int) -> None:
    over = update(shares).where(shares.c.id == share_id).values(revoked=True, expires_at=now)
    await connection.execute(over)


async def forget(connection: AsyncConnection, before: int) -> None:
    """Links that were over before this time, with who opened them."""
    await connection.execute(delete(shares).where(shares.c.expires_at < before))


async def bind(connection: AsyncConnection, share_id: str, opening_id: str) -> bool:
    """Give a one-time link to this opening; whether it was the first."""
    done = await connection.execute(
        update(shares).where(shares.c.id == share_id, shares.c.bound_to.is_(None)).values(bound_to=opening_id)
    )
    return bool(done.rowcount)


async def add_opening(connection: AsyncConnection, opening: Opening) -> None:
    await connection.execute(insert(share_opens).values(**vars(opening)))


async def opening(connection: AsyncConnection, share_id: str, opening_id: str) -> Opening | None:
    query = select(share_opens).where(share_opens.c.id == opening_id, share_opens.c.share_id == share_id)
    row = (await connection.execute(query)).one_or_none()
    return Opening(**row._mapping) if row else None


async def openings(connection: AsyncConnection, share_id: str, limit: int = 100) -> tuple[Opening, ...]:
    query = select(share_opens).where(share_opens.c.share_id == share_id)
    rows = await connection.execute(query.order_by(share_opens.c.opened_at.desc()).limit(limit))
    return tuple(Opening(**row._mapping) for row in rows)


async def count_openings(connection: AsyncConnection, share_id: str) -> int:
    query = select(func.count()).select_from(share_opens).where(share_opens.c.share_id == share_id)
    return int(await connection.scalar(query) or 0)
