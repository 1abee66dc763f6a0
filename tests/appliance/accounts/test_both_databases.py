"""What the database decides for accounts and links, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts import command_line, throttle
from appliance.accounts.caller import Role
from tests.appliance.entrance import PASSWORD, House, entrance
from tests.appliance.sharing.test_shares import shelf


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None


async def login(house: House, name: str, password: str = PASSWORD) -> Any:
    return await house.nobody.post("/auth/login", json={"username": name, "password": password})


async def test_a_life_of_accounts(tmp_path: Path, url: str | None) -> None:
    async with entrance(tmp_path, database_url=url) as house:
        body = {"code": house.accounts.setup_code, "username": "Ada", "password": PASSWORD}
        together = await asyncio.gather(
            *(house.nobody.post("/auth/setup", json=body | {"username": f"Ada{n}"}) for n in range(3))
        )
        assert sorted(answer.status_code for answer in together) == [200, 403, 403]
        (ada,) = await house.accounts.users.list()
        assert ada.role is Role.ADMIN
        pair = await (await login(house, ada.username)).get_json()
        token = {"refreshToken": pair["refreshToken"]}
        refreshed = await asyncio.gather(*(house.nobody.post("/auth/refresh", json=token) for _ in range(4)))
        successors = {(await answer.get_json())["refreshToken"] for answer in refreshed}
        assert len(successors) == 1, "two tabs at once get the same successor"
        person = await command_line.add_user(house.settings, "mira", "viewer", PASSWORD)
        assert (await login(house, "mira")).status_code == 200
        await house.accounts.users.remove(person.id)
        assert (await login(house, "mira")).status_code == 401
        await command_line.lockdown(house.settings)
        assert (
            await house.nobody.post("/auth/refresh", json={"refreshToken": successors.pop()})
        ).status_code == 401


async def test_guesses_are_counted(tmp_path: Path, url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(throttle, "LONGEST_DELAY", 0.001)
    async with entrance(tmp_path, database_url=url) as house:
        answers = [await login(house, "mira", "wrong") for _ in range(throttle.BAN_AFTER + 1)]
        assert answers[-1].status_code == 429


async def test_a_one_time_link_has_one_winner(
    tmp_path: Path, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.library.scan.SETTLED", -60)
    async with shelf(tmp_path, database_url=url) as at:
        share = await at.share("diary.txt", one_time=True)
        race = await asyncio.gather(*(at.open(share) for _ in range(5)))
        assert sorted(status for status, _ in race) == [204, 403, 403, 403, 403]
        (cookie,) = [given for status, given in race if status == 204]
        assert (await at.get(at.stream(share, "diary.txt"), cookie)).status_code == 200
        assert (await at.editor.delete(f"/shares/{share['id']}")).status_code == 204
        assert (await at.get(at.stream(share, "diary.txt"), cookie)).status_code == 404
