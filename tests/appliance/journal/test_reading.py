"""Who reads what of the journal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from appliance.accounts.caller import Role
from appliance.journal.entry import Action, Entry
from appliance.journal.reading import as_csv
from appliance.journal.routes import blueprint
from tests.appliance.entrance import entrance
from tests.appliance.journal.test_marks import _Late, check_file, describe


async def test_each_reads_what_is_theirs(tmp_path: Path) -> None:
    late: dict[str, object] = {}
    routes = blueprint(_Late(late), check_file, describe)  # type: ignore[arg-type]
    async with entrance(tmp_path, routes) as house:
        late["journal"] = house.journal
        admin, mira = await house.sign_in("ada", Role.ADMIN), await house.sign_in("mira", Role.VIEWER)
        jon = await house.sign_in("jon", Role.VIEWER)
        people = {user.username: user.id for user in await house.accounts.users.list()}
        await house.accounts.users.change(people["jon"], privacy="anonymous")
        async with house.database.write() as connection:
            for name in ("mira", "jon"):
                search = Entry(Action.SEARCH, user_id=people[name], ip="192.0.2.7", payload={"query": "cats"})
                view = Entry(Action.VIEW, user_id=people[name], file_id="film", user_agent="=cmd()")
                await house.journal.add(connection, search, view)
        own = (await (await mira.get("/me/log")).get_json())["items"]
        assert {entry["username"] for entry in own} == {"mira"}
        assert [e["payload"]["query"] for e in own if e["action"] == "search"] == ["cats"]
        assert (await mira.get("/log")).status_code == 403
        whole = (await (await admin.get("/log")).get_json())["items"]
        assert [entry["seq"] for entry in whole] == sorted((e["seq"] for e in whole), reverse=True)
        assert "jon" not in {entry["username"] for entry in whole}
        assert "cats" not in str(whole)
        named = (await (await admin.get(f"/log?user={people['jon']}")).get_json())["items"]
        assert named == [], "who is only counted is not found by name"
        assert len((await (await jon.get("/me/log?action=view")).get_json())["items"]) == 1
        first = whole[0]["seq"]
        page = (await (await admin.get(f"/log?before={first}&limit=1")).get_json())["items"]
        assert page == whole[1:2]
        for bad in ("action=dance", "limit=0", "before=x", "limit=%C2%B2"):
            answer = await admin.get(f"/log?{bad}")
            assert (answer.status_code, (await answer.get_json(force=True))["field"]) == (
                400,
                bad.split("=")[0],
            )
        sheet = await admin.get("/log?format=csv&action=view")
        rows = list(csv.DictReader(io.StringIO(await sheet.get_data(as_text=True))))
        assert {row["user_agent"] for row in rows} == {"'=cmd()", ""}


def test_no_cell_runs_in_a_spreadsheet() -> None:
    entry = dict.fromkeys(("seq", "at", "action", "device", "file_id", "bytes_served", "ip", "user_agent"))
    for text in ("=1+1", "+1", "-1", "@x", "\tx"):
        cells = list(csv.reader(io.StringIO(as_csv([entry | {"username": text}]))))[1]
        assert f"'{text}" in cells


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_the_log_is_filtered_paged_and_whole_as_a_sheet(
    tmp_path: Path, request: pytest.FixtureRequest, store: str
) -> None:
    url = request.getfixturevalue("postgres").new_database() if store == "postgres" else None
    late: dict[str, object] = {}

    async def find(text: str, _caller: object) -> list[str]:
        return ["film"] if text == "moon" else []

    async def devices() -> dict[str, str]:
        return {"tv-1": "Living room", "d1": "Chrome on Android"}

    routes = blueprint(_Late(late), check_file, describe, find, devices)  # type: ignore[arg-type]
    async with entrance(tmp_path, routes, database_url=url) as house:
        late["journal"] = house.journal
        admin, _ = await house.sign_in("ada", Role.ADMIN), await house.sign_in("mira", Role.VIEWER)
        await house.sign_in("jon", Role.VIEWER)
        people = {user.username: user.id for user in await house.accounts.users.list()}
        await house.accounts.users.change(people["jon"], privacy="anonymous")
        day = 86_400_000
        async with house.database.write() as connection:
            await house.journal.add(
                connection,
                Entry(Action.VIEW, people["mira"], "d1", "film", ip="192.0.2.7", at=1 * day),
                Entry(Action.STREAM, None, "tv-1", "film", 10, ip="192.0.2.8", at=2 * day),
                Entry(Action.DOWNLOAD, people["jon"], "d2", "song", ip="192.0.2.9", at=3 * day),
                *(Entry(Action.PING, people["mira"], "d1", "song", at=4 * day + n) for n in range(1_200)),
            )

        async def seen(query: str) -> list[tuple[str, str]]:
            old = "" if "until" in query else "&until=1970-01-20"
            answer = await admin.get(f"/log?{query}{old}")
            items = (await answer.get_json())["items"]
            return [(one["action"], one["device_name"]) for one in items]

        view, stream, download = ("view", "Chrome on Android"), ("stream", "Living room"), ("download", None)
        three = "action=view,stream,download"
        assert await seen(three) == [download, stream, view]
        assert await seen(f"{three}&user=mira") == await seen(f"{three}&user={people['mira']}") == [view]
        assert await seen(f"{three}&since=1970-01-03") == [download, stream]
        assert await seen(f"{three}&since=1970-01-03T00:00:00Z&until=1970-01-04") == [stream]
        assert await seen(f"{three}&device=tv-1") == await seen("q=living") == [stream]
        assert await seen("q=moon") == [stream, view], "the files that are called so"
        assert await seen(f"{three}&q=MIRA") == await seen("q=192.0.2.7") == [view]
        assert await seen("q=192.0.2.9") == [], "who has no name has no address either"
        assert await seen("user=jon") == []
        assert await seen("q=%25") == [], "a per cent sign is one"

        first = await (await admin.get("/log?action=ping&limit=500")).get_json()
        assert (len(first["items"]), first["items"][0]["file_name"]) == (500, None)
        rest, following = 0, first["next"]
        while following:
            page = await (await admin.get(f"/log?action=ping&limit=500&before={following}")).get_json()
            rest, following = rest + len(page["items"]), page["next"]
        assert rest == 700
        sheet = await (await admin.get("/log?action=ping&format=csv")).get_data(as_text=True)
        assert len(list(csv.DictReader(io.StringIO(sheet)))) == 1_200
        for bad in ("since=soon", "until=1970-13-01", "format=xml", "colour=red", f"q={'x' * 201}"):
            answer = await admin.get(f"/log?{bad}")
            problem = await answer.get_json(force=True)
            assert (answer.status_code, problem["field"]) == (400, bad.split("=")[0])
            assert "allowed" in problem


async def test_an_admin_sees_who_plays_and_nobody_who_does_not_want_it(tmp_path: Path) -> None:
    late: dict[str, object] = {}
    routes = blueprint(_Late(late), check_file, describe)  # type: ignore[arg-type]
    async with entrance(tmp_path, routes) as house:
        late["journal"] = house.journal
        admin = await house.sign_in("ada", Role.ADMIN)
        for name, privacy in (("mira", "full"), ("jon", "anonymous"), ("kim", "off")):
            person = await house.sign_in(name, Role.VIEWER)
            assert (await person.patch("/auth/me", json={"privacy": privacy})).status_code == 200
            event = {"fileId": "film", "type": "playing", "position": 3}
            assert (await person.post("/events", json={"events": [event]})).status_code == 202
            assert (await person.get("/playing")).status_code == 403
        items = (await (await admin.get("/playing")).get_json())["items"]
        assert {(one["username"], one["user_id"] is None) for one in items} == {("mira", False), (None, True)}
        assert {one["file"]["id"] for one in items} == {"film"}
