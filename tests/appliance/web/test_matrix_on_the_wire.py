"""All four listeners of a real appliance, each route with each credential, by the tables in `web/access.py`.

The roles of port 8000 are walked cell by cell in test_matrix.py; here it is what a credential of one listener
is worth on the others: nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from appliance.accounts.keys import load_keys
from appliance.lan.media_urls import Grant, MediaUrls
from appliance.web.access import ACCESS, BODIES, INTERNAL, JSON, LAN, LINK, OnInternal, OnLan
from tests.house import ADMIN, PASSWORD, House, files_when, house, sign_in

CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"
BROWSE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<u:Browse xmlns:u="{CDS}"><ObjectID>0</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag>'
    "<Filter>*</Filter><StartingIndex>0</StartingIndex><RequestedCount>0</RequestedCount><SortCriteria/>"
    "</u:Browse></s:Body></s:Envelope>"
)
Answer = tuple[int, str]


@dataclass
class Held:
    """Everything that opens something somewhere, of one house."""

    home: House
    file_id: str
    credentials: dict[str, dict[str, str]]
    link: str
    """Token of an opened link."""
    link_cookie: dict[str, str]
    other_link_cookie: dict[str, str]
    to_appliance: str
    urls: MediaUrls


@asynccontextmanager
async def everything(tmp_path: Path) -> AsyncIterator[tuple[Held, aiohttp.ClientSession]]:
    library = tmp_path / "library"
    (library / "Films").mkdir(parents=True)
    (library / "Films" / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"x" * 1000)
    async with house(tmp_path, guest="on") as home, sign_in(home) as admin:
        (file,) = await files_when(home, admin, 1)
        credentials: dict[str, dict[str, str]] = {"nobody": {}}
        for role in ("guest", "viewer", "editor", "admin"):
            if role == "guest":
                path, body = "/auth/guest", {}
            else:
                name = ADMIN if role == "admin" else role
                if role != "admin":
                    new = {"username": name, "password": PASSWORD, "role": role}
                    async with admin.post("/users", json=new) as answer:
                        assert answer.status == 201
                path, body = "/auth/login", {"username": name, "password": PASSWORD}
            async with aiohttp.ClientSession(home.url) as http, http.post(path, json=body) as answer:
                issued = await answer.json()
            credentials[f"{role} bearer"] = {"Authorization": f"Bearer {issued['token']}"}
            credentials[f"{role} cookie"] = {"Cookie": f"mantel={issued['token']}"}
            credentials[f"{role} refresh"] = {"Authorization": f"Bearer {issued['refreshToken']}"}
        links = []
        for _ in range(2):
            async with admin.post("/shares", json={"file_ids": [file["id"]]}) as answer:
                token = (await answer.json())["link"].rsplit("/", 1)[1]
            async with (
                aiohttp.ClientSession(home.url) as http,
                http.post(f"/s/{token}/open", json={}) as answer,
            ):
                assert answer.status == 204
                links.append((token, {"Cookie": f"mantel_share={answer.cookies['mantel_share'].value}"}))
        credentials["link"] = links[0][1]
        keys = home.state / "keys"
        for name in ("to-appliance", "to-daemon"):
            credentials[name] = {"Authorization": f"Bearer {(keys / name).read_text().strip()}"}
        basic = base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
        credentials["basic"] = {"Authorization": f"Basic {basic}"}
        held = Held(
            home, file["id"], credentials, links[0][0], links[0][1], links[1][1],
            credentials["to-appliance"]["Authorization"], MediaUrls(load_keys(keys).derive, lambda: 0),
        )  # fmt: skip
        yield held, admin


async def ask(base: str, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
    jar = aiohttp.DummyCookieJar()
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as http,
        http.request(method, base + path, headers=headers, data=body, allow_redirects=False) as answer,
    ):
        return answer.status, (await answer.content.read(20_000)).decode(errors="replace")


async def on_the_page(held: Held, route: tuple[str, str], headers: dict[str, str]) -> int:
    method, rule = route
    path = rule.replace("<token>", held.link).replace("<file_id>", held.file_id)
    path = re.sub(r"<[^>]*>", "x", re.sub(r"<int:[^>]*>", "1", path))
    takes = BODIES.get(route, JSON)
    own = {"Origin": held.home.url}
    if method not in ("GET", "OPTIONS"):
        own["Content-Type"] = JSON if takes == "*/*" else takes
    status, _ = await ask(
        held.home.url, method, path, own | headers, None if method in ("GET", "OPTIONS") else b"[]"
    )
    return status


async def test_a_credential_opens_its_own_listener_and_no_other(tmp_path: Path) -> None:
    async with everything(tmp_path) as (held, admin):
        assert await nobody_on_the_page(held) == []
        assert await internal_port(held) == []
        wrong = []
        for state in ("asking", "allowed", "blocked"):
            wrong += await lan_port(held, admin, state)
        assert not wrong
        assert await under_a_link(held, admin) == []


async def nobody_on_the_page(held: Held) -> list[Any]:
    wrong = []
    for route, least in ACCESS.items():
        if least is None or least == LINK:
            continue
        for name in ("nobody", "link", "to-appliance", "to-daemon", "basic", "admin refresh"):
            status = await on_the_page(held, route, held.credentials[name])
            if status != 401:
                wrong.append((route, name, status))
    return wrong


async def under_a_link(held: Held, admin: aiohttp.ClientSession) -> list[Any]:
    """While it is good, and once it was taken back."""
    wrong: list[Any] = []
    routes = [route for route, least in ACCESS.items() if least == LINK]
    assert len(routes) >= 5
    for route in routes:
        for name, headers in held.credentials.items():
            status = await on_the_page(held, route, headers)
            # A bearer that is not good is told so before the link is looked at: 401 as well.
            # No picture can be made of this film: let in all the same.
            if status not in ((200, 404) if name == "link" else (401,)):
                wrong.append((route, name, status))
        if (status := await on_the_page(held, route, held.other_link_cookie)) != 401:
            wrong.append((route, "the cookie of another link", status))
    async with admin.get("/shares") as answer:
        for share in (await answer.json())["items"]:
            async with admin.delete(f"/shares/{share['id']}") as gone:
                assert gone.status == 204
    for route in routes:
        if (status := await on_the_page(held, route, held.link_cookie)) != 404:
            wrong.append((route, "taken back", status))
    return wrong


async def internal_port(held: Held) -> list[Any]:
    """The daemon's token alone, and no route of the page."""
    wrong = []
    base = f"http://127.0.0.1:{held.home.environment['MANTEL_INTERNAL_PORT']}"
    headers = {"Content-Type": JSON}
    for (method, path), whom in INTERNAL.items():
        status, _ = await ask(base, method, path, headers | {"Host": "evil.example"}, None)
        if status != 421:
            wrong.append((path, "Host", status))
        if whom is OnInternal.HERE:
            status, text = await ask(base, method, path, {}, None)
            if status != 200 or "mantel_files 1\n" not in text or str(held.home.library) in text:
                wrong.append((path, status, text[:300]))
            continue
        for name, credential in held.credentials.items():
            status, _ = await ask(base, method, path, headers | credential, b"{}")
            # An empty message is refused, once it was let in.
            let_in = 200 if method == "GET" else 400
            if status != (let_in if name == "to-appliance" else 401):
                wrong.append((path, name, status))
    pages = [rule for method, rule in ACCESS if method == "GET" and "<" not in rule]
    for path in ("/", "/internal/hooks/other", *pages):
        for name in ("to-appliance", "admin bearer"):
            status, _ = await ask(base, "GET", path, held.credentials[name], None)
            if status != 404:
                wrong.append((path, name, status))
    return wrong


