"""Signing in, staying in, being thrown out; over the app, on SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts import store
from appliance.accounts.caller import Role
from appliance.accounts.sessions import SEEN_STEP
from tests.appliance.entrance import ORIGIN, PASSWORD, House, entrance


async def login(house: House, name: str, password: str = PASSWORD, **headers: str) -> Any:
    body = {"username": name, "password": password}
    return await house.nobody.post("/auth/login", json=body, headers=headers)


async def test_login_gives_tokens_and_cookies(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("Mira", PASSWORD, Role.EDITOR)
        answer = await login(house, "mira")
        body = await answer.get_json()
        assert answer.status_code == 200
        assert body["user"]["role"] == "editor"
        set_cookies = answer.headers.getlist("Set-Cookie")
        access = next(c for c in set_cookies if c.startswith("mantel="))
        refresh = next(c for c in set_cookies if c.startswith("mantel_refresh="))
        assert "HttpOnly" in access
        assert "SameSite=Lax" in access
        assert "Path=/auth" in refresh
        me = await house.nobody.get("/auth/me", headers={"Authorization": f"Bearer {body['token']}"})
        assert (await me.get_json())["username"] == "Mira"
        by_cookie = await house.nobody.get("/auth/me", headers={"Cookie": f"mantel={body['token']}"})
        assert by_cookie.status_code == 200


async def test_wrong_name_and_wrong_password_are_the_same_answer(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        one, other = await login(house, "mira", "wrong"), await login(house, "nobody", "wrong")
        assert (one.status_code, other.status_code) == (401, 401)
        assert await one.get_data() == await other.get_data()


async def test_refresh_rotates_and_a_spent_token_ends_the_session(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        first = await (await login(house, "mira")).get_json()

        async def refresh(token: str, agent: str = "phone") -> Any:
            return await house.nobody.post(
                "/auth/refresh", json={"refreshToken": token}, headers={"User-Agent": agent}
            )

        second = await (await refresh(first["refreshToken"])).get_json()
        assert second["refreshToken"] != first["refreshToken"]
        again = await (await refresh(first["refreshToken"])).get_json()
        assert again["refreshToken"] == second["refreshToken"], "a lost reply gets the same successor"
        stolen = await refresh(first["refreshToken"], agent="another")
        assert stolen.status_code == 401
        assert (await refresh(second["refreshToken"])).status_code == 401, "the whole session has ended"
        me = await house.nobody.get("/auth/me", headers={"Authorization": f"Bearer {second['token']}"})
        assert me.status_code == 401


async def test_refresh_by_cookie_shows_no_token(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        first = await (await login(house, "mira")).get_json()
        answer = await house.nobody.post(
            "/auth/refresh",
            headers={"Cookie": f"mantel_refresh={first['refreshToken']}", "Origin": ORIGIN},
        )
        assert answer.status_code == 200
        assert set(await answer.get_json()) == {"user"}


async def test_setup_code_makes_the_first_admin_once(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        file = tmp_path / "state" / "setup-code"
        assert file.stat().st_mode & 0o777 == 0o600
        code = file.read_text().strip()
        assert house.accounts.setup_code == code
        assert (await (await house.nobody.get("/auth/setup")).get_json())["needs_setup"] is True
        body = {"code": code.lower().replace("-", " "), "username": "Ada", "password": PASSWORD}
        answer = await house.nobody.post("/auth/setup", json=body)
        assert answer.status_code == 200
        assert (await answer.get_json())["user"]["role"] == "admin"
        assert not file.exists()
        again = await house.nobody.post("/auth/setup", json=body | {"username": "Eve"})
        assert again.status_code == 403


async def test_five_wrong_setup_codes_make_a_new_one(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        file = tmp_path / "state" / "setup-code"
        first = file.read_text().strip()
        body = {"code": "AAAA-AAAA-AAAA", "username": "Eve", "password": PASSWORD}
        for _ in range(5):
            assert (await house.nobody.post("/auth/setup", json=body)).status_code == 403
        second = file.read_text().strip()
        assert second != first
        old = await house.nobody.post("/auth/setup", json=body | {"code": first})
        assert old.status_code == 403
        good = await house.nobody.post("/auth/setup", json=body | {"code": second, "username": "Ada"})
        assert good.status_code == 200


async def test_admin_password_makes_admin_once(tmp_path: Path) -> None:
    async with entrance(tmp_path, admin_password="first-password") as house:
        assert (await login(house, "admin", "first-password")).status_code == 200
        assert house.accounts.setup_code is None
    async with entrance(tmp_path, admin_password="second-password") as house:
        assert (await login(house, "admin", "second-password")).status_code == 401
        assert (await login(house, "admin", "first-password")).status_code == 200


async def test_logout_ends_the_session(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        mira = await house.sign_in("mira", Role.VIEWER)
        answer = await mira.post("/auth/logout")
        assert answer.status_code == 204
        assert any(c.startswith("mantel=;") for c in answer.headers.getlist("Set-Cookie"))
        assert (await mira.get("/auth/me")).status_code == 401


async def test_guest_enters_only_where_allowed(tmp_path: Path) -> None:
    async with entrance(tmp_path / "a") as house:
        assert (await house.nobody.post("/auth/guest")).status_code == 403
    async with entrance(tmp_path / "b", guest="on") as house:
        await house.accounts.users.create("ada", PASSWORD, Role.ADMIN)
        answer = await house.nobody.post("/auth/guest")
        assert (await answer.get_json())["user"]["role"] == "guest"


async def test_lockdown_ends_all(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin, mira = await house.sign_in("ada", Role.ADMIN), await house.sign_in("mira", Role.VIEWER)
        assert (await mira.post("/lockdown")).status_code == 403
        assert (await admin.post("/lockdown")).status_code == 204
        assert (await admin.get("/auth/me")).status_code == 401
        assert (await mira.get("/auth/me")).status_code == 401
        assert (await login(house, "mira")).status_code == 200


async def test_requests_that_come_at_once_look_their_session_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"session": 0, "change_session": 0}

    def count(name: str) -> None:
        real = getattr(store, name)

        async def counted(*arguments: Any, **more: Any) -> Any:
            asked[name] += 1
            return await real(*arguments, **more)

        monkeypatch.setattr(store, name, counted)

    async with entrance(tmp_path) as house:
        mira = await house.sign_in("mira", Role.EDITOR)
        [session] = await house.accounts.sessions.list()
        async with house.database.write() as connection:
            seen = session.last_seen_at - 2 * SEEN_STEP * 1000
            await store.change_session(connection, session.id, last_seen_at=seen)
        for name in asked:
            count(name)
        answers = await asyncio.gather(*(mira.get("/sessions") for _ in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        [session] = await house.accounts.sessions.list()
        assert session.last_seen_at > seen
    assert asked == {"session": 1, "change_session": 1}
