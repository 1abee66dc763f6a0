"""Every route of the real appliance with input that will not do.

Each refusal is a problem+json with a status of the one table; a 400 names the field and what is allowed; the
log has exactly one line of it, and no traceback.
"""

from __future__ import annotations

import json
import logging
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import MagicMock
from urllib.parse import quote

import pytest
from quart import Quart

from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Audience, Role
from appliance.accounts.client import Client
from appliance.library.items import FileQuery
from appliance.settings import Secret, read_settings
from appliance.web.access import ACCESS, BODIES, INTERNAL, JSON, LARGEST_JSON
from appliance.web.errors import FRAMEWORK, STATUS
from appliance.web.internal import create_internal_app
from appliance.wiring import build
from tests.house import environment
from tests.media import photo

T = TypeVar("T")

TAKES_NOTHING = re.compile(
    r"/auth/(guest|logout)|/lockdown|/players/search|/players/<player_id>/(pause|resume|stop|next|previous)"
    r"|/files/<file_id>/restore|/devices/<device_id>/wake"
)
"""Their bodies are not looked at."""
IDS = ("x", "0" * 300, "..", "%2e%2e%2fetc", "%00", "a%0ab", "%F0%9F%98%80", "%ff", "-1", "' OR 1=1 --")
NOT_JSON = (b"{", b"\xff\xfe", b'{"a": 1', b"nope", b'{"username": "\xff"}', b"[" * 2_000)
NOT_OBJECTS = (b"[]", b'"x"', b"null", b"1", b"true")
WRONG = ([1], {"a": 1}, -1, 10**30, 1.5, True, "", "\0", "x" * 5_000, "\ud83d", None)
QUERIES = ("-1", "0", "x" * 300, "\0", "1e99", "\U0001f600", "9" * 40, "[]", "2026-13-45")
KNOWN = {status for status, _, _ in STATUS.values()} | set(FRAMEWORK) | {412}
"""412 is HTTP's own, for conditions (RFC 9110 §13.2) and for tus's version."""


@dataclass
class Town:
    """One appliance in this process, and an admin of it."""

    app: Quart
    accounts: Accounts
    caught: list[logging.LogRecord]
    file_id: str
    bearer: str = ""
    wrong: list[str] = field(default_factory=list)

    async def sign_in(self) -> None:
        client = Client("127.0.0.1", "test", "plain")
        async with self.accounts.sessions._database.write() as connection:
            (admin,) = [p for p in await self.accounts.users.list() if p.role is Role.ADMIN]
            issued = await self.accounts.sessions.begin(connection, admin, client, "password")
        self.bearer = f"Bearer {issued.access}"

    async def send(self, what: str, method: str, path: str, body: bytes | None, **headers: str) -> int:
        """Sends it and looks at the answer and the log; returns the status."""
        self.caught.clear()
        given = {"Authorization": self.bearer, "Host": "localhost", "Tus-Resumable": "1.0.0"} | headers
        if body is not None:
            given["Content-Length"] = str(len(body))
        client = self.app.test_client(use_cookies=False)
        answer = await client.open(path, method=method, headers=given, data=body)
        text = await answer.get_data(as_text=True)
        status = int(answer.status_code)
        lines = [record for record in self.caught if record.name.startswith("appliance.web")]
        wrong = []
        if any(record.exc_info or record.levelno >= logging.ERROR for record in self.caught):
            wrong.append(f"the log: {[r.getMessage() for r in self.caught]}")
        if status >= 400:
            wrong += problems_with(status, answer.content_type or "", text, len(lines))
            if any(secret in str([r.getMessage() for r in lines]) for secret in (path.split("?")[-1][:300],)
                   if "?" in path):  # fmt: skip
                wrong.append("the query stands in the log")
        self.wrong += [f"{method} {path[:80]} {what}: {status}: {one}" for one in wrong]
        return status


def problems_with(status: int, kind: str, text: str, lines: int) -> list[str]:
    """What is missing in a refusal."""
    found = []
    if status not in KNOWN:
        found.append("a status that stands in no table")
    if kind != "application/problem+json":
        return [*found, f"{kind or 'nothing'} instead of a problem: {text[:200]}"]
    said = json.loads(text)
    if not str(said.get("type")).startswith("urn:mantel:problem:") or said.get("status") != status:
        found.append(f"type or status: {text[:200]}")
    if status == 400 and not (said.get("field") and said.get("allowed")):
        found.append(f"no field, or not what is allowed: {text[:300]}")
    if "Traceback" in text or "Error(" in text:
        found.append(text[:300])
    if lines != 1:
        found.append(f"{lines} lines in the log")
    return found