def lan_request(
    held: Held, route: tuple[str, str], token: str
) -> tuple[str, str, dict[str, str], bytes | None]:
    method, rule = route
    path = rule.format(service="ContentDirectory", token=token, name="media.mp4", word="x")
    if rule.startswith("/icons"):
        path = "/icons/120.png"
    if method == "POST":
        return method, path, {"SOAPACTION": f'"{CDS}#Browse"', "Content-Type": "text/xml"}, BROWSE.encode()
    if method == "SUBSCRIBE":
        return method, path, {"NT": "upnp:event", "CALLBACK": "<http://127.0.0.1:9/>"}, None
    if method == "UNSUBSCRIBE":
        return method, path, {"SID": "uuid:00000000-0000-0000-0000-000000000000"}, None
    if method == "NOTIFY":
        return method, path, {"NT": "upnp:event", "NTS": "upnp:propchange", "SID": "uuid:x"}, b"<e/>"
    return method, path, {}, None


def lan_expected(right: OnLan, state: str, method: str) -> set[int]:
    """By whom a route is for and what the TV is; `forged`: a media address that nobody signed."""
    if right is OnLan.NEAR or right is OnLan.TV:
        return {200}
    if right is OnLan.OURS:
        return {404, 412}
    return {204 if method == "OPTIONS" else 200} if state in ("allowed", "open") else {403}


