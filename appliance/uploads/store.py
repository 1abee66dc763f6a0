"""Rows of uploads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.uploads.tables import uploads


class State(StrEnum):
    RECEIVING = "receiving"
    PUBLISHING = "publishing"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Upload:
    """One file on its way in."""

    id: str
    """128 random bits, hexadecimal."""
    user_id: str
    device: str | None
    root_id: str
    folder: str
    """Root-relative, `/`-separated, as asked for."""
    name: str
    """As asked for, cleaned; the file may become `name (2)`."""
    length: int | None
    """Bytes; None while a form does not say."""
    received: int
    """Bytes that are on the disk for good."""
    resumable: bool
    state: State
    target: bytes | None
    inode: int | None
    sha256: str | None
    file_id: str | None
    duplicate: bool
    created_at: int
    touched_at: int
    modified_at: int | None = None
    """When its sender last changed the file, epoch milliseconds; None where the sender does not say."""

    @property
    def whole(self) -> bool:
        return self.received == self.length


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _upload(row: Any) -> Upload:
    return Upload(**{**row._mapping, "state": State(row.state)})


async def add(connection: AsyncConnection, upload: Upload) -> None:
    await connection.execute(insert(uploads).values(**{**vars(upload), "state": upload.state.value}))


async def get(connection: AsyncConnection, upload_id: str) -> Upload | None:
    row = (await connection.execute(select(uploads).where(uploads.c.id == upload_id))).one_or_none()
    return _upload(row) if row else None


async def change(connection: AsyncConnection, upload_id: str, **values: Any) -> None:
    await connection.execute(
        update(uploads).where(uploads.c.id == upload_id).values(touched_at=now_ms(), **values)
    )


async def remove(connection: AsyncConnection, upload_id: str) -> None:
    await connection.execute(delete(uploads).where(uploads.c.id == upload_id))


async def unpublished(connection: AsyncConnection) -> list[Upload]:
    """All that are on their way, oldest first."""
    query = select(uploads).where(uploads.c.state != State.PUBLISHED.value).order_by(uploads.c.created_at)
    return [_upload(row) for row in await connection.execute(query)]


async def unfinished_of(connection: AsyncConnection, user_id: str, name: str, length: int) -> Upload | None:
    """This person's newest resumable upload of that name and length that is still to be completed."""
    query = (
        select(uploads)
        .where(
            uploads.c.user_id == user_id,
            uploads.c.name == name,
            uploads.c.length == length,
            uploads.c.resumable,
            uploads.c.state == State.RECEIVING.value,
        )
        .order_by(uploads.c.created_at.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return _upload(row) if row else None


async def forget_published(connection: AsyncConnection, before: int) -> None:
    """Drop rows of what was published and not asked for since `before`, epoch milliseconds."""
    await connection.execute(
        delete(uploads).where(uploads.c.state == State.PUBLISHED.value, uploads.c.touched_at < before)
    )
