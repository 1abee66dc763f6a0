"""What a scan makes of a folder, over the household's own doings with it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.errors import NotFound, Unavailable
from appliance.journal.journal import Journal
from appliance.journal.store import after
from appliance.library import scan, tree
from appliance.library.items import File, FileQuery, Kind
from appliance.library.library import Library
from appliance.library.tree import Listing, Seen
from appliance.units import MINUTES
from tests.appliance.library.conftest import EVERYBODY, GUESTS, put, settle


async def listed(library: Library) -> dict[str, File]:
    page = await library.page(FileQuery(limit=500), EVERYBODY)
    assert page.total == len(page.items)
    return {f"{file.folder}/{file.name}".lstrip("/"): file for file in page.items}


async def events(database: Database) -> list[tuple[str, str]]:
    async with database.read() as connection:
        return [(row.action, row.file_id) for row in await after(connection, 0, 1000)]


async def test_files_are_listed_as_they_stand(library: Library, root: Path) -> None:
    put(root, "Films/The Long Way.mp4", b"film")
    put(root, "Music/Band/1 Song.mp3")
    put(root, "letter.pdf")
    put(root, ".hidden/secret.mp4")
    put(root, "Films/.DS_Store")
    await settle(library)
    files = await listed(library)
    assert set(files) == {"Films/The Long Way.mp4", "Music/Band/1 Song.mp3", "letter.pdf"}
    film = files["Films/The Long Way.mp4"]
    assert (film.kind, film.mime_type, film.size_bytes) == (Kind.VIDEO, "video/mp4", 4)


async def test_a_rename_and_a_move_keep_the_id(library: Library, root: Path, database: Database) -> None:
    put(root, "Films/a.mp4", b"one")
    put(root, "Films/b.mp4", b"two!")
    put(root, "Films/deep/c.mp4", b"three")
    await settle(library)
    before = await listed(library)
    (root / "Films/a.mp4").rename(root / "Films/renamed.mp4")
    (root / "Other").mkdir()
    (root / "Films/b.mp4").rename(root / "Other/b.mp4")
    (root / "Films/deep").rename(root / "Other/moved")
    await library.scan()
    now = await listed(library)
    assert {name: file.id for name, file in now.items()} == {
        "Films/renamed.mp4": before["Films/a.mp4"].id,
        "Other/b.mp4": before["Films/b.mp4"].id,
        "Other/moved/c.mp4": before["Films/deep/c.mp4"].id,
    }
    assert "FILE_REMOVED" not in {action for action, _ in await events(database)}


async def test_two_files_may_swap_their_names(library: Library, root: Path) -> None:
    put(root, "a.mp4", b"one", age=100)
    put(root, "b.mp4", b"two!", age=200)
    await settle(library)
    before = await listed(library)
    (root / "a.mp4").rename(root / "c.mp4")
    (root / "b.mp4").rename(root / "a.mp4")
    (root / "c.mp4").rename(root / "b.mp4")
    await library.scan()
    now = await listed(library)
    assert now["a.mp4"].id == before["b.mp4"].id
    assert now["b.mp4"].id == before["a.mp4"].id


async def test_a_folder_that_took_anothers_name(library: Library, root: Path) -> None:
    put(root, "A/x.mp4", b"in a")
    put(root, "B/x.mp4", b"in b!")
    await settle(library)
    before = await listed(library)
    (root / "A").rename(root / "C")
    (root / "B").rename(root / "A")
    (root / "C").rename(root / "B")
    await library.scan()
    now = await listed(library)
    assert now["A/x.mp4"].id == before["B/x.mp4"].id
    assert now["B/x.mp4"].id == before["A/x.mp4"].id


async def test_new_content_under_a_name_keeps_the_id(
    library: Library, root: Path, database: Database
) -> None:
    put(root, "a.txt", b"one")
    await settle(library)
    before = (await listed(library))["a.txt"]
    put(root, "new", b"quite another").rename(root / "a.txt")
    await settle(library)
    now = (await listed(library))["a.txt"]
    assert (now.id, now.size_bytes) == (before.id, 13)
    assert await events(database) == [("FILE_ADDED", now.id), ("FILE_CHANGED", now.id)]


async def test_a_hard_link_is_a_file_of_its_own(library: Library, root: Path) -> None:
    put(root, "M/a.mp4")
    await settle(library)
    before = await listed(library)
    for name in ("A/b.mp4", "Z/b.mp4"):
        (root / name).parent.mkdir()
        os.link(root / "M/a.mp4", root / name)
    await settle(library)
    now = await listed(library)
    assert now["M/a.mp4"].id == before["M/a.mp4"].id
    assert len({file.id for file in now.values()}) == 3


async def test_what_is_gone_is_forgotten_and_known_again_when_it_returns(
    library: Library, root: Path, tmp_path: Path, database: Database
) -> None:
    put(root, "Films/a.mp4")
    await settle(library)
    before = (await listed(library))["Films/a.mp4"]
    (root / "Films").rename(tmp_path / "away")
    result = await library.scan()
    assert result.removed == 1
    assert await listed(library) == {}
    with pytest.raises(NotFound):
        await library.file(before.id, EVERYBODY)
    (tmp_path / "away").rename(root / "Films")
    await settle(library)
    assert (await listed(library))["Films/a.mp4"].id == before.id
    assert [action for action, _ in await events(database)] == ["FILE_ADDED", "FILE_REMOVED", "FILE_ADDED"]


async def test_a_second_look_changes_nothing(library: Library, root: Path, database: Database) -> None:
    put(root, "Films/a.mp4")
    put(root, "Films/deep/b.mp4")
    await settle(library)
    revision, journal = await library.revision(), await events(database)
    result = await library.scan()
    assert (result.added, result.changed, result.removed, result.looked_at) == (0, 0, 0, 2)
    assert await library.revision() == revision
    assert await events(database) == journal


async def test_nothing_is_followed_out_of_a_root(library: Library, root: Path, tmp_path: Path) -> None:
    put(tmp_path / "outside", "secret.mp4")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "file.mp4").symlink_to(tmp_path / "outside/secret.mp4")
    os.mkfifo(root / "pipe.mp4")
    put(root, "real.mp4")
    await settle(library)
    assert set(await listed(library)) == {"real.mp4"}


@pytest.mark.parametrize(
    "raw",
    [
        "Cafe\u0301 NFD.mp4".encode(),
        "emoji 🎬👨‍👩‍👧.mp4".encode(),
        b"line\nbreak.mp4",
        b"invalid \xff\xfe.mp4",
        b"x" * 251 + b".mp4",
        "rtl \u202egnp.mp4".encode(),
        b" leading and trailing .mp4",
        b"quote'\";--.mp4",
    ],
)
async def test_names_in_any_encoding_are_kept_and_shown_safely(
    library: Library, root: Path, raw: bytes
) -> None:
    put(root, raw, b"content")
    await settle(library)
    (file,) = (await library.page(FileQuery(), EVERYBODY)).items
    file.name.encode()
    assert all(character.isprintable() or character == "\u200d" for character in file.name)
    opened = await library.open(file.id, EVERYBODY)
    assert os.read(opened.fd, 100) == b"content"
    opened.close()
    assert os.listdir(os.fsencode(root)).count(raw) == 1


async def test_an_empty_mount_point_forgets_nothing(library: Library, root: Path, tmp_path: Path) -> None:
    put(root, "Films/a.mp4")
    await settle(library)
    before = await listed(library)
    root.rename(tmp_path / "unmounted")
    root.mkdir()
    put(root, "stray.mp4")
    await library.scan()
    assert await listed(library) == before
    with pytest.raises(Unavailable):
        await library.open(before["Films/a.mp4"].id, EVERYBODY)
    assert os.listdir(root) == ["stray.mp4"]
    shutil.rmtree(root)
    (tmp_path / "unmounted").rename(root)
    await library.scan()
    (await library.open(before["Films/a.mp4"].id, EVERYBODY)).close()


async def test_adopt_accepts_a_root_that_lost_its_id(
    library: Library, root: Path, database: Database
) -> None:
    put(root, "a.mp4")
    await settle(library)
    before = await listed(library)
    shutil.rmtree(root / ".mantel")
    again = Library(database, Journal(database), [root])
    await again.adopt_roots()
    assert not again.roots[0].online
    await again.adopt_roots(adopt=True)
    assert again.roots[0].online
    await again.scan()
    assert await listed(again) == before
    await again.stop()


async def test_a_disk_keeps_all_it_had_at_another_place(
    library: Library, root: Path, tmp_path: Path, database: Database
) -> None:
    put(root, "a.mp4")
    await settle(library)
    before = await listed(library)
    root.rename(tmp_path / "elsewhere")
    again = Library(database, Journal(database), [tmp_path / "elsewhere"])
    await again.adopt_roots()
    await again.scan()
    assert await listed(again) == before
    await again.stop()


async def test_inodes_that_are_made_up_anew_exchange_no_folders(
    library: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """exFAT after a restart: the private folder has the number that the other had."""
    put(root, "Open/a.mp4", b"open")
    put(root, "Private/a.mp4", b"private")
    put(root, "Private/b.mp4", b"private, too")
    put(root, "Left/c.mp4", b"left")
    await settle(library)
    before = await listed(library)
    folders = {one.name: one.id for one in await library.folders_at("", EVERYBODY)}
    exchanged = dict.fromkeys(folders, 0)
    for name, like in {"Open": "Private", "Private": "Open", "New": "Left"}.items():
        exchanged[name] = (root / like).stat().st_ino
    shutil.rmtree(root / "Left")
    put(root, "New/d.mp4", b"new")

    def numbered(one: Seen) -> Seen:
        return replace(one, inode=exchanged.get(one.name.decode(), one.inode))

    def listed_anew(fd: int, path: bytes) -> Listing:
        found = tree.list_folder(fd, path)
        return replace(found, folders=tuple(map(numbered, found.folders)))

    def inode_anew(fd: int, path: bytes) -> int | None:
        found = tree.inode_at(fd, path)
        return found if found is None else exchanged.get(path.decode(), found)

    monkeypatch.setattr(scan, "list_folder", listed_anew)
    monkeypatch.setattr(scan, "inode_at", inode_anew)
    library.roots[0].numbers_stay = False
    await settle(library)
    now = await listed(library)
    assert {name: now[name].id for name in before if name in now} == {
        name: file.id for name, file in before.items() if name != "Left/c.mp4"
    }
    after_all = {one.name: one.id for one in await library.folders_at("", EVERYBODY)}
    assert {name: after_all[name] for name in ("Open", "Private")} == {
        name: folders[name] for name in ("Open", "Private")
    }
    assert after_all["New"] not in folders.values()
    # A folder that was renamed while it was looked at keeps its number, and what is in it.
    (root / "Private").rename(root / "More private")
    exchanged["More private"] = exchanged["Private"]
    await settle(library)
    renamed = {one.name: one.id for one in await library.folders_at("", EVERYBODY)}
    assert renamed["More private"] == folders["Private"]
    assert (await listed(library))["More private/a.mp4"].id == before["Private/a.mp4"].id


async def test_a_move_where_inodes_are_made_up(library: Library, root: Path) -> None:
    for name, content in {"a": b"one", "b": b"the other", "twin 1": b"same", "twin 2": b"same"}.items():
        put(root, f"Old/{name}.mp4", content, age=1000)
        os.utime(root / f"Old/{name}.mp4", (1_700_000_000, 1_700_000_000))
    await settle(library)
    before = await listed(library)
    await library.delete(before["Old/b.mp4"].id, EVERYBODY, None)
    library.roots[0].numbers_stay = False
    # As in another machine: new names, new numbers, the times stay; and what was thrown away comes again.
    (root / "New").mkdir()
    names = {"a": "renamed", "b": "b", "twin 1": "twin 1", "twin 2": "twin 2"}
    content = {"b": b"the other"} | {
        old: (root / f"Old/{old}.mp4").read_bytes() for old in names if old != "b"
    }
    for old, new in names.items():
        put(root, f"New/{new}.mp4", content[old])
        os.utime(root / f"New/{new}.mp4", (1_700_000_000, 1_700_000_000))
    shutil.rmtree(root / "Old")
    await settle(library)
    now = await listed(library)
    assert set(now) == {"New/renamed.mp4", "New/b.mp4", "New/twin 1.mp4", "New/twin 2.mp4"}
    assert now["New/renamed.mp4"].id == before["Old/a.mp4"].id
    assert now["New/b.mp4"].id != before["Old/b.mp4"].id, "it is in the trash, and can be restored"
    assert [one.file.id for one in await library.trashed()] == [before["Old/b.mp4"].id]
    assert not {now[f"New/twin {n}.mp4"].id for n in (1, 2)} & {file.id for file in before.values()}


async def test_guests_see_media_and_folders_with_media(library: Library, root: Path) -> None:
    put(root, "Films/a.mp4")
    put(root, "Papers/tax.pdf")
    put(root, "Mixed/song.mp3")
    put(root, "Mixed/notes.txt")
    put(root, "Mixed/inner/letter.pdf")
    await settle(library)
    page = await library.page(FileQuery(), GUESTS)
    assert {file.name for file in page.items} == {"a.mp4", "song.mp3"}
    assert page.total == 2
    (top,) = await library.folders(None, GUESTS)
    assert (top.files, top.folders) == (0, 2)
    assert [folder.name for folder in await library.folders(top.id, GUESTS)] == ["Films", "Mixed"]
    (mixed,) = [folder for folder in await library.folders(top.id, GUESTS) if folder.name == "Mixed"]
    assert (mixed.files, mixed.folders) == (1, 0)
    (top,) = await library.folders(None, EVERYBODY)
    assert (top.files, top.folders) == (0, 3)
    letter = (await library.page(FileQuery(query="letter"), EVERYBODY)).items[0]
    with pytest.raises(NotFound):
        await library.open(letter.id, GUESTS)


async def test_a_file_that_is_being_written_waits(library: Library, root: Path) -> None:
    put(root, "fresh.mp4", age=0)
    result = await library.scan()
    assert result.added == 0
    assert result.unsettled
    await settle(library)
    assert set(await listed(library)) == {"fresh.mp4"}


async def test_a_change_is_told_once_after_its_commit(library: Library, root: Path) -> None:
    put(root, "Films/a.mp4")
    changes = library.changes.subscribe()
    await settle(library)
    change = await anext(changes)
    assert change.revision == await library.revision()
    assert change.added == tuple(file.id for file in (await listed(library)).values())
    assert len(change.folders) == 2


async def test_the_newest_of_a_first_scan_is_the_newest_file(library: Library, root: Path) -> None:
    put(root, "old.mp4", age=10 * MINUTES)
    put(root, "new.mp4", age=5 * MINUTES)
    await settle(library)
    files = await listed(library)
    assert files["new.mp4"].created_at - files["old.mp4"].created_at >= 4 * MINUTES * 1000
