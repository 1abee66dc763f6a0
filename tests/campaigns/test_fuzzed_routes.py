"""Every route that takes JSON or a query, as /openapi.json has it, on the wire: nearly right, a great many.

None is answered as our own fault, every refusal is a problem that says what is wrong, memory stays flat, and
the list of files is there in the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.campaigns import INPUTS, SEED
from tests.campaigns.fuzz import bent
from tests.campaigns.test_fuzzed_words import LOG_QUERIES, QUERIES, bent_query
from tests.house import files_when, house, sign_in

AT_ONCE, TOGETHER = 6, 2_000
"""Who ask, and inputs of one sign-in."""
GROWTH = 24 * 1024
"""KiB of resident memory of the server after the first tenth."""
JSON = "application/json"
LEFT_OUT = {"/lockdown", "/auth/login", "/auth/logout", "/auth/me", "/auth/setup"}
"""What ends the sign-in that asks, or locks its address out."""
HASHING = {"/users", "/users/{user_id}", "/s/{token}/open"}
"""A right one takes a fifth of a second on purpose: one in so many."""
SELDOM = 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + INPUTS // 100)]


def example(schema: Mapping[str, Any], dice: random.Random, ids: list[str], name: str = "") -> Any:
    """A value that a schema allows, or nearly."""
    if "anyOf" in schema:
        return example(dice.choice(schema["anyOf"]), dice, ids, name)
    if "enum" in schema:
        return dice.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            chosen = [one for one in members if one in schema.get("required", ()) or dice.random() < 0.6]
            return {one: example(members[one], dice, ids, one) for one in chosen}
        case "array":
            return [example(schema["items"], dice, ids, name) for _ in range(dice.randint(0, 3))]
        case "boolean":
            return dice.random() < 0.5
        case "integer" | "number":
            whole = dice.choice((0, 1, -1, 7, schema.get("maximum", 99), 1 << 63, 10**30))
            return whole if schema["type"] == "integer" or dice.random() < 0.5 else whole * 0.7
        case "null":
            return None
    texts = {"mac": "02:00:00:00:00:01", "at": "12:30", "address": "127.0.0.9", "folder": "Films/Old"}
    return dice.choice((*ids, texts.get(name, name), "viewer", "", "Ünï 😀", "../..", "x" * 300))


class Hunt:
    """Some inputs, by one who is signed in."""

    def __init__(
        self, described: Mapping[str, Any], ids: list[str], http: aiohttp.ClientSession, dice: random.Random
    ) -> None:
        self.ids, self.http, self.dice = ids, http, dice
        self.answers: Counter[int] = Counter()
        self.asked: Counter[str] = Counter()
        self.takes: list[tuple[str, str, Mapping[str, Any] | None]] = []
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                content = operation.get("requestBody", {}).get("content", {})
                if JSON in content and path not in LEFT_OUT:
                    self.takes.append((method.upper(), path, content[JSON]["schema"]))
        self.takes += [("GET", path, None) for path in ("/files", "/folders", "/log", "/me/log")]

    async def run(self, count: int) -> None:
        left = iter(range(count))

        async def ask_on() -> None:
            for _ in left:
                await self.ask()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(ask_on())

    async def ask(self) -> None:
        method, path, schema = self.dice.choice(self.takes)
        while path in HASHING and self.dice.randrange(SELDOM):
            method, path, schema = self.dice.choice(self.takes)
        for hole in re.findall(r"{\w+}", path):
            one = self.dice.choice(self.ids)
            path = path.replace(hole, quote(one if self.dice.random() < 0.8 else bent(self.dice, (one,)), ""))
        query = bent_query(self.dice, LOG_QUERIES if "log" in path else QUERIES) if schema is None else None
        body = None
        if schema is not None:
            made = json.dumps(example(schema, self.dice, self.ids), ensure_ascii=self.dice.random() < 0.5)
            bends = self.dice.random() < 0.5
            body = (bent(self.dice, (made,)) if bends else made).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": JSON if self.dice.random() < 0.98 else bent(self.dice, ("text/json",))}
        headers["Content-Type"] = re.sub(r"[^ -~]", "?", headers["Content-Type"])
        async with self.http.request(method, path, params=query, data=body, headers=headers) as answer:
            said = await answer.read()
        told = (method, path, query, body, answer.status, said[:500])
        assert answer.status < 500 or answer.status == 503, told
        if answer.status >= 400:
            assert answer.content_type == "application/problem+json", told
            assert json.loads(said)["status"] == answer.status, told
        self.answers[answer.status] += 1
        self.asked[f"{method} {path.split('/')[1]}"] += 1


def resident(pid: int) -> int:
    """KiB (proc(5), VmRSS)."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


async def test_every_route_that_is_told_something(tmp_path: Path, media: Path) -> None:
    answers: Counter[int] = Counter()
    asked: Counter[str] = Counter()
    dice = random.Random(SEED)
    async with house(tmp_path, media, tv_access="open") as home:
        async with sign_in(home) as http:
            before = sorted(one["id"] for one in await files_when(home, http, 12))
            async with http.get("/openapi.json") as answer:
                described = await answer.json()
        held = 0
        together = min(TOGETHER, INPUTS // 10)
        for left in range(INPUTS, 0, -together):
            # A bearer holds for minutes.
            async with sign_in(home) as http:
                hunt = Hunt(described, [*before, "abc", "me"], http, dice)
                assert len(hunt.takes) >= 30
                await hunt.run(min(left, together))
                async with http.get("/auth/me") as answer:
                    assert answer.status == 200, "the sign-in has ended, and all was asked by nobody"
            answers += hunt.answers
            asked += hunt.asked
            assert not [line for line in home.output if "Traceback" in line], "".join(home.output)
            home.output.clear()
            print(f"{left} to go, {resident(home.process.pid)} KiB", flush=True)
            if left <= INPUTS * 0.9 and not held:
                held = resident(home.process.pid)
        print(dict(answers), dict(asked))
        assert {200, 400, 404} <= answers.keys()
        assert resident(home.process.pid) < held + GROWTH
        async with sign_in(home) as http:
            assert sorted(one["id"] for one in await files_when(home, http, 12)) == before
