"""Guessing is slowed; the household is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts import sign_in, throttle
from appliance.accounts.caller import Role
from appliance.accounts.throttle import Tally, count
from appliance.errors import TooMany
from tests.appliance.entrance import PASSWORD, House, entrance


@given(st.lists(st.integers(0, 700_000), max_size=60))
def test_an_account_is_never_banned_nor_delayed_beyond_the_limit(gaps: list[int]) -> None:
    now, tally = 1, Tally()
    for gap in gaps:
        now += gap
        tally, delay = count(tally, now, bans=False)
        assert 0 <= delay <= throttle.LONGEST_DELAY
        assert tally.banned_until == 0


@given(st.lists(st.integers(0, 700_000), max_size=60))
def test_an_address_is_free_again_after_the_ban(gaps: list[int]) -> None:
    now, tally = 1, Tally()
    for gap in gaps:
        now += gap
        try:
            tally, _ = count(tally, now, bans=True)
        except TooMany:
            assert tally.banned_until - now <= throttle.BAN * 1000
    after = max(now, tally.banned_until) + throttle.FORGET * 1000 + 1
    assert count(tally, after, bans=True)[1] == 0


def test_delays_grow_and_the_ban_comes_last() -> None:
    tally, delays = Tally(), []
    for _ in range(throttle.BAN_AFTER):
        tally, delay = count(tally, 1000, bans=True)
        delays.append(delay)
    assert delays[: throttle.FREE] == [0] * throttle.FREE
    assert delays == sorted(delays)
    assert delays[-1] == throttle.LONGEST_DELAY
    with pytest.raises(TooMany):
        count(tally, 1000, bans=True)


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(throttle, "LONGEST_DELAY", 0.001)


async def guess(house: House, name: str = "mira", password: str = "wrong-wrong", **headers: str) -> Any:
    body = {"username": name, "password": password}
    return await house.nobody.post("/auth/login", json=body, headers=headers)


async def test_a_guessing_address_is_banned_and_a_known_device_is_not(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        good = await guess(house, password=PASSWORD)
        device = next(c for c in good.headers.getlist("Set-Cookie") if c.startswith("mantel_device="))
        statuses = [(await guess(house)).status_code for _ in range(throttle.BAN_AFTER + 2)]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        refused = await guess(house, password=PASSWORD)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) <= throttle.BAN
        known = {"Cookie": device.split(";")[0], "Origin": "http://localhost"}
        assert (await guess(house, password=PASSWORD, **known)).status_code == 200


async def test_a_known_device_of_another_person_has_no_allowance(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        await house.accounts.users.create("eve", PASSWORD, Role.VIEWER)
        good = await guess(house, "eve", PASSWORD)
        device = next(c for c in good.headers.getlist("Set-Cookie") if c.startswith("mantel_device="))
        known = {"Cookie": device.split(";")[0], "Origin": "http://localhost"}
        statuses = [(await guess(house, **known)).status_code for _ in range(throttle.BAN_AFTER + 2)]
        assert statuses[-1] == 429


async def test_many_guesses_at_once_are_each_counted(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        answers = await asyncio.gather(*(guess(house) for _ in range(40)))
        looked_at = [a for a in answers if a.status_code == 401]
        assert len(looked_at) <= throttle.BAN_AFTER
        assert {a.status_code for a in answers} <= {401, 429}


async def test_the_count_survives_a_restart_and_reset_lifts_it(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        await house.accounts.users.create("mira", PASSWORD, Role.EDITOR)
        for _ in range(throttle.BAN_AFTER + 1):
            await guess(house)
    async with entrance(tmp_path) as house:
        assert (await guess(house, password=PASSWORD)).status_code == 429
        await house.accounts.users.reset("mira", "another-password")
        assert (await guess(house, password="another-password")).status_code == 200


async def test_those_who_wait_are_not_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "WAITING", 0)
    async with entrance(tmp_path) as house:
        statuses = [(await guess(house, f"name{n}")).status_code for n in range(throttle.FREE + 1)]
        assert statuses == [401] * throttle.FREE + [429]
