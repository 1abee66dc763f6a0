"""Every query and write on `machines`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.errors import Conflict, NotFound
from appliance.power.machine import Machine, read_times, written_times
from appliance.power.tables import machines


def _machine(row: Any) -> Machine:
    return Machine(
        id=row.id,
        name=row.name,
        mac=row.mac,
        secure_on=row.secure_on,
        address=row.address,
        library_root=row.library_root,
        times=read_times(row.schedule),
        woken_at=row.woken_at,
    )


def _columns(machine: Machine) -> dict[str, Any]:
    return {
        "name": machine.name,
        "name_key": machine.name.casefold()[:60],
        "mac": machine.mac,
        "secure_on": machine.secure_on,
        "address": machine.address,
        "library_root": machine.library_root,
        "schedule": written_times(machine.times),
    }


async def all_machines(connection: AsyncConnection) -> tuple[Machine, ...]:
    rows = await connection.execute(select(machines).order_by(machines.c.name_key))
    return tuple(_machine(row) for row in rows)


async def machine(connection: AsyncConnection, machine_id: str) -> Machine:
    """Raises NotFound."""
    row = (await connection.execute(select(machines).where(machines.c.id == machine_id))).first()
    if row is None:
        raise NotFound("machine", machine_id)
    return _machine(row)


async def by_name(connection: AsyncConnection, name: str) -> Machine:
    """By its name, whatever the case, or by its MAC. Raises NotFound."""
    key = name.strip().casefold()
    query = select(machines).where(or_(machines.c.name_key == key, machines.c.mac == key))
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound("machine", name)
    return _machine(row)


async def add(connection: AsyncConnection, machine: Machine) -> None:
    """Raises Conflict where the name or the MAC is taken."""
    try:
        await connection.execute(insert(machines).values(id=machine.id, **_columns(machine)))
    except IntegrityError as error:
        raise Conflict(
            f"A machine called {machine.name}, or with {machine.mac}, is there already."
        ) from error


async def change(connection: AsyncConnection, machine: Machine) -> None:
    try:
        query = update(machines).where(machines.c.id == machine.id).values(**_columns(machine))
        await connection.execute(query)
    except IntegrityError as error:
        raise Conflict(
            f"A machine called {machine.name}, or with {machine.mac}, is there already."
        ) from error


async def remove(connection: AsyncConnection, machine_id: str) -> None:
    """Raises NotFound."""
    if (await connection.execute(delete(machines).where(machines.c.id == machine_id))).rowcount == 0:
        raise NotFound("machine", machine_id)


async def take_turn(connection: AsyncConnection, machine_id: str, now_ms: int, pause_ms: int) -> bool:
    """Whether this machine may be woken now; if so it counts as woken. Decided in one statement, since the
    command line is another process."""
    query = (
        update(machines)
        .where(
            machines.c.id == machine_id,
            or_(machines.c.woken_at.is_(None), machines.c.woken_at <= now_ms - pause_ms),
        )
        .values(woken_at=now_ms)
    )
    return (await connection.execute(query)).rowcount == 1


async def set_address(connection: AsyncConnection, machine_id: str, address: str) -> None:
    await connection.execute(update(machines).where(machines.c.id == machine_id).values(address=address))
