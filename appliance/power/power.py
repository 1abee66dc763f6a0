"""Waking machines: on asking, on a schedule, and for others that find one asleep."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from appliance.database import Database
from appliance.errors import TooMany, Unavailable
from appliance.power import packet, store
from appliance.power.machine import Machine, is_due
from appliance.power.neighbours import address_of, neighbours
from appliance.power.presence import is_awake
from appliance.units import MINUTES, SECONDS
from dlna.interfaces import Interface

log = logging.getLogger(__name__)

PAUSE = 30 * SECONDS
"""Between two wakes of one machine."""
WATCH = 3 * MINUTES
"""How long a machine is looked for after the packet: a NAS with spun-down disks takes two minutes."""
LOOK_EVERY = 1 * SECONDS
SCHEDULE_EVERY = 15 * SECONDS


class State(StrEnum):
    UNKNOWN = "unknown"
    ASKED = "asked"
    """The packet has left; nothing has answered yet."""
    AWAKE = "awake"
    SILENT = "silent"
    """Nothing has answered within WATCH; or nobody knows where to look."""


@dataclass(frozen=True)
class Waking:
    """How the last wake of one machine went."""

    state: State = State.UNKNOWN
    asked_at: int | None = None
    """Epoch milliseconds."""
    took: float | None = None
    """Seconds from packet to answer."""
    answered: str | None = None
    """`ping`, `port 22`, `SSDP`."""
    interfaces: tuple[str, ...] = ()
    """By which the packet left."""


@dataclass(frozen=True)
class Seen:
    """What could be kept as a machine: a neighbour, or a TV or player of the house, also while it sleeps."""

    mac: str
    address: str
    name: str | None = None
    interface: str | None = None
    """None: it is not in the neighbour table now."""


class Power:
    """`interfaces()`: where packets go out. `publish(machine)`: told of each change of a waking.

    `devices`: what others saw of the house's devices; wiring hands it in when they are there.
    """

    def __init__(
        self,
        database: Database,
        interfaces: Callable[[], Sequence[Interface]],
        publish: Callable[[Machine, Waking], None] = lambda machine, waking: None,
        zone: tzinfo | None = None,
        look: Callable[[str], Awaitable[str | None]] = is_awake,
    ) -> None:
        self._database, self._interfaces, self._publish = database, interfaces, publish
        self._zone, self._look = zone, look
        self._wakings: dict[str, Waking] = {}
        self._unlisted: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.devices: Callable[[], Iterable[Seen]] = tuple

    async def start(self) -> None:
        self._tasks["schedule"] = asyncio.create_task(self._keep_schedule(), name="wake schedule")

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def machines(self) -> tuple[Machine, ...]:
        async with self._database.read() as connection:
            return await store.all_machines(connection)

    async def machine(self, machine_id: str) -> Machine:
        async with self._database.read() as connection:
            return await store.machine(connection, machine_id)

    async def named(self, name: str) -> Machine:
        """By name or MAC. Raises NotFound."""
        async with self._database.read() as connection:
            return await store.by_name(connection, name)

    def waking(self, machine_id: str) -> Waking:
        return self._wakings.get(machine_id, Waking())

    async def add(self, machine: Machine) -> Machine:
        """Keep it under a new id; where it is, if the neighbour table tells. Raises Conflict."""
        kept = replace(machine, id=secrets.token_hex(6), address=machine.address or address_of(machine.mac))
        async with self._database.write() as connection:
            await store.add(connection, kept)
        return kept

    async def change(self, machine_id: str, **changes: Any) -> Machine:
        async with self._database.write() as connection:
            changed = replace(await store.machine(connection, machine_id), **changes)
            await store.change(connection, changed)
        return changed

    async def remove(self, machine_id: str) -> None:
        async with self._database.write() as connection:
            await store.remove(connection, machine_id)
        self._wakings.pop(machine_id, None)

    async def seen(self) -> tuple[Seen, ...]:
        """What could be kept: devices of the house, and neighbours on our interfaces; no machine yet."""
        served = {i.name for i in self._interfaces()}
        known = {machine.mac for machine in await self.machines()}
        found = {device.mac: device for device in self.devices()}
        for near in neighbours():
            if near.interface in served:
                name = found[near.mac].name if near.mac in found else None
                found[near.mac] = Seen(near.mac, near.address, name, near.interface)
        return tuple(seen for mac, seen in found.items() if mac not in known)

    async def wake(self, machine_id: str) -> Waking:
        """Send the packets and begin to look for the machine; the answer tells that they left.

        Raises NotFound, TooMany within PAUSE, Unavailable where no interface takes them.
        """
        now = time.time_ns() // 1_000_000
        async with self._database.write() as connection:
            machine = await store.machine(connection, machine_id)
            if not await store.take_turn(connection, machine_id, now, PAUSE * 1000):
                since = (now - (machine.woken_at or 0)) / 1000
                raise TooMany(f"wakes of {machine.name}", PAUSE - since)
        left = await self._send(machine.name, machine.mac, machine.secure_on)
        waking = self._set(machine, Waking(State.ASKED, now, interfaces=left))
        if old := self._tasks.pop(machine_id, None):
            old.cancel()
        self._tasks[machine_id] = asyncio.create_task(self._watch(machine, waking), name="watch a waking")
        return waking

    async def wake_mac(self, mac: str, name: str) -> None:
        """Wake what is no kept machine: a TV that somebody casts to. Raises as `wake` does.

        Where a kept machine has this MAC, its SecureOn password goes with it.
        """
        for machine in await self.machines():
            if machine.mac == mac.lower():
                await self.wake(machine.id)
                return
        now = time.monotonic()
        if now - self._unlisted.get(mac, -PAUSE) < PAUSE:
            raise TooMany(f"wakes of {name}", PAUSE - (now - self._unlisted[mac]))
        self._unlisted = {m: at for m, at in self._unlisted.items() if now - at < PAUSE} | {mac: now}
        await self._send(name, mac, None)

    async def wake_for_root(self, root: str) -> Machine | None:
        """The machine on which an offline library root lies, being woken; None if none is known.

        For the road of a person who opens a file alone: scans, thumbnails, guests and TVs never call it.
        """
        for machine in await self.machines():
            if machine.library_root == root:
                with contextlib.suppress(TooMany):  # it was asked a moment ago: that is as good
                    await self.wake(machine.id)
                return machine
        return None

    async def until_awake(self, machine_id: str) -> Waking:
        """Wait for the end of the looking that `wake` began."""
        if task := self._tasks.get(machine_id):
            await asyncio.wait([task])
        return self.waking(machine_id)

    async def _send(self, name: str, mac: str, secure_on: str | None) -> tuple[str, ...]:
        left = await packet.send(mac, secure_on, self._interfaces())
        if not left:
            raise Unavailable(name, "no network interface would send the packet; see `mantel doctor`")
        return left

    async def _watch(self, machine: Machine, waking: Waking) -> None:
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < WATCH:
            address = address_of(machine.mac) or machine.address
            if address and (how := await self._look(address)):
                took = time.monotonic() - begun
                self._set(machine, replace(waking, state=State.AWAKE, took=took, answered=how))
                if address != machine.address:
                    async with self._database.write() as connection:
                        await store.set_address(connection, machine.id, address)
                return
            await asyncio.sleep(LOOK_EVERY)
        self._set(machine, replace(waking, state=State.SILENT, took=passed))

    def _set(self, machine: Machine, waking: Waking) -> Waking:
        self._wakings[machine.id] = waking
        self._publish(machine, waking)
        return waking

    async def _keep_schedule(self) -> None:
        after = datetime.now(self._zone)
        while True:
            await asyncio.sleep(SCHEDULE_EVERY)
            until = datetime.now(self._zone)
            try:
                await self.wake_due(after, until)
            except Exception:
                log.exception("The wake schedule could not be kept; it goes on")
            after = until

    async def wake_due(self, after: datetime, until: datetime) -> None:
        """Wake the machines that have a time in (after, until]."""
        for machine in await self.machines():
            if is_due(machine.times, after, until):
                with contextlib.suppress(TooMany, Unavailable):
                    await self.wake(machine.id)
                    log.info("Woke %s by its schedule", machine.name)
