"""Which members of an answer each role is told: every route, every role, every member of the tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.accounts.caller import Role
from appliance.web.access import ACCESS, BODIES, FIELDS, FIELDS_OF, JSON, WHOLE
from appliance.web.fields import may_know, told
from tests.appliance.entrance import entrance
from tests.appliance.web.test_matrix import everybody, path_of
from tests.every_route import every_blueprint
from tests.house import PASSWORD, House, files_when, house, sign_in

UNKNOWN = "in_no_table"
NAMES = sorted({*FIELDS, UNKNOWN, *(name for own in FIELDS_OF.values() for name in own)} - {"*"})
ROLES: list[Role | None] = [None, *Role]


def full() -> dict[str, Any]:
    """Every member there is, at the top and deep inside."""
    flat: dict[str, Any] = dict.fromkeys(NAMES, 1)
    return flat | {"items": [flat | {"urls": dict(flat)}]}


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for k, one in value.items() if k not in WHOLE for name in names_in(one)}
    return {name for one in value for name in names_in(one)} if isinstance(value, list) else set()


def allowed(route: tuple[str, str], role: Role | None) -> set[str]:
    own = FIELDS_OF.get(route, {})
    if role is Role.ADMIN or "*" in own:
        return set(NAMES)
    return {name for name in NAMES if may_know(own.get(name, FIELDS.get(name, Role.ADMIN)), role)}


async def test_every_route_tells_each_role_what_the_table_says(tmp_path: Path) -> None:
    async with entrance(tmp_path, *every_blueprint(but=("accounts", "web"))) as home:
        for endpoint in home.app.view_functions:

            async def all_of_it(**_: Any) -> dict[str, Any]:
                return full()

            home.app.view_functions[endpoint] = all_of_it
        signed = {one.role: one.token for one in await everybody(home) if one.scheme == "http"}
        wrong = []
        for route, least in ACCESS.items():
            for role in ROLES:
                if isinstance(least, Role) and (role is None or role < least):
                    continue
                headers = {"Authorization": f"Bearer {signed[role]}"} if role else {}
                takes = BODIES.get(route, JSON)
                headers["Content-Type"] = JSON if takes == "*/*" else takes
                is_get = route[0] in ("GET", "OPTIONS")
                answer = await home.app.test_client(use_cookies=False).open(
                    path_of(route[1]), method=route[0], headers=headers, data=None if is_get else b"{}"
                )
                said = names_in(await answer.get_json(force=True))
                if said != allowed(route, role):
                    wrong.append((route, role, said ^ allowed(route, role)))
        assert not wrong


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*NAMES, "else"]), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.sampled_from(sorted(ACCESS)),
    st.sampled_from(ROLES),
)
def test_nobody_is_told_more_than_somebody_with_more_rights(
    value: Any, route: tuple[str, str], role: Role | None
) -> None:
    one = told(value, route, role)
    above = told(value, route, Role(min(4, (role or 0) + 1)))
    assert names_in(one) <= names_in(above) <= names_in(value)


def test_the_table_says_what_guests_must_not_learn() -> None:
    for name in ("sha256", "uploaded_by", "uploader", "last_accessed_at", "username", "users", "download"):
        assert not may_know(FIELDS.get(name, Role.ADMIN), Role.GUEST), name
    for name in ("mac", "address", "ip", "user_agent", "username", "root", "why_away", "libraryRoot"):
        assert not may_know(FIELDS.get(name, Role.ADMIN), Role.EDITOR), name


async def test_no_answer_on_the_wire_tells_what_it_must_not(tmp_path: Path) -> None:
    library = tmp_path / "library" / "Films"
    library.mkdir(parents=True)
    (library / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"x" * 1000)
    os.utime(library / "film.mp4", (1_700_000_000, 1_700_000_000))
    async with house(tmp_path, guest="on") as home, sign_in(home) as admin:
        await files_when(home, admin, 1)
        people = {}
        for name in ("zebediah", "viewer"):
            new = {"username": name, "password": PASSWORD, "role": "editor" if name == "zebediah" else name}
            async with admin.post("/users", json=new) as answer:
                people[name] = (await answer.json())["id"]
        machine = {"name": "Box", "mac": "02:77:00:00:00:99"}
        async with admin.post("/devices", json=machine) as answer:
            assert answer.status == 201
        async with sign_in(home, "zebediah") as zebediah:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("folder", "Films")
            form.add_field("file", b"\xff\xd8\xff" + b"y" * 500, filename="beach.jpg")
            async with zebediah.post("/files/upload", data=form) as answer:
                assert answer.status == 201, await answer.text()
                uploaded = (await answer.json())["files"][0]
        await every_member_is_in_the_table(admin, uploaded["id"])
        for role in ("guest", "viewer"):
            secret = [str(home.library), str(home.state), "02:77:00:00:00:99"]
            if role == "guest":
                secret += ["zebediah", people["zebediah"], people["viewer"], uploaded["sha256"]]
            said = await everything_told(home, role, uploaded["id"])
            assert uploaded["id"] in said["/files"][1]
            assert sum(status == 200 for status, _ in said.values()) >= (7 if role == "guest" else 10)
            assert not [(rule, word) for rule, (_, text) in said.items() for word in secret if word in text]
            shown = json.loads(said["/files/<file_id>"][1])
            assert ("uploader" in shown, "sha256" in shown) == ((role == "viewer"),) * 2


async def every_member_is_in_the_table(admin: aiohttp.ClientSession, file_id: str) -> None:
    """Also what no routes.py spells out. An admin is told all: what viewers miss by mistake is seen here."""
    known = {*FIELDS, *(name for own in FIELDS_OF.values() for name in own)}
    missing = set()
    for (method, rule), least in ACCESS.items():
        own = FIELDS_OF.get((method, rule), {})
        if method != "GET" or least is Role.ADMIN or "*" in own or rule == "/events/live":
            continue
        async with admin.get(path_of(rule.replace("<file_id>", file_id))) as answer:
            if answer.status == 200 and answer.content_type == "application/json":
                missing |= {(rule, name) for name in names_in(await answer.json()) - known}
    assert not missing


async def everything_told(home: House, role: str, file_id: str) -> dict[str, tuple[int, str]]:
    """Rule → status and text of each GET route, as this role meets it."""
    path, body = "/auth/guest", {}
    if role != "guest":
        path, body = "/auth/login", {"username": role, "password": PASSWORD}
    async with aiohttp.ClientSession(home.url) as http, http.post(path, json=body) as answer:
        token = (await answer.json())["token"]
    said = {}
    async with aiohttp.ClientSession(home.url, headers={"Authorization": f"Bearer {token}"}) as http:
        for method, rule in ACCESS:
            if method != "GET" or rule in ("/events/live", "/openapi.json"):
                continue
            url = path_of(rule.replace("<file_id>", file_id))
            async with http.get(url, params={"fileId": file_id} if "heatmap" in url else {}) as answer:
                said[rule] = (answer.status, await answer.text(errors="replace"))
    return said
