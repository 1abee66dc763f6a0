"""The access matrix: each route with each credential on each channel, each cell tried against the real guard.

What lies behind the routes is replaced by one answer that says "let in": a cell tells of the guard alone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from appliance.accounts.caller import Role
from appliance.accounts.client import Client
from appliance.web.access import ACCESS, BODIES, JSON
from tests.appliance.entrance import PASSWORD, House, entrance
from tests.every_route import every_blueprint

LET_IN = 299
Scheme = Literal["http", "https"]
ORIGIN = {"http": "http://localhost", "https": "https://localhost"}


@dataclass(frozen=True)
class Signed:
    """One person's tokens, made on one channel."""

    role: Role
    scheme: Scheme
    token: str


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with entrance(tmp_path, *every_blueprint(but=("accounts", "web"))) as found:
        for endpoint in found.app.view_functions:

            async def let_in(**_: Any) -> tuple[str, int]:
                return "", LET_IN

            found.app.view_functions[endpoint] = let_in
        yield found


async def everybody(house: House) -> list[Signed]:
    signed = []
    for role in Role:
        person = None
        if role is not Role.GUEST:
            person = await house.accounts.users.create(role.name.lower(), PASSWORD, role)
        for scheme in ("http", "https"):
            client = Client("127.0.0.1", "test", "tls" if scheme == "https" else "plain")
            async with house.database.write() as connection:
                issued = await house.accounts.sessions.begin(connection, person, client, "password")
            signed.append(Signed(role, scheme, issued.access))  # type: ignore[arg-type]
    return signed


def path_of(rule: str) -> str:
    return re.sub(r"<[^>]*>", "x", re.sub(r"<int:[^>]*>", "1", rule))


async def status(house: House, route: tuple[str, str], scheme: Scheme, **headers: str) -> int:
    method, rule = route
    path = path_of(rule)
    if method not in ("GET", "OPTIONS"):
        takes = BODIES.get(route, JSON)
        headers["Content-Type"] = JSON if takes == "*/*" else takes
    client = house.app.test_client(use_cookies=False)
    answer = await client.open(
        path,
        method=method,
        headers=headers,
        scheme=scheme,
        data=b"{}" if method not in ("GET", "OPTIONS") else None,
    )
    return int(answer.status_code)


def expected(route: tuple[str, str], role: Role | None) -> int:
    least = ACCESS[route]
    if not isinstance(least, Role):
        # A link's holder is asked for the link by the route, which is not here.
        return LET_IN
    if role is None:
        return 401
    return LET_IN if role >= least else 403


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_each_role_by_cookie_and_bearer_on_each_channel(house: House, scheme: Scheme) -> None:
    wrong = []
    cookie_name = {"http": "mantel", "https": "__Host-mantel"}
    signed = await everybody(house)
    for route in ACCESS:
        cells: dict[str, tuple[int, int]] = {}
        own = {"Origin": ORIGIN[scheme]}
        cells["nobody"] = await status(house, route, scheme, **own), expected(route, None)
        for one in signed:
            holds = one.role if one.scheme == scheme else None
            bearer = {"Authorization": f"Bearer {one.token}"} | own
            by_bearer = expected(route, holds) if holds else 401
            cells[f"{one.role.name} bearer of {one.scheme}"] = (
                await status(house, route, scheme, **bearer),
                by_bearer,
            )
            cookie = {"Cookie": f"{cookie_name[scheme]}={one.token}"} | own
            cells[f"{one.role.name} cookie of {one.scheme}"] = (
                await status(house, route, scheme, **cookie),
                expected(route, holds),
            )
        wrong += [(route, cell, got, want) for cell, (got, want) in cells.items() if got != want]
    assert not wrong


async def test_what_is_no_sign_in_is_nobody(house: House) -> None:
    """Share cookies, cast and media tokens, the services' token, refresh tokens, basic auth, a TV's name."""
    (admin, _) = [one for one in await everybody(house) if one.role is Role.ADMIN]
    client = Client("127.0.0.1", "test", "plain")
    async with house.database.write() as connection:
        issued = await house.accounts.sessions.begin(connection, None, client, "guest")
    basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    pretended = {
        "refresh as bearer": {"Authorization": f"Bearer {issued.refresh}"},
        "device as bearer": {"Authorization": f"Bearer {issued.device}"},
        "service as bearer": {"Authorization": "Bearer to-appliance-token"},
        "refresh as cookie": {"Cookie": f"mantel={issued.refresh}"},
        "share cookie": {"Cookie": f"mantel_share={admin.token}"},
        "tls cookie on plain": {"Cookie": f"__Host-mantel={admin.token}"},
        "basic": {"Authorization": f"Basic {basic}"},
        "a TV": {"User-Agent": "SEC_HHP_[TV] Samsung/1.0", "X-AV-Client-Info": "TV"},
        "token in the query": {"X-Original-URL": f"/?token={admin.token}"},
    }
    wrong = []
    for route, least in ACCESS.items():
        for name, headers in pretended.items():
            got = await status(house, route, "http", Origin=ORIGIN["http"], **headers)
            # A bearer that is not good is told so, even where nobody need be signed in.
            allowed = (401,) if isinstance(least, Role) else (401, LET_IN)
            if got not in allowed:
                wrong.append((route, name, got))
    assert not wrong


@pytest.mark.parametrize(
    "origin", ["null", "http://localhost:8200", "https://localhost", "http://evil.example"]
)
async def test_no_other_origin_changes_anything(house: House, origin: str) -> None:
    (admin, _) = [one for one in await everybody(house) if one.role is Role.ADMIN]
    for route in ACCESS:
        if route[0] in ("GET", "HEAD"):
            continue
        for headers in ({"Cookie": f"mantel={admin.token}"}, {"Authorization": f"Bearer {admin.token}"}):
            assert await status(house, route, "http", Origin=origin, **headers) == 403, route
        assert await status(house, route, "http", Cookie=f"mantel={admin.token}") == 403, route


async def test_no_form_or_text_body_is_taken_where_json_is(house: House) -> None:
    (admin, _) = [one for one in await everybody(house) if one.role is Role.ADMIN]
    client = house.app.test_client(use_cookies=False)
    for route in ACCESS:
        if route[0] in ("GET", "OPTIONS") or route in BODIES:
            continue
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"):
            answer = await client.open(
                re.sub(r"<[^>]*>", "x", route[1]),
                method=route[0],
                data=b"{}",
                headers={"Content-Type": kind, "Authorization": f"Bearer {admin.token}"},
            )
            assert answer.status_code == 415, (route, kind)