@contextmanager
def catching() -> Iterator[list[logging.LogRecord]]:
    caught: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            caught.append(record)

    handler, root = Handler(logging.INFO), logging.getLogger("appliance")
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield caught
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    library = tmp_path / "library"
    library.mkdir()
    (library / "beach.jpg").write_bytes(photo())
    settings = read_settings(
        {key: value for key, value in environment(tmp_path, library).items() if key.startswith("MANTEL_")}
    )
    async with build(settings) as appliance:
        await appliance.library.scan()
        with catching() as caught:
            page = await appliance.library.page(FileQuery(), frozenset(Audience))
            found = Town(
                appliance.web_app, appliance.accounts, caught, page.items[0].id if page.items else "x"
            )
            await found.sign_in()
            yield found


def path_of(rule: str, file_id: str) -> str:
    return re.sub(r"<[^>]*>", "x", re.sub(r"<int:[^>]*>", "1", rule.replace("<file_id>", file_id)))


@pytest.mark.parametrize("most", [2, pytest.param(99, marks=pytest.mark.slow)])
async def test_no_path_no_query_and_no_body_gets_past_its_route(town: Town, most: int) -> None:
    """`most`: how many kinds of badness are tried of each."""
    answer = await town.app.test_client().get("/openapi.json", headers={"Host": "localhost"})
    document = await answer.get_json()
    for (method, rule), _ in ACCESS.items():
        if rule == "/events/live":
            continue
        await ids(town, method, rule, most)
        if method in ("GET", "OPTIONS"):
            shown = re.sub(r"<(?:[^<>:]*:)?([^<>]+)>", r"{\1}", rule)
            operation = document["paths"].get(shown, {}).get(method.lower(), {})
            await queries(town, method, rule, operation, most)
        elif BODIES.get((method, rule), JSON) == JSON:
            await bodies(town, method, rule, most)
        if rule in ("/lockdown", "/auth/logout", "/sessions/<session_id>"):
            await town.sign_in()
    assert not town.wrong, f"{len(town.wrong)}\n" + "\n".join(town.wrong[:40])


def some(values: tuple[T, ...], most: int, salt: str) -> tuple[T, ...]:
    """`most` of them, others for another salt, the same in each run."""
    first = zlib.crc32(salt.encode()) % len(values)
    return (values[first:] + values[:first])[:most]


async def ids(town: Town, method: str, rule: str, most: int) -> None:
    if "<" not in rule:
        return
    takes = BODIES.get((method, rule), JSON)
    headers = {} if method == "GET" else {"Content-Type": JSON if takes == "*/*" else takes}
    for bad in some(IDS, most, rule):
        path = re.sub(r"<[^>]*>", bad, rule)
        status = await town.send("a bad id", method, path, None if method == "GET" else b"{}", **headers)
        if status < 400:
            town.wrong.append(f"{method} {rule} with {bad}: {status}")


async def queries(town: Town, method: str, rule: str, operation: dict[str, Any], most: int) -> None:
    names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    names += {"/files/<file_id>/remux": ["start"], "/api/analytics/heatmap": ["fileId"],
              "/api/analytics/popular": ["range", "limit"], "/players": ["fileId"],
              "/api/analytics/users/engagement": ["range", "user"]}.get(rule, [])  # fmt: skip
    for name in names:
        for bad in some(QUERIES, most, rule + name):
            await town.send(name, method, f"{path_of(rule, town.file_id)}?{name}={quote(bad)}", None)


