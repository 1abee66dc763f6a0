"""Planted secrets: a real run with every kind of secret, and none in its log, answers or argv."""

from __future__ import annotations

import os
import re
from pathlib import Path

import aiohttp

from tests.house import PASSWORD, House, house, sign_in

WRONG, LINK_PASSWORD, NEW_PASSWORD = "planted-wrong-guess", "planted-link-word", "planted-new-word"


def kept(state: Path) -> dict[str, str]:
    """What lies in the state folder and must stay there."""
    found = {}
    for file in (state / "keys").iterdir():
        for n, text in enumerate(re.findall(r"[A-Za-z0-9+/_=-]{30,}", file.read_text())):
            found[f"{file.name} {n}"] = text
    return found


async def a_day_in_the_life(home: House) -> tuple[list[str], dict[str, str]]:
    """Answers of everything that may not tell, and the tokens that were handed out."""
    answers, tokens = [], {}
    async with aiohttp.ClientSession(home.url) as nobody, sign_in(home) as admin:
        tokens["access"] = admin.headers["Authorization"].split()[1]
        async with nobody.post("/auth/login", json={"username": "admin", "password": WRONG}) as answer:
            answers.append(await answer.text())
        body = {"username": "mira", "password": NEW_PASSWORD, "role": "editor"}
        async with admin.post("/users", json=body) as answer:
            answers.append(await answer.text())
            mira = (await answer.json())["id"]
        async with admin.post("/users", json=body | {"role": NEW_PASSWORD[::-1]}) as answer:
            assert answer.status == 400
        async with admin.post("/auth/pair", json={"user_id": mira}) as answer:
            pair = await answer.json()
            tokens["pairing"] = pair["link"].rsplit(".", 1)[1]
        async with nobody.post(
            f"/auth/pair/{pair['id']}/claim", json={"secret": tokens["pairing"]}
        ) as answer:
            tokens["claim"] = (await answer.json())["claim"]
        async with nobody.post("/auth/login", json={"username": "mira", "password": NEW_PASSWORD}) as answer:
            tokens["refresh"] = (await answer.json())["refreshToken"]
        async with nobody.post("/auth/refresh", json={"refreshToken": tokens["refresh"]}) as answer:
            assert answer.status == 200
        async with admin.get("/files") as answer:
            file = (await answer.json())["items"][0]["id"]
        body = {"file_ids": [file], "password": LINK_PASSWORD}
        async with admin.post("/shares", json=body) as answer:
            assert answer.status == 201
            tokens["link"] = (await answer.json())["link"].rsplit("/", 1)[1]
        async with nobody.get(f"/s/{tokens['link']}/files?token={tokens['access']}") as answer:
            assert answer.status == 401
            answers.append(await answer.text())
        for path in (
            "/users",
            "/sessions?all=1",
            "/shares",
            "/auth/pair",
            "/auth/me",
            "/openapi.json",
            "/healthz",
        ):
            async with admin.get(path) as answer:
                answers.append(await answer.text())
        for path in (f"/nowhere/{tokens['access']}", f"/files?query=%00&token={tokens['access']}"):
            async with admin.get(path) as answer:
                answers.append(await answer.text())
    return answers, tokens


async def test_no_secret_is_told(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "note.txt").write_text("hello")
    os.utime(library / "note.txt", (1_700_000_000, 1_700_000_000))
    async with house(tmp_path) as home:
        from tests.house import files_when

        async with sign_in(home) as admin:
            await files_when(home, admin, 1)
        answers, tokens = await a_day_in_the_life(home)
        keys = kept(home.state)
        argv = Path(f"/proc/{home.process.pid}/cmdline").read_bytes().decode()
    log = "".join(home.output)
    passwords = {"admin": PASSWORD, "wrong": WRONG, "new": NEW_PASSWORD, "link": LINK_PASSWORD}
    assert len(keys) >= 3
    assert log
    for name, secret in {**passwords, **tokens, **keys}.items():
        assert secret not in log, f"{name} stands in the log"
        assert secret not in argv, f"{name} stands in argv"
    for name, secret in {**passwords, **keys, **{k: v for k, v in tokens.items() if k != "link"}}.items():
        for answer in answers:
            assert secret not in answer, f"{name} is told: {answer[:300]}"
