"""What people cast is their play in the daemon's reports, wherever on the TV they began."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.appliance.casting.serving import serving
from tests.appliance.casting.stage import cast_receiver
from tests.appliance.casting.test_appliance import Phone, phone
from tests.dlna.casting.renderers import clip, gmediarender, rygel
from tests.house import ADMIN, PASSWORD
from tests.netns import House

pytestmark = [pytest.mark.jar, pytest.mark.netns, pytest.mark.timeout(240)]

SECONDS, BEGUN_AT = 24, 8
"""Two thirds are watched: half of so short a film is a play, and a second at either end may be missed."""
PEOPLE = {"Living room": ADMIN, "Study": "mira", "Kitchen": "jon"}
"""Who plays on which player."""


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house:
        yield house


async def casts(person: Phone, player: str, film: str) -> None:
    """From BEGUN_AT to its end."""
    path = f"/players/{player}"
    await person.ask("POST", f"{path}/play", fileId=film, position=BEGUN_AT)
    await person.until(path, lambda p: p["showing"] and p["showing"]["state"] == "playing")
    await person.until(path, lambda p: p["showing"] is None, 60)
    assert (await person.ask("GET", path))["error"] is None


async def test_three_people_s_casts_make_the_heatmap(house: House, tmp_path: Path) -> None:
    clip(tmp_path / "library", "film.mp4", SECONDS)
    os.utime(tmp_path / "library" / "film.mp4", (1_700_000_000, 1_700_000_000))
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    rygel(house["ctl"], tmp_path / "ctl", "Study")
    cast_receiver(house, "Kitchen")
    daemon = {"analytics": "on", "analytics_port": "8080"}
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(house, tmp_path, ("appliance.run",), **daemon))
        admin = await stack.enter_async_context(phone(house, url))
        persons = {ADMIN: admin}
        for name in ("mira", "jon"):
            await admin.ask("POST", "/users", username=name, password=PASSWORD, role="viewer")
            persons[name] = await stack.enter_async_context(phone(house, url, name))
        # The daemon has to know how long the film is.
        listing = await admin.until(
            "/files", lambda found: found["items"] and found["items"][0]["duration_sec"], 90
        )
        film = listing["items"][0]["id"]
        found = await admin.until("/players", lambda found: len(found["items"]) == len(PEOPLE))
        for player in found["items"]:
            await admin.ask("PATCH", f"/players/{player['id']}", state="allowed")
        ids = {player["name"]: player["id"] for player in found["items"]}
        await asyncio.gather(*(casts(persons[who], ids[player], film) for player, who in PEOPLE.items()))

        begun = 100 * BEGUN_AT // SECONDS
        heat = await admin.until(
            f"/api/analytics/heatmap?fileId={film}",
            lambda said: said["enoughData"] and all(said["segments"][begun + 10 : 90]),
            90,
        )
        assert heat["precision"] == "exact"
        assert set(heat["segments"][: begun - 10]) == {0}, "bytes that a player fetched are no watching"
        popular = await admin.until(
            "/api/analytics/popular?range=7d", lambda said: said["items"] and said["items"][0]["plays"] == 3
        )
        assert (popular["items"][0]["fileId"], popular["items"][0]["users"]) == (film, 3)
        for person in persons.values():
            told = await person.until(
                "/api/analytics/users/engagement?user=me", lambda said: said["watchSeconds"] > 0
            )
            assert told["watchSeconds"] <= SECONDS - BEGUN_AT + 3
            assert (await person.ask("GET", f"/files/{film}/position"))["seconds"] in (0, None)
