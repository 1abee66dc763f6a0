"""Passwords: what bcrypt cannot take, time that does not tell, a queue with an end."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.accounts import passwords as module
from appliance.accounts.passwords import LONGEST, SHORTEST, Passwords
from appliance.errors import Invalid, TooMany

PEPPER = b"p" * 32


@given(st.text(min_size=SHORTEST, max_size=LONGEST))
@settings(max_examples=20, deadline=None)
def test_any_text_is_a_password(text: str) -> None:
    async def check() -> None:
        passwords = Passwords(PEPPER, cost=4)
        hashed = await passwords.hash(text)
        assert await passwords.matches(text, hashed)
        assert not await passwords.matches(text + "x", hashed)
        assert not await Passwords(b"q" * 32, cost=4).matches(text, hashed), "the pepper counts"

    asyncio.run(check())


async def test_composed_and_decomposed_are_the_same() -> None:
    passwords = Passwords(PEPPER, cost=4)
    hashed = await passwords.hash(unicodedata.normalize("NFD", "tromsø-blåbær"))
    assert await passwords.matches(unicodedata.normalize("NFC", "tromsø-blåbær"), hashed)


@pytest.mark.parametrize("password", ["", "short", "x" * (LONGEST + 1)])
async def test_length_is_checked_without_showing_the_password(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        await Passwords(PEPPER, cost=4).hash(password)
    assert not password or password not in str(refused.value)


async def test_nobody_takes_as_many_rounds_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(PEPPER, cost=4)
    costs: list[bytes] = []
    real = module.bcrypt.checkpw
    monkeypatch.setattr(module.bcrypt, "checkpw", lambda p, h: (costs.append(h[:7]), real(p, h))[1])
    assert not await passwords.matches("x", None)
    assert not await passwords.matches("x", await passwords.hash("correct horse"))
    assert costs[0] == costs[1]


async def test_the_queue_has_an_end_and_drains() -> None:
    passwords = Passwords(PEPPER, cost=4)
    hashed = await passwords.hash("correct horse")
    crowd = [passwords.matches("correct horse", hashed) for _ in range(30)]
    results = await asyncio.gather(*crowd, return_exceptions=True)
    assert results.count(True) == module.THREADS + module.QUEUE
    assert all(isinstance(r, TooMany) for r in results if r is not True)
    assert await passwords.matches("correct horse", hashed)
