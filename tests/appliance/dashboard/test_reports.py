"""Reports from a daemon that answers, refuses, lies or is away: a clear error each, and no name leaks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from quart import Quart

from appliance.accounts.caller import Caller, Role, Via, set_calling
from appliance.dashboard.reports import Reports, checked_range
from appliance.dashboard.routes import blueprint
from appliance.errors import Invalid, NotFound, Unavailable
from appliance.settings import Secret
from appliance.web.errors import answer_errors

POPULAR = {
    "range": "7d",
    "items": [
        {
            "fileId": "f1",
            "name": "old name",
            "streams": 3,
            "downloads": 0,
            "plays": 1,
            "watchSeconds": 9,
            "users": 1,
        },
        {
            "fileId": "f2",
            "name": "tax.pdf",
            "streams": 2,
            "downloads": 0,
            "plays": 0,
            "watchSeconds": 0,
            "users": 1,
        },
    ],
}
GUEST = Caller(None, "guest", Role.GUEST, Via.COOKIE)
VIEWER = Caller("u1", "mira", Role.VIEWER, Via.COOKIE)


class Daemon:
    answer: Any = POPULAR
    status = 200
    asked: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked = request.path_qs
        if request.headers.get("Authorization") != "Bearer t":
            return web.Response(status=401)
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, status=self.status)
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def daemon() -> AsyncIterator[tuple[Daemon, Reports]]:
    found = Daemon()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reports = Reports(f"http://127.0.0.1:{runner.addresses[0][1]}", Secret("t"))
    await reports.start()
    yield found, reports
    await reports.stop()
    await runner.cleanup()


async def describe(ids: list[str], caller: Caller) -> dict[str, dict[str, Any]]:
    return {"f1": {"id": "f1", "name": "New name.mp4"}} if caller.role is Role.GUEST else {
        "f1": {"id": "f1", "name": "New name.mp4"}, "f2": {"id": "f2", "name": "tax.pdf"},
    }  # fmt: skip


async def check_file(file_id: str, caller: Caller) -> None:
    if file_id != "f1":
        raise NotFound("file", file_id)


def app(reports: Reports, caller: Caller) -> Quart:
    made = Quart(__name__)
    made.register_blueprint(blueprint(reports, describe, check_file))

    @made.before_request
    async def enter() -> None:
        set_calling(caller)

    answer_errors(made)
    return made


async def test_a_guest_sees_no_household_file(daemon: tuple[Daemon, Reports]) -> None:
    answer = await app(daemon[1], GUEST).test_client().get("/api/analytics/popular?range=7d&limit=5")
    items = (await answer.get_json())["items"]
    assert [(item["fileId"], item["name"]) for item in items] == [("f1", "New name.mp4")]
    assert "tax" not in await answer.get_data(as_text=True)
    assert daemon[0].asked == "/api/analytics/popular?range=7d&limit=100"


async def test_parameters_are_rebuilt_not_passed_on(daemon: tuple[Daemon, Reports]) -> None:
    client = app(daemon[1], VIEWER).test_client()
    await client.get("/api/analytics/users/engagement?user=me&range=30d&userId=u2&x=../../ingest")
    assert daemon[0].asked == "/api/analytics/users/engagement?range=30d&userId=u1"


async def test_only_an_admin_sees_all_of_the_household(daemon: tuple[Daemon, Reports]) -> None:
    answer = await app(daemon[1], VIEWER).test_client().get("/api/analytics/users/engagement")
    assert answer.status_code == 403


async def test_a_file_without_a_heatmap_has_an_empty_one(daemon: tuple[Daemon, Reports]) -> None:
    daemon[0].status = 404
    answer = await app(daemon[1], GUEST).test_client().get("/api/analytics/heatmap?fileId=f1")
    assert await answer.get_json() == {
        "fileId": "f1", "segments": [0] * 100, "enoughData": False, "precision": "estimated",
    }  # fmt: skip


async def test_insights_come_with_the_names_of_their_files(daemon: tuple[Daemon, Reports]) -> None:
    twice = {"sha256": "ab", "bytes": 5, "fileIds": ["f1", "f2"]}
    rot = {"fileId": "f1", "noticedAt": "2026-10-20T10:00:00Z", "expectedSha256": "a", "foundSha256": "b"}
    told = {"duplicates": [twice], "cold": [], "bitRot": [rot], "unreadable": []}
    daemon[0].answer = told
    answer = await (await app(daemon[1], VIEWER).test_client().get("/api/analytics/insights")).get_json()
    names = {"f1": "New name.mp4", "f2": "tax.pdf"}
    assert {file_id: file["name"] for file_id, file in answer.pop("files").items()} == names
    assert answer == told


async def test_the_most_replayed_moments_come_with_the_names_of_their_files(
    daemon: tuple[Daemon, Reports],
) -> None:
    told = {"moments": [{"fileId": "f1", "from": 54.0, "to": 108.0, "replays": 4}]}
    daemon[0].answer = told
    client = app(daemon[1], VIEWER).test_client()
    answer = await (await client.get("/api/analytics/most-replayed")).get_json()
    assert answer.pop("files")["f1"]["name"] == "New name.mp4"
    assert answer == told


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (500, {}, Unavailable),
        (200, b"no json", Unavailable),
        (200, b"1" * (5 << 20), Unavailable),
        (404, {}, NotFound),
    ],
)
async def test_a_bad_answer_is_a_clear_error(
    daemon: tuple[Daemon, Reports], status: int, answer: Any, error: type[Exception]
) -> None:
    daemon[0].status, daemon[0].answer = status, answer
    with pytest.raises(error):
        await daemon[1].get("/api/stats")


async def test_switched_off_or_away_says_so() -> None:
    with pytest.raises(Unavailable, match="switched off"):
        await Reports(None, None).get("/api/stats")
    away = Reports("http://127.0.0.1:9", Secret("t"))
    await away.start()
    with pytest.raises(Unavailable, match="does not answer"):
        await away.get("/api/stats")
    await away.stop()


@pytest.mark.parametrize("bad", ["7", "0d", "-1d", "9999d", "7d; drop"])
def test_a_bad_range_is_refused(bad: str) -> None:
    with pytest.raises(Invalid, match="range"):
        checked_range(bad, "7d")