async def lan_port(held: Held, admin: aiohttp.ClientSession, state: str) -> list[Any]:
    """Each route for a TV in this state."""
    base = held.home.lan_url
    control = lan_request(held, ("POST", "/control/{service}"), "")
    wrong: list[Any] = []
    status, first = await ask(base, *control)
    (tv,) = await tvs(admin)
    if state == "asking" and (status != 200 or tv["state"] != "asking" or tv["code"] not in first):
        wrong.append(("its code", status, first[:300]))
    if state != "asking":
        async with admin.patch(f"/tvs/{tv['id']}", json={"state": state}) as answer:
            assert answer.status == 200
    far = 4_000_000_000
    urls = {
        "tv": held.urls.path(Grant("tv", held.file_id, "o", tv["id"], far), "mp4"),
        "another TV": held.urls.path(Grant("tv", held.file_id, "o", "0" * 16, far), "mp4"),
        "no showing": held.urls.path(Grant("cast", held.file_id, "o", "no-such", far, "p1"), "mp4"),
        "run out": held.urls.path(Grant("tv", held.file_id, "o", tv["id"], 1), "mp4"),
    }
    urls["forged"] = urls["tv"][:-20] + "A" * 9 + urls["tv"][-11:]
    own = urls["tv"].split("/")[2]
    assert held.urls.read(own) is not None
    for route, right in LAN.items():
        method, path, headers, body = lan_request(held, route, own)
        for name, credential in held.credentials.items():
            status, text = await ask(base, method, path, headers | credential, body)
            if right is OnLan.SIGNED and method == "OPTIONS":
                expected = {204 if state == "allowed" else 403}
            else:
                expected = lan_expected(right, state, method)
            if status not in expected:
                wrong.append((route, name, status))
            if right is OnLan.TV and ("film" in text or "Films" in text or "Videos" in text) != (
                state == "allowed"
            ):
                wrong.append((route, name, "sees", text[:300]))
        for other in ("another TV", "no showing", "run out", "forged"):
            if right is OnLan.SIGNED:
                status, _ = await ask(base, method, urls[other], headers, body)
                if status != 403:
                    wrong.append((route, other, status))
        status, _ = await ask(base, method, path, headers | {"Host": "evil.example"}, body)
        if status != 421:
            wrong.append((route, "Host", status))
        status, _ = await ask(base, method, path, headers | {"Origin": held.home.url}, body)
        if status != 403:
            wrong.append((route, "Origin", status))
    for path in ("/", "/files", "/healthz", "/openapi.json", f"/files/{held.file_id}/stream", "/log"):
        status, _ = await ask(base, "GET", path, held.credentials["admin cookie"], None)
        if status != 404:
            wrong.append((path, "no route", status))
    return wrong


async def tvs(admin: aiohttp.ClientSession) -> list[dict[str, Any]]:
    async with admin.get("/tvs") as answer:
        found: list[dict[str, Any]] = (await answer.json())["items"]
        return found
