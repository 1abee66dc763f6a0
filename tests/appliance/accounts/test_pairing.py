"""Pairing by QR: the right device gets in, and nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts import command_line
from appliance.accounts import pairing as pairing_module
from appliance.accounts.caller import Role
from tests.appliance.entrance import Browser, House, entrance


async def issue(house: House, issuer: Browser, username: str) -> dict[str, Any]:
    (user,) = [u for u in await house.accounts.users.list() if u.username == username]
    answer = await issuer.post("/auth/pair", json={"user_id": user.id})
    assert answer.status_code == 201
    body: dict[str, Any] = await answer.get_json()
    body["secret"] = body["link"].rsplit(".", 1)[1]
    assert body["secret"] not in body["link"].split("#")[0]
    return body


async def claim(house: House, pair: dict[str, Any], secret: str = "") -> Any:
    return await house.nobody.post(
        f"/auth/pair/{pair['id']}/claim", json={"secret": secret or pair["secret"]}
    )


async def test_a_phone_is_paired(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        await house.accounts.users.create("mira", "correct horse", Role.EDITOR)
        pair = await issue(house, admin, "mira")
        assert pair["qr_svg"].startswith("<svg")
        claimed = await (await claim(house, pair)).get_json()
        waiting = await house.nobody.post(f"/auth/pair/{pair['id']}/finish", json={"claim": claimed["claim"]})
        assert waiting.status_code == 202
        seen = await (await admin.get(f"/auth/pair/{pair['id']}")).get_json()
        assert seen["state"] == "claimed"
        assert len(set(seen["numbers"])) == 3
        assert claimed["number"] in seen["numbers"]
        picked = await admin.post(f"/auth/pair/{pair['id']}/confirm", json={"number": claimed["number"]})
        assert (await picked.get_json())["state"] == "allowed"
        finished = await house.nobody.post(
            f"/auth/pair/{pair['id']}/finish", json={"claim": claimed["claim"]}
        )
        assert (await finished.get_json())["user"]["username"] == "mira"
        again = await house.nobody.post(f"/auth/pair/{pair['id']}/finish", json={"claim": claimed["claim"]})
        assert again.status_code == 403
        (session,) = [s for s in await house.accounts.sessions.list() if s.username == "mira"]
        assert session.method == "pairing"


async def test_a_second_claim_alarms_and_ends_it(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        pair = await issue(house, admin, "ada")
        first = await (await claim(house, pair)).get_json()
        assert (await claim(house, pair)).status_code == 403
        seen = await (await admin.get(f"/auth/pair/{pair['id']}")).get_json()
        assert seen["state"] == "alarm"
        confirm = await admin.post(f"/auth/pair/{pair['id']}/confirm", json={"number": first["number"]})
        assert confirm.status_code == 409
        finish = await house.nobody.post(f"/auth/pair/{pair['id']}/finish", json={"claim": first["claim"]})
        assert finish.status_code == 403


async def test_a_wrong_number_ends_it(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        pair = await issue(house, admin, "ada")
        first = await (await claim(house, pair)).get_json()
        await admin.post(f"/auth/pair/{pair['id']}/confirm", json={"number": first["number"] - 1})
        finish = await house.nobody.post(f"/auth/pair/{pair['id']}/finish", json={"claim": first["claim"]})
        assert finish.status_code == 403


async def test_only_an_admin_pairs_for_others_and_only_the_issuer_confirms(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        admin, mira = await house.sign_in("ada", Role.ADMIN), await house.sign_in("mira", Role.VIEWER)
        people = {u.username: u.id for u in await house.accounts.users.list()}
        assert (await mira.post("/auth/pair", json={"user_id": people["ada"]})).status_code == 403
        assert (await mira.post("/auth/pair", json={"user_id": people["mira"]})).status_code == 201
        pair = await issue(house, admin, "ada")
        assert (await mira.get(f"/auth/pair/{pair['id']}")).status_code == 404
        await claim(house, pair)
        confirm = await mira.post(f"/auth/pair/{pair['id']}/confirm", json={"number": 10})
        assert confirm.status_code == 404


@pytest.mark.parametrize("how", ["expired", "wrong", "lockdown"])
async def test_an_old_or_wrong_code_opens_nothing(tmp_path: Path, how: str) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)
        pair = await issue(house, admin, "ada")
        if how == "expired":
            (held,) = house.accounts.pairings.list()
            house.accounts.pairings._open[held.id] = replace(held, expires_at=0)
        elif how == "lockdown":
            await house.accounts.lockdown()
        secret = "A" * 22 if how == "wrong" else ""
        assert (await claim(house, pair, secret)).status_code == 403
    assert pairing_module.LIFE == 120


async def test_lockdown_by_another_process_ends_what_this_one_opened(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        ended = asyncio.Event()

        async def end_casts() -> None:
            ended.set()

        house.accounts.on_lockdown.append(end_casts)
        admin = await house.sign_in("ada", Role.ADMIN)
        pair = await issue(house, admin, "ada")
        await asyncio.sleep(0.2)
        await command_line.lockdown(house.settings)
        await asyncio.wait_for(ended.wait(), 10)
        assert house.accounts.pairings.list() == ()
        assert (await claim(house, pair)).status_code == 403
