"""Accounts in SQL. Each function runs in its caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Role
from appliance.accounts.client import Channel
from appliance.accounts.tables import auth_state, sessions, users


@dataclass(frozen=True)
class User:
    """A person with an account. Times: epoch milliseconds."""

    id: str
    username: str
    role: Role
    privacy: str
    created_at: int
    last_login_at: int | None


@dataclass(frozen=True)
class Session:
    """One signed-in device. `username` and `role` are the person's as they are now."""

    id: str
    user_id: str | None
    username: str
    role: Role
    device: str
    device_name: str
    channel: Channel
    method: str
    epoch: int
    issued_at: int
    expires_at: int
    last_seen_at: int
    address: str
    user_agent: str
    revoked: bool
    counter: int
    rotated_at: int | None
    rotated_address: str | None
    rotated_agent: str | None


GUEST_NAME = "Guest"

_session_columns = (
    *(column for column in sessions.c if column.name != "jwt_id"),
    users.c.username,
    users.c.role,
)


def _session(row: Any) -> Session:
    values = dict(row._mapping)
    values.pop("jwt_id", None)
    values["username"] = values["username"] or GUEST_NAME
    values["role"] = Role(values["role"] or Role.GUEST)
    return Session(**values)


def _user(row: Any) -> User:
    return User(row.id, row.username, Role(row.role), row.privacy, row.created_at, row.last_login_at)


def username_key(username: str) -> str:
    return username.casefold()


async def state(connection: AsyncConnection, key: str) -> Any:
    """A value of `auth_state`, or None."""
    return await connection.scalar(select(auth_state.c.value).where(auth_state.c.key == key))


async def set_state(connection: AsyncConnection, key: str, value: Any) -> None:
    done = await connection.execute(update(auth_state).where(auth_state.c.key == key).values(value=value))
    if not done.rowcount:
        await connection.execute(insert(auth_state).values(key=key, value=value))


async def epoch(connection: AsyncConnection) -> int:
    return int(await state(connection, "epoch") or 1)


async def user_by_name(connection: AsyncConnection, username: str) -> tuple[User, str] | None:
    """The person and the password hash."""
    query = select(users).where(users.c.username_key == username_key(username))
    row = (await connection.execute(query)).one_or_none()
    return (_user(row), row.password_hash) if row else None


async def user(connection: AsyncConnection, user_id: str) -> tuple[User, str] | None:
    row = (await connection.execute(select(users).where(users.c.id == user_id))).one_or_none()
    return (_user(row), row.password_hash) if row else None


async def all_users(connection: AsyncConnection) -> tuple[User, ...]:
    rows = await connection.execute(select(users).order_by(users.c.username_key))
    return tuple(_user(row) for row in rows)


async def count_users(connection: AsyncConnection, role: Role | None = None) -> int:
    query = select(func.count()).select_from(users)
    if role is not None:
        query = query.where(users.c.role == int(role))
    return int(await connection.scalar(query) or 0)


async def add_user(connection: AsyncConnection, person: User, password_hash: str) -> None:
    await connection.execute(
        insert(users).values(
            id=person.id,
            username=person.username,
            username_key=username_key(person.username),
            password_hash=password_hash,
            role=int(person.role),
            privacy=person.privacy,
            created_at=person.created_at,
        )
    )


async def change_user(connection: AsyncConnection, user_id: str, **columns: Any) -> None:
    await connection.execute(update(users).where(users.c.id == user_id).values(**columns))


async def delete_user(connection: AsyncConnection, user_id: str) -> None:
    await connection.execute(delete(users).where(users.c.id == user_id))


async def add_session(connection: AsyncConnection, session: Session, jwt_id: str) -> None:
    values = {c.name: getattr(session, c.name) for c in sessions.c if c.name != "jwt_id"}
    await connection.execute(insert(sessions).values(**values, jwt_id=jwt_id))


async def session(connection: AsyncConnection, session_id: str) -> Session | None:
    query = select(*_session_columns).outerjoin_from(sessions, users).where(sessions.c.id == session_id)
    row = (await connection.execute(query)).one_or_none()
    return _session(row) if row else None


async def live_sessions(
    connection: AsyncConnection, now: int, user_id: str | None = None
) -> tuple[Session, ...]:
    """Newest first; of everybody unless a person is named."""
    query = (
        select(*_session_columns)
        .outerjoin_from(sessions, users)
        .where(
            sessions.c.revoked.is_(False),
            sessions.c.expires_at > now,
            sessions.c.epoch >= await epoch(connection),
        )
        .order_by(sessions.c.last_seen_at.desc(), sessions.c.id)
    )
    if user_id is not None:
        query = query.where(sessions.c.user_id == user_id)
    return tuple(_session(row) for row in await connection.execute(query))


async def rotate(connection: AsyncConnection, session_id: str, counter: int, **columns: Any) -> bool:
    """Spend refresh token `counter`; whether this call was the one that did."""
    done = await connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.counter == counter, sessions.c.revoked.is_(False))
        .values(counter=counter + 1, **columns)
    )
    return bool(done.rowcount)


async def change_session(connection: AsyncConnection, session_id: str, **columns: Any) -> None:
    await connection.execute(update(sessions).where(sessions.c.id == session_id).values(**columns))


async def revoke(connection: AsyncConnection, *session_ids: str) -> None:
    await connection.execute(update(sessions).where(sessions.c.id.in_(session_ids)).values(revoked=True))


async def sessions_of(connection: AsyncConnection, user_id: str) -> tuple[str, ...]:
    """Ids of all sessions that are not revoked."""
    query = select(sessions.c.id).where(sessions.c.user_id == user_id, sessions.c.revoked.is_(False))
    return tuple((await connection.scalars(query)).all())


async def device_names(connection: AsyncConnection) -> dict[str, str]:
    """Every device that signed in and is still remembered → what it called itself last."""
    query = select(sessions.c.device, sessions.c.device_name).order_by(sessions.c.last_seen_at)
    return {row.device: row.device_name for row in await connection.execute(query)}


async def knows_device(connection: AsyncConnection, device: str, user_id: str) -> bool:
    """Whether this person signed in on this device before."""
    query = select(sessions.c.id).where(sessions.c.device == device, sessions.c.user_id == user_id).limit(1)
    return await connection.scalar(query) is not None


async def forget_sessions(connection: AsyncConnection, before: int) -> int:
    done = await connection.execute(delete(sessions).where(sessions.c.expires_at < before))
    return done.rowcount
