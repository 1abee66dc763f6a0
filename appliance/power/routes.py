"""Machines to wake.

GET    /devices                    {items: [device]}
GET    /devices/seen               {items: [{mac, address, name, interface}]}: what could be kept
POST   /devices                    {name, mac, secureOn?, address?, libraryRoot?, schedule?} → 201 device
PATCH  /devices/{id}               any of these → device
DELETE /devices/{id}               204
POST   /devices/{id}/wake          202 device, with `waking.state` = asked; 429 within 30 s

A device: {id, name, mac, hasSecureOn, address, libraryRoot, schedule: [{days: ["mon", …], at: "07:30"}],
wokenAt, waking: {state: unknown | asked | awake | silent, askedAt, tookSeconds, answered}}.
The live event `device` carries one each time its waking changes. Others than admins are not told MAC,
address and library folder.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from appliance.accounts.caller import Role, calling
from appliance.errors import Invalid
from appliance.power.machine import (
    Machine,
    read_address,
    read_mac,
    read_machine_mac,
    read_name,
    read_times,
    written_times,
)
from appliance.power.power import Power, Waking
from appliance.units import iso

LONGEST_ROOT = 1024


def blueprint(power: Power) -> Blueprint:
    routes = Blueprint("power", __name__)

    @routes.get("/devices")
    async def devices() -> dict[str, Any]:
        return {"items": [shown(m, power.waking(m.id), calling().role) for m in await power.machines()]}

    @routes.get("/devices/seen")
    async def seen() -> dict[str, Any]:
        return {
            "items": [
                {"mac": s.mac, "address": s.address, "name": s.name, "interface": s.interface}
                for s in await power.seen()
            ]
        }

    @routes.post("/devices")
    async def add() -> tuple[dict[str, Any], int]:
        given = read_changes(await request.get_json(silent=True))
        for needed in ("name", "mac"):
            if needed not in given:
                raise Invalid(needed, None, "it is needed")
        machine = await power.add(Machine(id="", **given))
        return shown(machine, power.waking(machine.id), calling().role), 201

    @routes.patch("/devices/<device_id>")
    async def change(device_id: str) -> dict[str, Any]:
        machine = await power.change(device_id, **read_changes(await request.get_json(silent=True)))
        return shown(machine, power.waking(device_id), calling().role)

    @routes.delete("/devices/<device_id>")
    async def remove(device_id: str) -> Response:
        await power.remove(device_id)
        return Response(status=204)

    @routes.post("/devices/<device_id>/wake")
    async def wake(device_id: str) -> tuple[dict[str, Any], int]:
        waking = await power.wake(device_id)
        return shown(await power.machine(device_id), waking, calling().role), 202

    return routes


def read_changes(body: Any) -> dict[str, Any]:
    """Fields of a Machine from the JSON of a request. Raises Invalid, naming the field."""
    if not isinstance(body, dict):
        raise Invalid("body", body, "a JSON object is allowed")
    readers = {
        "name": ("name", read_name),
        "mac": ("mac", read_machine_mac),
        "secureOn": ("secure_on", lambda v: read_mac("secureOn", v) if v else None),
        "address": ("address", read_address),
        "libraryRoot": ("library_root", _read_root),
        "schedule": ("times", read_times),
    }
    if unknown := set(body) - set(readers):
        raise Invalid(min(unknown), body[min(unknown)], f"known are {', '.join(readers)}")
    return {readers[key][0]: readers[key][1](value) for key, value in body.items()}


def _read_root(value: Any) -> str | None:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not value.startswith("/") or len(value) > LONGEST_ROOT:
        raise Invalid("libraryRoot", value, "the full path of a library folder is allowed")
    return value


def shown(machine: Machine, waking: Waking, role: Role) -> dict[str, Any]:
    """A device as JSON; never its SecureOn password."""
    told: dict[str, Any] = {
        "id": machine.id,
        "name": machine.name,
        "schedule": written_times(machine.times),
        "wokenAt": iso(machine.woken_at) if machine.woken_at else None,
        "waking": {
            "state": waking.state.value,
            "askedAt": iso(waking.asked_at) if waking.asked_at else None,
            "tookSeconds": round(waking.took, 1) if waking.took is not None else None,
            "answered": waking.answered,
        },
    }
    if role >= Role.ADMIN:
        told |= {
            "mac": machine.mac,
            "hasSecureOn": machine.secure_on is not None,
            "address": machine.address,
            "libraryRoot": machine.library_root,
        }
    return told
