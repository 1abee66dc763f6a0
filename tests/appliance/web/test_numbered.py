"""An answer can be found in the log by its id."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tests.house import house


async def test_each_answer_has_an_id_that_its_line_in_the_log_has_too(tmp_path: Path) -> None:
    async with house(tmp_path) as home, aiohttp.ClientSession(home.url) as http:

        async def ask(word: str) -> str:
            named = {"X-Request-Id": "ours", "Origin": home.url}
            async with http.post("/auth/login", json={word: 1}, headers=named) as answer:
                assert answer.status == 400
                return answer.headers["X-Request-Id"]

        numbers = await asyncio.gather(*map(ask, "abcd"))
        async with http.get("/healthz") as answer:
            numbers.append(answer.headers["X-Request-Id"])
    assert len(set(numbers)) == 5
    refusals = [line for line in home.output if "400 invalid" in line]
    assert len(refusals) == 4
    for number in numbers[:4]:
        assert sum(f"[{number}] POST /auth/login" in line for line in refusals) == 1
    assert not [line for line in home.output if "ours" in line]
