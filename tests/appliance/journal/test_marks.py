"""What a person began and what they keep, as the page asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.accounts.caller import Caller, Role
from appliance.journal.journal import Journal
from appliance.journal.routes import blueprint, unfinished
from tests.appliance.entrance import entrance

FILMS = {"film": {"id": "film", "duration_sec": 1000.0}, "song": {"id": "song", "duration_sec": None}}
FILMS["glance"] = {"id": "glance", "duration_sec": 1000.0}


async def check_file(file_id: str, caller: Caller) -> None:
    return None


async def describe(ids: list[str], caller: Caller) -> dict[str, dict[str, Any]]:
    return {file_id: FILMS[file_id] for file_id in ids if file_id in FILMS}


@pytest.mark.parametrize(
    ("seconds", "duration", "left"),
    [(0, 1000, False), (119, 1000, False), (120, 1000, True), (960, 1000, False), (400, None, True)],
)
def test_what_is_nearly_over_is_not_gone_on_with(seconds: float, duration: float | None, left: bool) -> None:
    assert unfinished(seconds, duration) is left


async def test_a_person_finds_own_marks_and_nobody_elses(tmp_path: Path) -> None:
    late: dict[str, Journal] = {}
    routes = blueprint(_Late(late), check_file, describe)  # type: ignore[arg-type]
    async with entrance(tmp_path, routes) as house:
        late["journal"] = house.journal
        mira, jon = await house.sign_in("mira", Role.VIEWER), await house.sign_in("jon", Role.VIEWER)
        for file_id, seconds in (("film", 241), ("song", 207), ("gone", 209), ("glance", 20)):
            put = await mira.put(f"/files/{file_id}/position", json={"seconds": seconds})
            assert put.status_code == 204
        assert (await mira.put("/files/song/favourite", json={"on": True})).status_code == 204

        begun = (await (await mira.get("/me/continue")).get_json())["items"]
        assert {(one["file"]["id"], one["seconds"]) for one in begun} == {("film", 241), ("song", 207)}
        kept = await (await mira.get("/me/favourites")).get_json()
        assert [one["id"] for one in kept["items"]] == ["song"]

        assert await (await jon.get("/me/continue")).get_json() == {"items": []}
        assert await (await jon.get("/me/favourites")).get_json() == {"items": []}
        assert (await (await house.sign_in("guest", Role.GUEST)).get("/me/continue")).status_code == 403


class _Late:
    """The journal that `entrance` makes only once it stands."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found["journal"], name)
