"""Settings that change while everything runs, seen on a real appliance."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from tests.house import House, house, sign_in, start, stop


async def listed(http: aiohttp.ClientSession) -> dict[str, dict[str, Any]]:
    async with http.get("/settings") as answer:
        assert answer.status == 200
        return {one["name"]: one for one in (await answer.json())["items"]}


async def changed(http: aiohttp.ClientSession, **values: Any) -> tuple[int, dict[str, Any]]:
    async with http.patch("/settings", json=values) as answer:
        return answer.status, await answer.json()


async def guest(home: House) -> int:
    async with aiohttp.ClientSession(home.url) as nobody, nobody.post("/auth/guest", json={}) as answer:
        return answer.status


async def test_a_choice_counts_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as home, sign_in(home) as http:
        before = await listed(http)
        assert before["guest"]["value"] == "off"
        assert before["guest"]["changeable"]
        assert before["free_space"] | {"from": "environment", "changeable": False} == before["free_space"]
        assert not any("password" in name or "url" in name for name in before), "no secret is shown"

        assert await guest(home) == 403
        assert (await changed(http, guest="on", upload_limit="1 KiB"))[0] == 200
        after = await listed(http)
        assert (after["guest"]["value"], after["guest"]["from"]) == ("on", "page")
        assert after["upload_limit"]["value"] == 1024
        visiting = aiohttp.ClientSession(home.url)
        async with visiting.post("/auth/guest", json={}) as answer:
            visiting.headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
        form = aiohttp.FormData()
        form.add_field("file", b"x" * 2048, filename="big.txt")
        async with http.post("/files/upload", data=form) as answer:
            assert answer.status == 413

        for bad, field in (
            ({"guest": "maybe"}, "guest"),
            ({"log_days": 0}, "log_days"),
            ({"log_days": ["7"]}, "log_days"),
            ({"http_port": 1}, "http_port"),
            ({"guest": "off", "log_days": "soon"}, "log_days"),
        ):
            status, problem = await changed(http, **bad)
            assert (status, problem["field"]) == (400, field)
            assert "allowed" in problem
        assert (await changed(http, free_space="1 GiB"))[0] == 409
        assert await guest(home) == 200, "a refused change changes nothing"

        assert (await changed(http, guest=None))[0] == 200
        assert await guest(home) == 403
        async with asyncio.timeout(5):
            while True:
                async with visiting.get("/auth/me") as answer:
                    if answer.status == 401:
                        break
        await visiting.close()
        assert (await changed(http, guest="on"))[0] == 200
        await stop(home)
    again = await start(tmp_path, home.library, guest="")
    try:
        assert await guest(again) == 200, "chosen before the restart"
    finally:
        await stop(again)
    pinned = await start(tmp_path, home.library, guest="off")
    try:
        assert await guest(pinned) == 403, "the environment wins"
    finally:
        await stop(pinned)
