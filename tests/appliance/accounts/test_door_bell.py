"""Whoever opens or closes a door rings, and pages of admins hear it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.accounts import door_bell
from appliance.accounts.caller import Role
from tests.appliance.entrance import PASSWORD, Browser, House, entrance


async def told(stream: AsyncIterator[bytes], what: str) -> str:
    """The next message that says `what`; messages before it are read away."""
    async with asyncio.timeout(5):
        while True:
            message = (await anext(stream)).decode()
            if what in message:
                return message


async def listening(house: House, role: Role) -> AsyncIterator[bytes]:
    stream = house.live.listen(role)
    await anext(stream)
    return stream


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_bell, "PAUSE", 0)


async def test_sign_in_people_and_the_end_of_all_ring(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        ada = await house.sign_in("ada", Role.ADMIN)
        stream = await listening(house, Role.ADMIN)
        body = {"username": "mira", "password": PASSWORD, "role": "viewer"}
        made = await (await ada.post("/users", json=body)).get_json()
        await told(stream, '{"what":"user"}')
        await house.nobody.post("/auth/login", json={"username": "mira", "password": PASSWORD})
        await told(stream, '{"what":"session"}')
        await ada.patch(f"/users/{made['id']}", json={"role": "editor"})
        await told(stream, '{"what":"user"}')
        await ada.delete(f"/users/{made['id']}")
        await told(stream, '{"what":"user"}')
        await house.accounts.lockdown()
        await told(stream, '{"what":"lockdown"}')


async def paired(mira: Browser, house: House) -> tuple[str, str]:
    """Id and secret of a new pairing for oneself."""
    me = await (await mira.get("/auth/me")).get_json()
    made = await (await mira.post("/auth/pair", json={"user_id": me["id"]})).get_json()
    pairing_id, secret = made["link"].split("#")[1].split(".")
    return pairing_id, secret


async def test_a_second_claim_alarms_the_issuer_and_the_admins(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        mira = await house.sign_in("mira", Role.VIEWER)
        pairing_id, secret = await paired(mira, house)
        issuer, admin = await listening(house, Role.VIEWER), await listening(house, Role.ADMIN)
        first = await house.nobody.post(f"/auth/pair/{pairing_id}/claim", json={"secret": secret})
        assert first.status_code == 200
        await told(issuer, f'{{"id":"{pairing_id}","state":"claimed"}}')
        second = await house.nobody.post(
            f"/auth/pair/{pairing_id}/claim", json={"secret": secret}, headers={"User-Agent": "Firefox Linux"}
        )
        assert second.status_code == 403
        await told(issuer, f'{{"id":"{pairing_id}","state":"alarm"}}')
        alarm = await told(admin, '"what":"alarm"')
        assert '"about":"pairing"' in alarm
        assert '"device":"Firefox on Linux"' in alarm
        assert secret not in alarm


async def test_a_spent_refresh_token_alarms(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.VIEWER)
        login = await house.nobody.post("/auth/login", json={"username": "mira", "password": PASSWORD})
        spent = (await login.get_json())["refreshToken"]
        assert (await house.nobody.post("/auth/refresh", json={"refreshToken": spent})).status_code == 200
        admin = await listening(house, Role.ADMIN)
        stolen = await house.nobody.post(
            "/auth/refresh", json={"refreshToken": spent}, headers={"User-Agent": "another"}
        )
        assert stolen.status_code == 401
        assert '"username":"mira"' in await told(admin, '"about":"refresh"')
