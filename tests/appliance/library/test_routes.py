"""/files, /folders and /trash over real accounts, a real database and a real folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from appliance.accounts.caller import Audience, Role
from appliance.journal.store import after
from appliance.library.facts import read_facts
from appliance.library.groups import Groups
from appliance.library.library import Library
from appliance.library.routes import blueprint
from tests.appliance.entrance import House, entrance
from tests.appliance.library.conftest import put, settle


@dataclass
class Home:
    house: House
    library: Library
    root: Path

    async def listed(self, browser: Any, **query: str) -> dict[str, Any]:
        answer = await browser.get("/files", query_string=query)
        assert answer.status_code == 200, await answer.get_data(as_text=True)
        return {item["name"]: item for item in (await answer.get_json())["items"]}


@pytest.fixture
async def home(tmp_path: Path, any_database_url: str) -> AsyncIterator[Home]:
    async with entrance(tmp_path, database_url=any_database_url, guest="on") as house:
        root = house.settings.library[0]
        library = Library(house.database, house.journal, [root])
        house.app.register_blueprint(blueprint(library, house.journal, Groups(house.database, library)))
        await library.adopt_roots()
        put(root, "Films/Spider-Man.mp4", b"film", age=300)
        put(root, "Music/Song.mp3", b"song!!", age=200)
        put(root, "tax.pdf", b"%PDF-")
        await settle(library)
        yield Home(house, library, root)
        await library.stop()


async def test_a_viewer_sees_all_and_a_guest_what_is_for_everyone(home: Home) -> None:
    viewer = await home.house.sign_in("mira", Role.VIEWER)
    guest = await home.house.sign_in("", Role.GUEST)
    mine, theirs = await home.listed(viewer), await home.listed(guest)
    assert set(mine) == {"Spider-Man.mp4", "Song.mp3", "tax.pdf"}
    assert set(theirs) == {"Spider-Man.mp4", "Song.mp3"}
    film = mine["Spider-Man.mp4"]
    assert film["type"] == "video"
    assert film["folder"] == "Films"
    assert film["urls"]["stream"] == f"/files/{film['id']}/stream"
    hidden = {"sha256", "uploaded_by", "last_accessed_at"}
    assert hidden <= set(film)
    assert not hidden & set(theirs["Spider-Man.mp4"])
    assert (await guest.get(f"/files/{mine['tax.pdf']['id']}")).status_code == 404
    assert (await home.house.nobody.get("/files")).status_code == 401


async def test_a_file_carries_the_callers_own_marks_and_a_list_asks_for_them_once(home: Home) -> None:
    mira, jon = [await home.house.sign_in(name, Role.VIEWER) for name in ("mira", "jon")]
    film = (await home.listed(mira))["Spider-Man.mp4"]
    assert (film["position"], film["favourite"]) == (None, False)
    user_id = next(user.id for user in await home.house.accounts.users.list() if user.username == "mira")
    await home.house.journal.set_position(user_id, film["id"], 300)
    await home.house.journal.set_favourite(user_id, film["id"], True)
    asked: list[str] = []
    reader = home.house.database._reader.sync_engine
    event.listen(reader, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    listed = await home.listed(mira)
    assert sum("positions" in statement or "favourites" in statement for statement in asked) == 1
    assert {name: (one["position"], one["favourite"]) for name, one in listed.items()} == {
        "Spider-Man.mp4": (300, True),
        "Song.mp3": (None, False),
        "tax.pdf": (None, False),
    }
    alone = await (await mira.get(f"/files/{film['id']}")).get_json()
    assert (alone["position"], alone["favourite"]) == (300, True)
    assert (await home.listed(jon))["Spider-Man.mp4"]["position"] is None
    assert "favourite" not in (await home.listed(await home.house.sign_in("", Role.GUEST)))["Song.mp3"]


async def test_an_editor_sees_what_room_there_is(home: Home) -> None:
    editor, viewer = await home.house.sign_in("e", Role.EDITOR), await home.house.sign_in("v", Role.VIEWER)
    assert (await viewer.get("/roots")).status_code == 403
    (there,) = (await (await editor.get("/roots")).get_json())["items"]
    assert there["online"]
    assert there["writable"]
    assert 0 < there["free_bytes"] < there["total_bytes"]
    (home.root / ".mantel/root-id").unlink()
    await home.library.scan()
    (away,) = (await (await editor.get("/roots")).get_json())["items"]
    assert (away["online"], away["writable"], away["free_bytes"]) == (False, False, None)


async def test_filters_of_the_contract(home: Home) -> None:
    viewer = await home.house.sign_in("mira", Role.VIEWER)
    assert set(await home.listed(viewer, type="audio")) == {"Song.mp3"}
    assert set(await home.listed(viewer, type="audio,document")) == {"Song.mp3", "tax.pdf"}
    assert set(await home.listed(viewer, folder="Films")) == {"Spider-Man.mp4"}
    assert set(await home.listed(viewer, folder="")) == {"tax.pdf"}
    assert set(await home.listed(viewer, min_size="5")) == {"Song.mp3", "tax.pdf"}
    assert set(await home.listed(viewer, max_size="4")) == {"Spider-Man.mp4"}
    assert set(await home.listed(viewer, since="1h")) == {"Spider-Man.mp4", "Song.mp3", "tax.pdf"}
    assert set(await home.listed(viewer, since="2100-01-01")) == set()
    assert set(await home.listed(viewer, query="spidr man")) == {"Spider-Man.mp4"}
    assert list(await home.listed(viewer, sort="-size", page_size="1", page="2")) == ["tax.pdf"]
    assert next(iter(await home.listed(viewer, sort="-created_at"))) == "tax.pdf"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page_size=1000", "page_size"),
        ("type=film", "type"),
        ("sort=colour", "sort"),
        ("since=yesterday", "since"),
        ("since=99999d9", "since"),
        ("min_size=-1", "min_size"),
        ("max_size=99999999999999999999", "max_size"),
        ("colour=red", "colour"),
        ("query=" + "x" * 201, "query"),
    ],
)
async def test_a_bad_parameter_is_named(home: Home, query: str, field: str) -> None:
    viewer = await home.house.sign_in("mira", Role.VIEWER)
    answer = await viewer.get(f"/files?{query}")
    said = await answer.get_json()
    assert (answer.status_code, said["field"]) == (400, field)
    assert said["allowed"]


async def test_views_and_searches_are_journaled(home: Home) -> None:
    viewer = await home.house.sign_in("mira", Role.VIEWER)
    films = await home.listed(viewer, query="spidr man")
    await viewer.get(f"/files/{films['Spider-Man.mp4']['id']}")
    await home.house.journal.stop()
    async with home.house.database.read() as connection:
        rows = [row for row in await after(connection, 0, 100) if row.action in ("VIEW", "SEARCH")]
    assert [(row.action, row.payload) for row in rows] == [
        ("SEARCH", {"query": "spidr man", "results": 1}),
        ("VIEW", {}),
    ]


async def test_renaming_and_tagging(home: Home) -> None:
    editor = await home.house.sign_in("eda", Role.EDITOR)
    film = (await home.listed(editor))["Spider-Man.mp4"]
    answer = await editor.patch(
        f"/files/{film['id']}", json={"name": "Spinne.mp4", "tags": ["Lieblings film", "Kino"]}
    )
    assert answer.status_code == 200
    said = await answer.get_json()
    assert (said["id"], said["name"], said["tags"]) == (film["id"], "Spinne.mp4", ["Lieblings film", "Kino"])
    assert (home.root / "Films/Spinne.mp4").read_bytes() == b"film"
    assert set(await home.listed(editor, tag="kino")) == {"Spinne.mp4"}
    assert set(await home.listed(editor, query="liebling")) == {"Spinne.mp4"}
    assert (await home.library.scan()).changed == 0
    assert (await home.library.scan()).removed == 0


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": ".hidden"}, 400, "name"),
        ({"name": "../up.mp4"}, 400, "name"),
        ({"name": "a\nb"}, 400, "name"),
        ({"name": "right\u202eleft.mp4"}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "x" * 256}, 400, "name"),
        ({"name": "Other.mp4"}, 409, None),
        ({"tags": ["x" * 61]}, 400, "tags"),
        ({"tags": [""]}, 400, "tags"),
        ({"tags": "kino"}, 400, "tags"),
        ({"folder": "../.."}, 400, "folder"),
        ({"folder": ".mantel/inbox"}, 400, "folder"),
    ],
)
async def test_a_change_that_will_not_do_changes_nothing(
    home: Home, change: dict[str, Any], status: int, field: str | None
) -> None:
    put(home.root, "Films/Other.mp4", b"other")
    await settle(home.library)
    editor = await home.house.sign_in("eda", Role.EDITOR)
    before = await home.listed(editor)
    answer = await editor.patch(f"/files/{before['Spider-Man.mp4']['id']}", json=change)
    assert answer.status_code == status
    assert (await answer.get_json()).get("field") == field
    assert await home.listed(editor) == before
    assert (home.root / "Films/Spider-Man.mp4").read_bytes() == b"film"
    assert (home.root / "Films/Other.mp4").read_bytes() == b"other"


async def test_delete_goes_to_the_trash_and_restore_brings_all_back(home: Home) -> None:
    admin = await home.house.sign_in("ada", Role.ADMIN)
    film = (await home.listed(admin))["Spider-Man.mp4"]
    await admin.patch(f"/files/{film['id']}", json={"tags": ["kino"]})
    assert (await admin.delete(f"/files/{film['id']}")).status_code == 204
    assert not (home.root / "Films/Spider-Man.mp4").exists()
    assert (await admin.get(f"/files/{film['id']}")).status_code == 404
    (trashed,) = (await (await admin.get("/trash")).get_json())["items"]
    assert (trashed["id"], trashed["name"], trashed["folder"]) == (film["id"], "Spider-Man.mp4", "Films")
    # Meanwhile the folder goes, and somebody else takes its name and the file's.
    (home.root / "Films").rmdir()
    put(home.root, "Films/Spider-Man.mp4", b"another")
    await settle(home.library)
    answer = await admin.post(f"/files/{film['id']}/restore")
    assert answer.status_code == 200
    back = await answer.get_json()
    assert (back["id"], back["name"], back["tags"]) == (film["id"], "Spider-Man (2).mp4", ["kino"])
    assert (home.root / "Films/Spider-Man (2).mp4").read_bytes() == b"film"
    assert (await (await admin.get("/trash")).get_json())["items"] == []
    assert (await home.library.scan()).removed == 0


async def test_only_an_admin_deletes_what_is_not_an_own_fresh_upload(home: Home) -> None:
    editor = await home.house.sign_in("eda", Role.EDITOR)
    viewer = await home.house.sign_in("mira", Role.VIEWER)
    film = (await home.listed(editor))["Spider-Man.mp4"]
    assert (await editor.delete(f"/files/{film['id']}")).status_code == 403
    assert (await viewer.delete(f"/files/{film['id']}")).status_code == 403
    eda = (await (await editor.get("/auth/me")).get_json())["id"]
    put(home.root, "Films/Mine.mp4", b"mine")
    to = await home.library.folder_for("Films")
    async with home.library.transaction() as draft:
        mine = await home.library.add_published(draft, to, b"Mine.mp4", uploaded_by=eda)
    assert (await editor.delete(f"/files/{mine.id}")).status_code == 204
    assert (await editor.post(f"/files/{mine.id}/restore")).status_code == 200
    admin = await home.house.sign_in("ada", Role.ADMIN)
    assert (await admin.delete(f"/files/{film['id']}")).status_code == 204
    assert (await editor.post(f"/files/{film['id']}/restore")).status_code == 404


async def test_folders_for_the_page(home: Home) -> None:
    guest = await home.house.sign_in("", Role.GUEST)
    (top,) = (await (await guest.get("/folders")).get_json())["items"]
    inner = (await (await guest.get(f"/folders?parent={top['id']}")).get_json())["items"]
    assert [(folder["name"], folder["path"], folder["files"]) for folder in inner] == [
        ("Films", "Films", 1),
        ("Music", "Music", 1),
    ]
    assert (await (await guest.get("/folders?path=")).get_json())["items"] == inner
    assert (await guest.get("/folders?parent=nowhere")).status_code == 404


async def test_an_admin_gives_a_top_folder_its_audience(home: Home) -> None:
    admin = await home.house.sign_in("ada", Role.ADMIN)
    guest = await home.house.sign_in("", Role.GUEST)
    (films,) = [
        f for f in (await (await admin.get("/folders?path=")).get_json())["items"] if f["name"] == "Films"
    ]
    answer = await admin.patch(f"/folders/{films['id']}", json={"audience": "household"})
    assert answer.status_code == 200
    assert set(await home.listed(guest)) == {"Song.mp3"}
    assert (await guest.get(f"/folders/{films['id']}")).status_code == 404
    put(home.root, "Films/inner/new.mp4")
    await settle(home.library)
    assert set(await home.listed(guest)) == {"Song.mp3"}
    await admin.patch(f"/folders/{films['id']}", json={"audience": None})
    assert set(await home.listed(guest)) == {"Song.mp3", "Spider-Man.mp4", "new.mp4"}
    assert (await guest.patch(f"/folders/{films['id']}", json={"audience": None})).status_code == 403
    bad = await admin.patch(f"/folders/{films['id']}", json={"audience": "aunts"})
    assert (await bad.get_json())["field"] == "audience"


async def test_music_photos_and_tags_fall_into_albums_months_and_counts(home: Home) -> None:
    put(home.root, "Music/Second.mp3", b"second")
    put(home.root, "Photos/a.jpg", b"a" * 10)
    put(home.root, "Photos/b.jpg", b"b" * 20)
    await settle(home.library)
    editor = await home.house.sign_in("mira", Role.EDITOR)
    known = await home.listed(editor)
    facts = {
        "Song.mp3": {"tags": {"artist": "Aya", "album": "Slow Ferry"}, "durationSec": 10},
        "Second.mp3": {
            "tags": {"artist": "Aya feat. Jon", "albumArtist": "Aya", "album": "Slow Ferry"},
            "durationSec": 5,
        },
        "a.jpg": {"takenAt": "2019-07-01T12:00:00"},
    }
    for name, found in facts.items():
        row = await home.library.file(known[name]["id"], frozenset(Audience))
        message = {"fileId": row.id, "size": row.size_bytes, "mtimeNs": str(row.mtime_ns), **found}
        assert await home.library.write_facts([read_facts(message)]) == 1
    await editor.patch(f"/files/{known['a.jpg']['id']}", json={"tags": ["lake", "Summer"]})
    await editor.patch(f"/files/{known['b.jpg']['id']}", json={"tags": ["lake"]})

    async def items(path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await (await editor.get(path)).get_json())["items"]
        return found

    [album] = await items("/albums")
    assert (album["artist"], album["name"], album["files"], album["duration_sec"]) == (
        "Aya",
        "Slow Ferry",
        2,
        15,
    )
    assert set(await home.listed(editor, artist="Aya", album="Slow Ferry")) == {"Song.mp3", "Second.mp3"}
    months = await items("/months")
    assert [one["files"] for one in months] == [1, 1]
    assert months[1]["month"] == "2019-07"
    assert list(await home.listed(editor, type="image", sort="-taken")) == ["b.jpg", "a.jpg"]
    assert [(one["name"], one["files"]) for one in await items("/tags")] == [("lake", 2), ("Summer", 1)]
