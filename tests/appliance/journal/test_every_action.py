"""Each route of the real appliance, called as people call it, and the rows that each leaves in the journal.

LEAVES names every route of the table of access: who adds one says here what it leaves.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import aiohttp

from appliance.web.access import ACCESS
from tests.house import PASSWORD, House, files_when, house, sign_in
from tests.media import film, photo

Row = dict[str, Any]
NOTHING: tuple[str, ...] = ()

LEAVES: dict[tuple[str, str], tuple[str, ...]] = {
    ("POST", "/auth/login"): ("SIGN_IN",),
    ("POST", "/auth/setup"): ("SIGN_IN", "USER_CHANGED"),
    ("POST", "/auth/guest"): ("SIGN_IN",),
    ("POST", "/auth/pair/<pairing_id>/finish"): ("SIGN_IN",),
    ("PATCH", "/auth/me"): ("USER_CHANGED",),
    ("POST", "/users"): ("USER_CHANGED",),
    ("PATCH", "/users/<user_id>"): ("USER_CHANGED",),
    ("DELETE", "/users/<user_id>"): ("USER_DELETED",),
    ("GET", "/files"): ("SEARCH",),
    ("GET", "/files/<file_id>"): ("VIEW",),
    ("PATCH", "/files/<file_id>"): ("FILE_CHANGED",),
    ("DELETE", "/files/<file_id>"): ("DELETE", "FILE_REMOVED"),
    ("POST", "/files/<file_id>/restore"): ("FILE_ADDED",),
    ("GET", "/files/<file_id>/stream"): ("STREAM",),
    ("GET", "/files/<file_id>/remux"): ("STREAM",),
    ("GET", "/files/<file_id>/download"): ("DOWNLOAD",),
    ("POST", "/files/upload"): ("UPLOAD", "FILE_ADDED"),
    ("PATCH", "/files/tus/<upload_id>"): ("UPLOAD", "FILE_ADDED"),
    ("POST", "/events"): ("PING",),
    ("GET", "/s/<token>/files/<file_id>/stream"): ("STREAM",),
    ("GET", "/s/<token>/files/<file_id>/download"): ("DOWNLOAD",),
    ("GET", "/s/<token>/zip"): ("DOWNLOAD",),
    # Its rows are its positions, told as it plays: tests/appliance/casting.
    ("POST", "/players/<player_id>/play"): ("CAST_POSITION", "STREAM"),
}
QUIET = {
    # Asking, and what is no use of a file: pictures in a list, captions of a film that has its span.
    *(route for route in ACCESS if route[0] in ("GET", "OPTIONS") and route not in LEAVES),
    # Doors: who comes in by them leaves a SIGN_IN.
    ("POST", "/auth/refresh"), ("POST", "/auth/logout"), ("POST", "/auth/pair"), ("POST", "/lockdown"),
    ("POST", "/auth/pair/<pairing_id>/confirm"), ("POST", "/auth/pair/<pairing_id>/claim"),
    ("DELETE", "/auth/pair/<pairing_id>"), ("DELETE", "/sessions/<session_id>"), ("PATCH", "/settings"),
    ("POST", "/shares"), ("DELETE", "/shares/<share_id>"), ("POST", "/s/<token>/open"),
    ("POST", "/tvs/allow"), ("PATCH", "/tvs/<tv_id>"), ("DELETE", "/tvs/<tv_id>"),
    # A folder's audience changes no file's content.
    ("PATCH", "/folders/<folder_id>"),
    # An upload's beginning and end without a file.
    ("POST", "/files/tus"), ("DELETE", "/files/tus/<upload_id>"), ("POST", "/files/tus/<upload_id>"),
    ("POST", "/uploads/known"),
    # One's own marks have tables of their own.
    ("PUT", "/files/<file_id>/position"), ("PUT", "/files/<file_id>/favourite"),
    # Machines and players: what plays on them leaves its own.
    *(route for route in ACCESS if route[1].startswith(("/players", "/devices")) and route not in LEAVES),
}  # fmt: skip


def test_every_route_is_thought_of() -> None:
    assert set(LEAVES) | QUIET == set(ACCESS)
    assert not set(LEAVES) & QUIET


def last(home: House) -> int:
    return max((row["seq"] for row in rows(home, 0)), default=0)


def rows(home: House, after: int) -> list[Row]:
    with sqlite3.connect(f"file:{home.state / 'mantel.db'}?mode=ro", uri=True) as store:
        store.row_factory = sqlite3.Row
        found = store.execute("SELECT * FROM access_log WHERE seq > ? ORDER BY seq", (after,))
        return [dict(row) | {"payload": json.loads(row["payload"])} for row in found]


class Watched:
    """Calls a route and waits for the rows that it must leave."""

    def __init__(self, home: House) -> None:
        self.home, self.met = home, set[tuple[str, str]]()

    async def call(
        self, http: aiohttp.ClientSession, route: tuple[str, str], status: int = 200, **more: Any
    ) -> tuple[Any, list[Row]]:
        method, rule = route
        path = rule
        for name, value in more.pop("into", {}).items():
            path = path.replace(f"<{name}>", value)
        before = last(self.home)
        async with http.request(method, path, **more) as answer:
            assert answer.status == status, (route, answer.status, await answer.text())
            body = await answer.read()
        wanted = LEAVES.get(route, NOTHING)
        for _ in range(100):
            actions = {row["action"] for row in rows(self.home, before)}
            if set(wanted) <= actions:
                break
            await asyncio.sleep(0.1)
        assert set(wanted) <= actions, (route, wanted, actions)
        self.met.add(route)
        is_json = answer.content_type.endswith("json")
        found = [row for row in rows(self.home, before) if row["action"] in wanted]
        return (json.loads(body) if is_json and body else body), found


async def test_each_action_leaves_its_row_with_who_what_bytes_and_from_where(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    moving, still = film(), photo()
    for name, content in (("film.mp4", moving), ("beach.jpg", still)):
        (library / name).write_bytes(content)
        os.utime(library / name, (1_700_000_000, 1_700_000_000))
    async with house(tmp_path, guest="on", admin_password="") as home, aiohttp.ClientSession(home.url) as new:
        watch = Watched(home)
        code = (home.state / "setup-code").read_text().strip()
        setup = {"code": code, "username": "admin", "password": PASSWORD}
        with_row = await watch.call(new, ("POST", "/auth/setup"), json=setup)
        assert [row["payload"].get("method") for row in with_row[1]] == [None, "setup"]
        async with sign_in(home) as admin:
            listed = {one["name"]: one for one in await files_when(home, admin, 2)}
            await people(watch, admin, new)
            async with sign_in(home, "mira") as mira:
                me = (await watch.call(mira, ("GET", "/auth/me")))[0]
                await files(watch, mira, admin, me["id"], listed["film.mp4"], moving)
                jar = aiohttp.CookieJar(unsafe=True)
                async with aiohttp.ClientSession(home.url, cookie_jar=jar) as friend:
                    await links(watch, mira, friend, listed, still)
    assert set(LEAVES) - watch.met == {("POST", "/players/<player_id>/play")}


async def people(watch: Watched, admin: aiohttp.ClientSession, nobody: aiohttp.ClientSession) -> None:
    body = {"username": "mira", "password": PASSWORD, "role": "editor"}
    made, (row,) = await watch.call(admin, ("POST", "/users"), 201, json=body)
    assert (row["user_id"], row["payload"]["name"]) == (made["id"], "mira")
    login = {"username": "mira", "password": PASSWORD}
    agent = {"User-Agent": "Firefox/130 Linux"}
    _, (row,) = await watch.call(nobody, ("POST", "/auth/login"), json=login, headers=agent)
    assert (row["user_id"], row["ip"], row["user_agent"]) == (made["id"], "127.0.0.1", "Firefox/130 Linux")
    assert row["device"]
    assert row["payload"] == {"method": "password"}
    _, (row,) = await watch.call(nobody, ("POST", "/auth/guest"), json={})
    assert (row["user_id"], row["payload"]) == (None, {"method": "guest"})
    pair = (await watch.call(admin, ("POST", "/auth/pair"), 201, json={"user_id": made["id"]}))[0]
    into = {"pairing_id": pair["id"]}
    secret = {"secret": pair["link"].rsplit(".", 1)[1]}
    claim = (await watch.call(nobody, ("POST", "/auth/pair/<pairing_id>/claim"), into=into, json=secret))[0]
    number = {"number": claim["number"]}
    await watch.call(admin, ("POST", "/auth/pair/<pairing_id>/confirm"), into=into, json=number)
    _, (row,) = await watch.call(
        nobody, ("POST", "/auth/pair/<pairing_id>/finish"), into=into, json={"claim": claim["claim"]}
    )
    assert (row["user_id"], row["payload"]) == (made["id"], {"method": "pairing"})
    gone = {"username": "gone", "password": PASSWORD, "role": "viewer"}
    other = (await watch.call(admin, ("POST", "/users"), 201, json=gone))[0]
    into = {"user_id": other["id"]}
    await watch.call(admin, ("PATCH", "/users/<user_id>"), into=into, json={"role": "editor"})
    _, (row,) = await watch.call(admin, ("DELETE", "/users/<user_id>"), 204, into=into)
    assert row["user_id"] == other["id"]


async def files(
    watch: Watched,
    mira: aiohttp.ClientSession,
    admin: aiohttp.ClientSession,
    me: str,
    film_json: dict[str, Any],
    moving: bytes,
) -> None:
    into = {"file_id": film_json["id"]}

    def hers(row: Row) -> bool:
        assert (row["user_id"], row["file_id"], row["ip"]) == (me, film_json["id"], "127.0.0.1"), row
        return bool(row["device"] and row["user_agent"])

    await watch.call(mira, ("PATCH", "/auth/me"), json={"privacy": "full", "username": "mira2",
                                                        "old_password": PASSWORD})  # fmt: skip
    _, (row,) = await watch.call(mira, ("GET", "/files"), params={"query": "beach"})
    assert (row["user_id"], row["payload"]) == (me, {"query": "beach", "results": 1})
    _, (row,) = await watch.call(mira, ("GET", "/files/<file_id>"), into=into)
    assert hers(row)
    _, (row,) = await watch.call(mira, ("GET", "/files/<file_id>/stream"), into=into)
    assert hers(row)
    assert (row["bytes_served"], row["payload"]["firstByte"]) == (len(moving), 0)
    # Another person: of one player's bytes of one film that follow each other one span is made.
    _, (row,) = await watch.call(admin, ("GET", "/files/<file_id>/remux"), into=into)
    assert row["file_id"] == film_json["id"]
    assert 0 < row["bytes_served"] <= len(moving)
    _, (row,) = await watch.call(mira, ("GET", "/files/<file_id>/download"), into=into)
    assert hers(row)
    assert row["bytes_served"] == len(moving)
    part, (row,) = await watch.call(
        mira, ("GET", "/files/<file_id>/download"), 206, into=into, headers={"Range": "bytes=100-"}
    )
    assert row["bytes_served"] == len(part) == len(moving) - 100
    ping = {"events": [{"fileId": film_json["id"], "type": "playing", "position": 1.5}]}
    _, (row,) = await watch.call(mira, ("POST", "/events"), 202, json=ping)
    assert hers(row)
    assert row["payload"]["position"] == 1.5

    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", b"one more", filename="note.txt")
    made, found = await watch.call(mira, ("POST", "/files/upload"), 201, data=form)
    (row,) = (row for row in found if row["action"] == "UPLOAD")
    assert (row["user_id"], row["file_id"], row["ip"]) == (me, made["files"][0]["id"], "127.0.0.1")
    assert row["payload"]["sizeBytes"] == 8
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": "filename YS50eHQ="}
    async with mira.post("/files/tus", headers=tus) as answer:
        upload_id = answer.headers["Location"].rsplit("/", 1)[1]
        watch.met.add(("POST", "/files/tus"))
    kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"} | tus
    _, found = await watch.call(
        mira,
        ("PATCH", "/files/tus/<upload_id>"),
        204,
        into={"upload_id": upload_id},
        data=b"abc",
        headers=kind,
    )
    assert {row["user_id"] for row in found if row["action"] == "UPLOAD"} == {me}

    note = {"file_id": made["files"][0]["id"]}
    _, (row,) = await watch.call(mira, ("PATCH", "/files/<file_id>"), into=note, json={"name": "b.txt"})
    assert row["file_id"] == note["file_id"]
    _, found = await watch.call(mira, ("DELETE", "/files/<file_id>"), 204, into=note)
    (row,) = (row for row in found if row["action"] == "DELETE")
    assert (row["user_id"], row["file_id"]) == (me, note["file_id"])
    await watch.call(mira, ("POST", "/files/<file_id>/restore"), into=note, json={})


async def links(
    watch: Watched,
    mira: aiohttp.ClientSession,
    friend: aiohttp.ClientSession,
    listed: dict[str, dict[str, Any]],
    still: bytes,
) -> None:
    wanted = {"file_ids": [one["id"] for one in listed.values()]}
    share = (await watch.call(mira, ("POST", "/shares"), 201, json=wanted))[0]
    token = share["link"].rsplit("/", 1)[1]
    await watch.call(friend, ("POST", "/s/<token>/open"), 204, into={"token": token}, json={})
    for name in listed:
        into = {"token": token, "file_id": listed[name]["id"]}
        for last_part in ("stream", "download"):
            body, (row,) = await watch.call(
                friend, ("GET", f"/s/<token>/files/<file_id>/{last_part}"), into=into
            )
            assert (row["user_id"], row["device"], row["ip"]) == (None, share["id"], "127.0.0.1")
            assert (row["file_id"], row["bytes_served"]) == (listed[name]["id"], len(body))
    body, found = await watch.call(friend, ("GET", "/s/<token>/zip"), into={"token": token})
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        sizes = {listed[info.filename]["id"]: info.file_size for info in archive.infolist()}
    assert {row["file_id"]: row["bytes_served"] for row in found} == sizes
