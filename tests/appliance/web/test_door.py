"""Host, Origin, body types, headers and the page, as seen by a client."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from appliance.accounts.caller import Role
from appliance.settings import read_settings
from appliance.web.errors import Misdirected
from appliance.web.peer import Door
from tests.appliance.entrance import ORIGIN, PASSWORD, entrance


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("mantel.local", 200),
        ("MANTEL.local:8000", 200),
        ("shelf.example", 200),
        ("evil.example", 421),
        ("mantel.local.evil.example", 421),
        ("192.0.2.9", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_host(tmp_path: Path, host: str, status: int) -> None:
    async with entrance(tmp_path, hosts="shelf.example") as house:
        answer = await house.nobody.get("/healthz", headers={"Host": host})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "client", "ours"),
    [
        ("mantel-2.local", "192.168.1.5", True),
        ("mantel-3.local", "192.168.1.5", False),
        ("192.168.1.10", "127.0.0.1", True),
        ("192.168.1.10", "192.168.1.5", False),
        ("8.8.8.8", "127.0.0.1", False),
        ("evil.example", "127.0.0.1", False),
    ],
)
def test_names_that_the_network_gave_and_numbers_that_a_proxy_was_asked_by(
    tmp_path: Path, host: str, client: str, ours: bool
) -> None:
    names = {"MANTEL_STATE": str(tmp_path / "state"), "MANTEL_LIBRARY": str(tmp_path / "library")}
    settings = read_settings(names | {"MANTEL_TRUSTED_PROXIES": "127.0.0.1"})
    door = Door(settings, {"mantel.local", "mantel-2.local"})
    with contextlib.nullcontext() if ours else pytest.raises(Misdirected):
        door.peer("http", client, ("127.0.0.1", 8000), host, ("192.168.1.7", "https"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Origin": ORIGIN}, 401),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8096"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Cookie": "other=1"}, 403),
        ({"Authorization": "Bearer x", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_login_needs_our_own_origin(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with entrance(tmp_path) as house:
        body = {"username": "mira", "password": PASSWORD}
        answer = await house.nobody.post("/auth/login", json=body, headers=headers)
        assert answer.status_code == status


async def test_only_json_is_taken(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        answer = await house.nobody.post("/auth/login", form={"username": "mira", "password": "x"})
        assert answer.status_code == 415
        broken = await house.nobody.post(
            "/auth/login", data=b"{", headers={"Content-Type": "application/json"}
        )
        assert broken.status_code == 400
        assert broken.content_type == "application/problem+json"
        for body in (b"\xff\xfe", b'{"username": "\xff", "password": "x"}'):
            no_text = await house.nobody.post(
                "/auth/login", data=body, headers={"Content-Type": "application/json"}
            )
            assert (no_text.status_code, (await no_text.get_json(force=True))["field"]) == (400, "body")


async def test_a_bad_field_is_named(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        missing = await (await house.nobody.post("/auth/login", json={"username": "m"})).get_json(force=True)
        assert missing["field"] == "password"
        wrong = await (
            await house.nobody.post("/auth/login", json={"username": "m", "password": [1]})
        ).get_json(force=True)
        assert (wrong["status"], wrong["field"]) == (400, "password")
        assert wrong["type"] == "urn:mantel:problem:invalid"


async def test_every_answer_carries_the_headers(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        for path in ("/healthz", "/nowhere", "/auth/me"):
            answer = await house.nobody.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            # /healthz alone is asked from another origin: by the plain port's page, over TLS.
            policy = "cross-origin" if path == "/healthz" else "same-origin"
            assert answer.headers["Cross-Origin-Resource-Policy"] == policy
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"


async def test_framework_errors_are_problems(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("PUT", "/users", 405),
            ("OPTIONS", "/users", 405),
        ):
            answer = await house.nobody.call(method, path)
            assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


async def test_a_bug_is_told_without_its_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with entrance(tmp_path) as house:
        admin = await house.sign_in("ada", Role.ADMIN)

        async def broken() -> None:
            raise RuntimeError("planted-detail")

        house.accounts.users.list = broken  # type: ignore[method-assign,assignment]
        answer = await admin.get("/users")
        text = await answer.get_data(as_text=True)
        assert answer.status_code == 500
        assert "planted-detail" not in text
        assert len([r for r in caplog.records if "RuntimeError" in r.getMessage()]) == 1


async def test_a_navigation_gets_the_page_and_a_program_a_problem(tmp_path: Path) -> None:
    from appliance.web.app import create_web_app

    async with entrance(tmp_path) as house:
        static = tmp_path / "static"
        (static / "assets").mkdir(parents=True)
        (static / "index.html").write_text("<!doctype html><title>Mantel</title>")
        (static / "assets" / "app-1a2b.js").write_text("1")
        (tmp_path / "outside.txt").write_text("no")
        app = create_web_app(house.settings, house.accounts, (), static)
        client = app.test_client()
        page = await client.get("/library/films", headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 200
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        script = await client.get("/assets/app-1a2b.js")
        assert "immutable" in script.headers["Cache-Control"]
        assert script.content_type == "text/javascript; charset=utf-8"
        for path in ("/library/films", "/../outside.txt", "/%2e%2e/outside.txt", "/assets/gone.js"):
            assert (await client.get(path)).status_code == 404
