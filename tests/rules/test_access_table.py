"""The table of access, walked: every route is in it, and all in it are routes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from quart import Blueprint, Quart

from appliance.accounts.caller import Role
from appliance.casting.lan_routes import cast_routes
from appliance.settings import Secret
from appliance.web.access import ACCESS, BODIES, FIELDS, FIELDS_OF, INTERNAL, LAN
from appliance.web.internal import create_internal_app
from dlna.device import Device
from dlna.server import MediaServer
from tests.appliance.entrance import entrance
from tests.every_route import every_blueprint, routes

APPLIANCE = Path(__file__).parents[2] / "appliance"


def bare_app() -> Quart:
    app = Quart("every route", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # as the real app
    for blueprint in every_blueprint():
        app.register_blueprint(blueprint)
    return app


def test_every_route_is_in_the_table_and_the_table_has_nothing_else() -> None:
    made = routes(bare_app()) | {("GET", "/openapi.json")}
    assert not made - set(ACCESS), "routes without access: add them to ACCESS in web/access.py"
    assert not set(ACCESS) - made, "access without a route"
    assert not set(BODIES) - set(ACCESS)


ASIDE = {
    # Of the journal's payloads and of what is handed on, never of an answer.
    "userId", "rate", "query", "results", "given_name", "standing", "secureOn", "length",
}  # fmt: skip


def written_by(file: Path) -> set[str]:
    """Names of members that this module writes into dicts."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        keys: list[Any] = node.keys if isinstance(node, ast.Dict) else []
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys = [node.slice]
        found |= {k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
    return {name for name in found if re.fullmatch(r"[a-z][A-Za-z0-9_]*", name)}


@pytest.mark.parametrize("file", sorted(APPLIANCE.rglob("*routes.py")), ids=lambda file: file.parent.name)
def test_every_member_that_routes_write_is_in_the_table(file: Path) -> None:
    known = {*FIELDS, *ASIDE, *(name for own in FIELDS_OF.values() for name in own)}
    assert not written_by(file) - known, "members without a least role: add them to FIELDS in web/access.py"


async def test_a_route_in_no_table_is_refused_even_for_an_admin(tmp_path: Path) -> None:
    stray = Blueprint("stray", __name__)

    @stray.get("/forgotten")
    async def forgotten() -> str:
        return "secret"

    async with entrance(tmp_path, stray) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        answer = await admin.get("/forgotten")
        assert answer.status_code == 404
        assert "secret" not in await answer.get_data(as_text=True)


async def test_the_lan_port_has_the_routes_of_its_table_and_no_other() -> None:
    server = MediaServer(Device("uuid:x", "Shelf", "1"), MagicMock(), 0, ["lo"], cast_routes(MagicMock()))
    made = {
        ("GET" if route.method == "HEAD" else route.method, route.resource.canonical)
        for route in server._app().router.routes()
        if route.resource
    }
    assert made == set(LAN)


def test_the_internal_port_has_the_routes_of_its_table_and_no_other() -> None:
    app = create_internal_app(Secret("token"), MagicMock(), MagicMock())
    assert routes(app) == set(INTERNAL)