async def bodies(town: Town, method: str, rule: str, most: int) -> None:
    path = path_of(rule, town.file_id)
    as_json = {"Content-Type": JSON}
    looks = not TAKES_NOTHING.fullmatch(rule)
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        if await town.send(kind, method, path, b"{}", **{"Content-Type": kind}) != 415:
            town.wrong.append(f"{method} {rule}: {kind} is taken")
    if await town.send("too large", method, path, b" " * (LARGEST_JSON + 1), **as_json) != 413:
        town.wrong.append(f"{method} {rule}: too much is taken")
    if method == "DELETE":
        return
    for broken in (*some(NOT_JSON, most, rule), *some(NOT_OBJECTS, most, rule)):
        status = await town.send(repr(broken[:20]), method, path, broken, **as_json)
        if looks and status not in (400, 401, 403, 404):
            town.wrong.append(f"{method} {rule}: {broken[:20]!r} is taken: {status}")
    for name in members_of(rule):
        for bad in WRONG:
            await town.send(
                f"{name}={str(bad)[:20]!r}", method, path, json.dumps({name: bad}).encode(), **as_json
            )


def members_of(rule: str) -> list[str]:
    """What the route's body may have, and one that it has not."""
    known = {
        "/auth/login": ["username", "password"], "/auth/setup": ["code", "username", "password"],
        "/auth/refresh": ["refreshToken"], "/auth/me": ["username", "privacy", "password", "old_password"],
        "/users": ["username", "password", "role"], "/users/<user_id>": ["username", "role", "password"],
        "/auth/pair": ["user_id"], "/auth/pair/<pairing_id>/confirm": ["number"],
        "/auth/pair/<pairing_id>/claim": ["secret"], "/auth/pair/<pairing_id>/finish": ["claim"],
        "/files/<file_id>": ["name", "folder", "tags"], "/folders/<folder_id>": ["audience"],
        "/players/<player_id>/play": ["fileId", "fileIds", "folderId", "position", "repeat"],
        "/players/<player_id>/seek": ["position"], "/players/<player_id>/volume": ["level", "muted"],
        "/players/<player_id>": ["name", "hidden", "state", "leastRole"],
        "/devices": ["name", "mac", "schedule"], "/devices/<device_id>": ["name", "mac", "schedule"],
        "/tvs/allow": ["code", "name", "folders"], "/tvs/<tv_id>": ["state", "name", "folders"],
        "/shares": ["file_ids", "folder_id", "title", "seconds", "password", "one_time"],
        "/s/<token>/open": ["password"], "/uploads/known": ["files"], "/events": ["events"],
        "/files/<file_id>/position": ["seconds"], "/files/<file_id>/favourite": ["on"],
        "/settings": ["guest", "log_days", "upload_limit"],
    }  # fmt: skip
    return [*known.get(rule, []), "no_such_member"]


async def test_uploads_refuse_what_will_not_do(town: Town) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (
        b"",
        b"--x",
        b"--x\r\n\r\n",
        b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\ny\r\n--x--",
    ):
        status = await town.send(repr(body[:30]), "POST", "/files/upload", body, **form)
        if status != 400:
            town.wrong.append(f"a form {body[:60]!r}: {status}")
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "text/plain", "application/json"):
        await town.send(kind, "POST", "/files/upload", b"{}", **{"Content-Type": kind})
    for headers in (
        {}, {"Upload-Length": "-1"}, {"Upload-Length": "x"}, {"Upload-Length": "1" * 40},
        {"Upload-Length": "3", "Upload-Metadata": "filename ***"}, {"Upload-Length": "3"},
    ):  # fmt: skip
        given = {"Tus-Resumable": "1.0.0"} | headers
        status = await town.send(str(headers), "POST", "/files/tus", None, **given)
        if not 400 <= status < 500:
            town.wrong.append(f"tus {headers}: {status}")
    assert not town.wrong, f"{len(town.wrong)}\n" + "\n".join(town.wrong[:40])


async def test_the_daemons_port_refuses_what_will_not_do() -> None:
    app = create_internal_app(Secret("token"), MagicMock(), MagicMock())
    wrong = []
    for method, path in sorted(key for key in INTERNAL if key[0] == "POST"):
        for body in (*NOT_JSON, *NOT_OBJECTS, b"{}", b'{"facts": 1, "paths": [1], "counts": [[]]}'):
            with catching() as caught:
                answer = await app.test_client(use_cookies=False).open(
                    path,
                    method=method,
                    headers={"Authorization": "Bearer token", "Content-Type": JSON, "Host": "127.0.0.1"},
                    data=body,
                )
            text = await answer.get_data(as_text=True)
            found = problems_with(answer.status_code, answer.content_type or "", text, len(caught))
            if answer.status_code != 400:
                found.append(text)
            wrong += [f"{path} {body[:20]!r}: {one}" for one in found]
    assert not wrong
