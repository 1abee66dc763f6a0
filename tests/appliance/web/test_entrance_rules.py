"""What holds for each request, whoever sends it: on the wire, over all routes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from appliance.accounts.caller import Role
from appliance.accounts.tables import throttles
from appliance.web.access import ACCESS
from tests.appliance.entrance import PASSWORD, entrance
from tests.appliance.serving import ask, request_head, serving
from tests.appliance.web.test_matrix import path_of
from tests.house import House, files_when, house, sign_in
from tests.media import photo

MOVES_BY_ITSELF = ("access_log", "log_state", "throttles", "thumbnails", "sqlite_sequence")
"""What is noted of a look; the rest of the store must not change by one."""
CLOCKS = ("last_seen_at", "last_accessed_at", "present_at")


def store_of(home: House) -> dict[str, list[dict[str, Any]]]:
    with sqlite3.connect(f"file:{home.state / 'mantel.db'}?mode=ro", uri=True) as store:
        store.row_factory = sqlite3.Row
        tables = [
            row["name"]
            for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if row["name"] not in MOVES_BY_ITSELF and not row["name"].startswith("files_search")
        ]
        return {
            table: [
                {name: row[name] for name in row.keys() if name not in CLOCKS}
                for row in store.execute(f'SELECT * FROM "{table}"')
            ]
            for table in tables
        }


async def test_no_get_changes_anything(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "beach.jpg").write_bytes(photo())
    os.utime(library / "beach.jpg", (1_700_000_000, 1_700_000_000))
    async with house(tmp_path) as home, sign_in(home) as admin:
        (file,) = await files_when(home, admin, 1)
        async with asyncio.timeout(30):
            while (await described(admin, file["id"])) is None:
                await asyncio.sleep(0.1)
        before = store_of(home)
        assert {"users", "sessions", "files", "choices", "shares", "tvs"} <= set(before)
        for method, rule in ACCESS:
            if method != "GET" or rule == "/events/live":
                continue
            path = path_of(rule.replace("<file_id>", file["id"]))
            async with admin.get(path, allow_redirects=False) as answer:
                await answer.read()
                assert answer.status < 500 or answer.status == 503, (path, answer.status)
                assert "Strict-Transport-Security" not in answer.headers
            async with admin.head(path, allow_redirects=False) as answer:
                assert answer.status < 500 or answer.status == 503, (path, answer.status)
        after = store_of(home)
        assert {name for name in before if before[name] != after[name]} == set()


async def described(http: aiohttp.ClientSession, file_id: str) -> str | None:
    async with http.get(f"/files/{file_id}") as answer:
        return (await answer.json())["resolution"]  # type: ignore[no-any-return]


async def test_no_token_counts_in_a_query_and_no_socket_is_upgraded(tmp_path: Path) -> None:
    async with entrance(tmp_path) as home, serving(home.app) as port:
        ada = await home.sign_in("ada", Role.ADMIN)
        token = ada.headers["Authorization"].split()[1]
        for name in ("token", "access_token", "mantel", "jwt", "auth"):
            assert (await ask(port, f"/auth/me?{name}={token}")).status == 401
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | ada.headers
        for path in ("/auth/me", "/"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request_head(path, upgrade))
            status = int((await asyncio.wait_for(reader.readline(), 5)).split()[1])
            assert status not in (101, 500)
            writer.close()


@pytest.mark.parametrize(
    ("peer", "public_peers", "status"),
    [
        ("8.8.8.8", "off", 403),
        ("2001:4860:4860::8888", "off", 403),
        ("8.8.8.8", "on", 200),
        ("192.168.1.20", "off", 200),
        ("10.0.0.5", "off", 200),
        ("fe80::1%eth0", "off", 200),
        ("::ffff:192.168.1.20", "off", 200),
        ("::ffff:8.8.8.8", "off", 403),
        ("127.0.0.1", "off", 200),
    ],
)
async def test_a_peer_from_outside_is_refused(
    tmp_path: Path, peer: str, public_peers: str, status: int
) -> None:
    async with entrance(tmp_path, public_peers=public_peers) as home:
        client = home.app.test_client(use_cookies=False)
        answer = await client.get("/healthz", scope_base={"client": (peer, 40_000)})
        assert answer.status_code == status


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
async def test_a_forwarded_address_counts_from_our_own_proxy_alone(tmp_path: Path, proxies: str) -> None:
    async with entrance(tmp_path, trusted_proxies=proxies, hosts="shelf.example") as home:
        async with serving(home.app) as port:
            for far, behind in (("8.8.8.8", 200), ("10.0.0.9, 8.8.4.4", 200)):
                reply = await ask(port, "/healthz", {"Host": "shelf.example", "X-Forwarded-For": far})
                assert reply.status == behind
            await home.accounts.users.create("mira", PASSWORD, Role.VIEWER)
            body = b'{"username": "mira", "password": "wrong wrong"}'
            headers = {"Host": "shelf.example", "Content-Type": "application/json"}
            headers["X-Forwarded-For"] = "198.51.100.7"
            assert (await ask(port, "/auth/login", headers, "POST", body)).status == 401
        async with home.database.read() as connection:
            keys = (await connection.execute(select(throttles.c.key))).scalars().all()
        counted = "address:198.51.100.7" if proxies else "address:127.0.0.1"
        assert counted in keys
