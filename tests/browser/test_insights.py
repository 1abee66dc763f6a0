"""What the daemon found out comes all the way to the page: the real jar, the real routes, a phone.

What takes months is told to the daemon as having happened months ago, in a log of its own.
"""

from __future__ import annotations

import itertools
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import VIDEO, open_screen, phone, sign_in, until
from tests.house import House, files_when, house
from tests.house import sign_in as enter
from tests.ports import free_port
from tests.system.test_thread import until as told

pytestmark = [pytest.mark.browser, pytest.mark.jar, pytest.mark.timeout(240)]

FILM, COPY, COLD, ROTTEN = "Summer in Lot 12", "Summer again", "Lake", "Dunes"
GROWN_DAYS = 89
MB = 1_000_000


@pytest.fixture
async def home(tmp_path: Path, media: Path) -> AsyncIterator[House]:
    library = tmp_path / "library"
    shutil.copytree(media, library)
    film = next(library.rglob(f"{FILM}.mp4"))
    shutil.copyfile(film, library / f"{COPY}.mp4")
    (library / "Broken.mkv").write_bytes(b"no film at all" * 1000)
    settings = {"analytics": "on", "analytics_port": str(free_port())}
    async with house(tmp_path, module="appliance.run", **settings) as found:
        yield found


class Past:
    """Events of months ago, as the appliance would have told them."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self._number = itertools.count(1)

    def event(self, ago: timedelta, kind: str, file_id: str | None, user: str | None, **payload: Any) -> Any:
        number = next(self._number)
        found: dict[str, Any] = {
            "seq": number, "eventId": f"01930f2e-7c1a-7b5e-9d3a-{number:012x}", "version": 1,
            "at": f"{self.now - ago:%Y-%m-%dT%H:%M:%S}.000Z", "type": kind, "payload": payload,
        }  # fmt: skip
        return found | ({"fileId": file_id} if file_id else {}) | ({"userId": user} if user else {})

    def was_there(self, ago: timedelta, file: dict[str, Any], size: int) -> Any:
        return self.event(
            ago, "file_added", file["id"], None, root="/gone", path=file["name"], name=file["name"],
            folder="", type=file["type"], mimeType=file["mime_type"], sizeBytes=size, mtimeNs="0",
            createdAt="2020-01-01T00:00:00.000Z",
        )  # fmt: skip

    def months(self, files: dict[str, dict[str, Any]]) -> Iterator[Any]:
        yield self.was_there(timedelta(days=200), files[COLD], 1 * MB)
        for day in range(GROWN_DAYS, 0, -1):
            yield self.was_there(timedelta(days=day), files[FILM], (100 - day) * 10 * MB)
        for user in ("somebody", "another"):
            yield self.event(timedelta(hours=2), "search", None, user, query="the lost tape", results=0)
            # Plays four seconds, goes back to the second one and plays on.
            places = [0, 1, 2, 3, 4, 1, 2, 3, 4]
            for second, position in enumerate(places):
                yield self.event(
                    timedelta(hours=1, seconds=-second), "ping", files[FILM]["id"], user,
                    state="playing", position=float(position), rate=1.0,
                )  # fmt: skip


async def happened(home: House, events: list[Any]) -> None:
    token = (home.state / "keys" / "to-daemon").read_text().strip()
    url = f"http://127.0.0.1:{home.environment['MANTEL_ANALYTICS_PORT']}/api/analytics/ingest"
    batch = {"epoch": "the-past", "from": 1, "to": len(events), "events": events}
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=batch) as answer:
        said = await answer.json()
        assert (answer.status, said["rejected"], said["accepted"]) == (202, [], len(events))


async def test_what_was_found_out_stands_on_the_page(home: House, chromium: Browser) -> None:
    async with enter(home) as http:
        files = {one["name"].rpartition(".")[0]: one for one in await files_when(home, http, 14)}
        for name in (FILM, COPY, ROTTEN):
            await told(
                http, f"/files/{files[name]['id']}", lambda one: one["sha256"] and one["resolution"], 90
            )
        await happened(home, list(Past().months(files)))
        with sqlite3.connect(home.state / "analytics.db", timeout=20) as store:
            store.execute(
                "insert into bit_rot (file_id, noticed_at, expected_sha256, found_sha256)"
                " select file_id, 1, sha256, 'ab' from file_facts where file_id = ?",
                (files[ROTTEN]["id"],),
            )
        replayed = await told(http, "/api/analytics/most-replayed", lambda found: found["moments"], 60)
        moment = replayed["moments"][0]
        assert moment["fileId"] == files[FILM]["id"]
        # A hundredth of the film that only begins before the second one may be the first.
        assert 0.8 < moment["from"] < 4
        await told(http, "/api/analytics/insights", lambda found: found["unreadable"], 60)
    async with phone(chromium, home) as page:
        await sign_in(page)
        await open_screen(page, "/insights")
        await look_around(page)
        row = page.get_by_role("region", name="Most replayed moments").get_by_role("link")
        await expect(row).to_contain_text(re.compile(rf"{FILM}.*from 0:0\d · seen again \d+ times"))
        await row.click()
        await until(page, f"{VIDEO}?.currentTime >= {int(moment['from'])}")


async def look_around(page: Page) -> None:
    for text in (
        re.compile(r"grows by 10\sMB a day"),
        re.compile(r"full in [\d,]+ days"),
        re.compile(r"not opened for half a year"),
        re.compile(r"are duplicates"),
        re.compile(r"“the lost tape” 2×"),
    ):
        await expect(page.get_by_text(text).first).to_be_visible()
    for heading, name in (
        ("On the shelf more than once", COPY),
        ("Changed by themselves", ROTTEN),
        ("Not opened for half a year", COLD),
        ("Cannot be read", "Broken"),
    ):
        region = page.get_by_role("region", name=heading)
        await expect(region.get_by_role("link", name=re.compile(name))).to_be_visible()
