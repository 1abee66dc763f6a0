"""TVs on the admin's page.

GET    /tvs                {items: [tv]}: those who ask first
POST   /tvs/allow          {code, name?, folders?} → tv: the TV that shows this code may watch
PATCH  /tvs/{id}           {state?: allowed | blocked, name?, folders?} → tv
DELETE /tvs/{id}           204: it is forgotten and asks anew

A tv: {id, name, family, state, code (while it asks), folders, address, firstSeenAt, lastSeenAt}.
The live event `tv` carries {id, name, state} with each change.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from appliance.accounts.caller import calling
from appliance.errors import Invalid
from appliance.lan.tv import State, Tv
from appliance.lan.tvs import Tvs
from appliance.units import iso

MOST_FOLDERS = 100


def blueprint(tvs: Tvs) -> Blueprint:
    routes = Blueprint("lan", __name__)

    @routes.get("/tvs")
    async def every() -> dict[str, Any]:
        return {"items": [shown(tv) for tv in tvs.all()]}

    @routes.post("/tvs/allow")
    async def allow() -> dict[str, Any]:
        given = await _body()
        code = given.get("code")
        if not isinstance(code, str) or not code.strip().isdecimal() or len(code.strip()) != 4:
            raise Invalid("code", code, "the four digits that the TV shows are needed")
        name = _text(given, "name")
        return shown(await tvs.allow(code, calling().user_id, _folders(given) or (), name))

    @routes.patch("/tvs/<tv_id>")
    async def change(tv_id: str) -> dict[str, Any]:
        given = await _body()
        state = given.get("state")
        if state not in (None, State.ALLOWED.value, State.BLOCKED.value):
            raise Invalid("state", state, "allowed or blocked will do")
        changed = await tvs.change(
            tv_id,
            state=State(state) if state else None,
            folders=_folders(given),
            name=_text(given, "name"),
            user_id=calling().user_id if state == State.ALLOWED.value else None,
        )
        return shown(changed)

    @routes.delete("/tvs/<tv_id>")
    async def forget(tv_id: str) -> Response:
        await tvs.forget(tv_id)
        return Response(status=204)

    return routes


def shown(tv: Tv) -> dict[str, Any]:
    return {
        "id": tv.id,
        "name": tv.name,
        "family": tv.family,
        "state": tv.state.value,
        "code": tv.code if tv.state is State.ASKING else None,
        "folders": list(tv.folders),
        "address": tv.address,
        "firstSeenAt": iso(tv.first_seen_at),
        "lastSeenAt": iso(tv.last_seen_at),
    }


async def _body() -> dict[str, Any]:
    given = await request.get_json(silent=True)
    if not isinstance(given, dict):
        raise Invalid("body", given, "a JSON object is needed")
    return given


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(name, value, "a text is needed")
    return value


def _folders(given: dict[str, Any]) -> tuple[str, ...] | None:
    value = given.get("folders")
    if value is None:
        return None
    fine = isinstance(value, list) and len(value) <= MOST_FOLDERS
    if not fine or not all(isinstance(one, str) and len(one) <= 16 for one in value):
        raise Invalid("folders", value, "a list of folder ids is needed")
    return tuple(value)
