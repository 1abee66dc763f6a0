"""People: made, changed, removed; what the journal hears of it; channels and roles as they are now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.accounts import command_line
from appliance.accounts.caller import Role
from appliance.errors import Conflict, NotFound
from appliance.journal.entry import feed_event
from appliance.journal.tables import access_log
from tests.appliance.entrance import PASSWORD, House, entrance

FEED = Path(__file__).parents[2] / "fixtures" / "feed" / "ingest-request.json"


async def journal_of(house: House) -> list[dict[str, Any]]:
    async with house.database.read() as connection:
        rows = await connection.execute(select(access_log).order_by(access_log.c.seq))
        return [feed_event(row) for row in rows]


async def test_what_the_journal_hears_has_the_shape_of_the_feed(tmp_path: Path) -> None:
    golden = {e["type"]: e for e in json.loads(FEED.read_text())["events"]}
    async with entrance(tmp_path) as house:
        person = await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        body = {"username": "mira", "password": PASSWORD}
        assert (await house.nobody.post("/auth/login", json=body)).status_code == 200
        await house.accounts.users.create("ada", PASSWORD, Role.ADMIN)
        await house.accounts.users.remove(person.id)
        events = await journal_of(house)
    assert [e["type"] for e in events] == ["user_changed", "sign_in", "user_changed", "user_deleted"]
    for event in events:
        assert set(event) == set(golden[event["type"]])
        assert set(event["payload"]) == set(golden[event["type"]]["payload"])
    assert events[0]["payload"] == {"name": "mira", "role": "editor", "privacy": "full"}


async def test_admin_manages_people(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        body = {"username": "Mira", "password": PASSWORD, "role": "editor"}
        made = await admin.post("/users", json=body)
        assert made.status_code == 201
        mira = await made.get_json()
        assert "password" not in json.dumps(mira)
        assert (await admin.post("/users", json=body | {"username": "MIRA"})).status_code == 409
        for field, value in (
            ("role", "king"),
            ("role", "guest"),
            ("username", "a\u202eb"),
            ("password", "x"),
        ):
            refused = await admin.post("/users", json=body | {"username": "new", field: value})
            assert refused.status_code == 400
            assert (await refused.get_json(force=True))["field"] == field
        changed = await admin.patch(f"/users/{mira['id']}", json={"role": "viewer", "username": "Miranda"})
        assert ((await changed.get_json())["role"], (await changed.get_json())["username"]) == (
            "viewer",
            "Miranda",
        )
        assert (await admin.delete(f"/users/{mira['id']}")).status_code == 204
        assert (await admin.delete(f"/users/{mira['id']}")).status_code == 404


async def test_there_is_always_an_admin(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        (ada,) = await house.accounts.users.list()
        assert (await admin.patch(f"/users/{ada.id}", json={"role": "viewer"})).status_code == 409
        assert (await admin.delete(f"/users/{ada.id}")).status_code == 409


async def test_a_role_counts_as_it_is_now(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.sign_in("ada", Role.ADMIN)
        ben = await house.sign_in("ben", Role.ADMIN)
        (person,) = [u for u in await house.accounts.users.list() if u.username == "ben"]
        assert (await ben.get("/users")).status_code == 200
        await house.accounts.users.change(person.id, role=Role.VIEWER)
        assert (await ben.get("/users")).status_code == 403


async def test_a_new_password_ends_other_devices_but_not_this_one(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        here = await house.sign_in("mira", Role.VIEWER)
        body = {"username": "mira", "password": PASSWORD}
        there = await (await house.nobody.post("/auth/login", json=body)).get_json()
        wrong = await here.patch("/auth/me", json={"password": "new-password", "old_password": "guess"})
        assert (wrong.status_code, (await wrong.get_json(force=True))["field"]) == (400, "old_password")
        right = await here.patch("/auth/me", json={"password": "new-password", "old_password": PASSWORD})
        assert right.status_code == 200
        assert (await here.get("/auth/me")).status_code == 200
        other = {"Authorization": f"Bearer {there['token']}"}
        assert (await house.nobody.get("/auth/me", headers=other)).status_code == 401


async def test_a_person_switches_recording_off(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        mira = await house.sign_in("mira", Role.VIEWER)
        (person,) = await house.accounts.users.list()
        assert await house.accounts.recorded(person.id)
        assert (await mira.patch("/auth/me", json={"privacy": "off"})).status_code == 200
        house.accounts._recorded.clear()
        assert not await house.accounts.recorded(person.id)
        assert (await mira.patch("/auth/me", json={"privacy": "some"})).status_code == 400


async def test_one_sees_and_ends_ones_own_devices_only(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        mira, ben = await house.sign_in("mira", Role.EDITOR), await house.sign_in("ben", Role.EDITOR)
        admin = await house.sign_in("ada", Role.ADMIN)
        (bens,) = (await (await ben.get("/sessions")).get_json())["items"]
        assert bens["present"] is True
        assert (await mira.delete(f"/sessions/{bens['id']}")).status_code == 404
        assert len((await (await mira.get("/sessions?all=1")).get_json())["items"]) == 1
        assert len((await (await admin.get("/sessions?all=1")).get_json())["items"]) == 3
        assert (await admin.delete(f"/sessions/{bens['id']}")).status_code == 204
        assert (await ben.get("/sessions")).status_code == 401


async def test_a_session_is_good_only_on_its_channel(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        client = house.app.test_client(use_cookies=False)
        body = {"username": "mira", "password": PASSWORD}
        over_tls = await client.post("/auth/login", json=body, scheme="https")
        token = (await over_tls.get_json())["token"]
        refresh = (await over_tls.get_json())["refreshToken"]
        set_cookies = over_tls.headers.getlist("Set-Cookie")
        assert any(c.startswith("__Host-mantel=") and "Path=/;" in c + ";" for c in set_cookies)
        assert any(c.startswith("__Secure-mantel_refresh=") for c in set_cookies)
        assert all("Secure" in c for c in set_cookies)
        assert not any(c.startswith("mantel") for c in set_cookies)
        cookies = {
            "https plain name": ("https", {"Cookie": f"mantel={token}"}, 401),
            "https": ("https", {"Cookie": f"__Host-mantel={token}"}, 200),
            "http prefixed": ("http", {"Cookie": f"__Host-mantel={token}"}, 401),
            "http": ("http", {"Cookie": f"mantel={token}"}, 401),
            "http bearer": ("http", {"Authorization": f"Bearer {token}"}, 401),
        }
        for name, (scheme, headers, status) in cookies.items():
            answer = await client.get("/auth/me", headers=headers, scheme=scheme)
            assert answer.status_code == status, name
        assert "Strict-Transport-Security" not in over_tls.headers
        crossed = await client.post("/auth/refresh", json={"refreshToken": refresh}, scheme="http")
        assert crossed.status_code == 401


async def test_a_lost_account_store_does_not_reopen_setup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "library" / ".mantel"
    root.mkdir(parents=True)
    (root / "root-id").write_text("r1")
    async with entrance(tmp_path) as house:
        assert house.accounts.setup_code is None
        assert not (tmp_path / "state" / "setup-code").exists()
        body = {"code": "AAAA-AAAA-AAAA", "username": "Eve", "password": PASSWORD}
        assert (await house.nobody.post("/auth/setup", json=body)).status_code == 403
        assert any("accounts are gone" in r.getMessage() for r in caplog.records)
        await command_line.add_user(house.settings, "ada", "admin", PASSWORD)
        login = await house.nobody.post("/auth/login", json={"username": "ada", "password": PASSWORD})
        assert login.status_code == 200


async def test_command_line(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await command_line.add_user(house.settings, "ada", "admin", PASSWORD)
        with pytest.raises(Conflict):
            await command_line.add_user(house.settings, "ADA", "viewer", PASSWORD)
        with pytest.raises(NotFound):
            await command_line.reset_user(house.settings, "nobody", PASSWORD)
        assert [u.username for u in await command_line.list_users(house.settings)] == ["ada"]
        assert not (tmp_path / "state" / "setup-code").exists(), "there is an admin: setup is done"
