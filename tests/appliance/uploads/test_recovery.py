"""What a crash left at each step of an upload, put right at the next start."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from appliance.database import Database
from appliance.errors import Unavailable
from appliance.library import tree
from appliance.uploads import publishing as publishing_module
from appliance.uploads import store
from appliance.uploads.store import State
from tests.appliance.uploads.conftest import MIRA, House, make_house

CONTENT = os.urandom(100_000)


class Crash(BaseException):
    """The process ends here."""


async def some(content: bytes) -> Any:
    yield content


async def begun(house: House, name: str = "film.mp4", folder: str = "Filme") -> str:
    upload = await house.uploads.begin(MIRA, name, folder, len(CONTENT), resumable=True)
    return upload.id


async def next_run(house: House) -> House:
    """The same disk and store, another process."""
    made = make_house(house.database, house.root)
    await made.library.adopt_roots()
    await made.uploads.recover()
    return made


async def crash_in(
    house: House, monkeypatch: pytest.MonkeyPatch, target: Any, name: str, after: bool = False
) -> None:
    """Upload, with the process ending right before, or right after, a certain call."""
    original = getattr(target, name)

    def crash(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        raise Crash

    upload_id = await begun(house)
    await house.uploads.append(upload_id, MIRA, 0, some(CONTENT))
    with monkeypatch.context() as patch:
        patch.setattr(target, name, crash)
        with pytest.raises(Crash):
            await house.uploads._publishing.publish(
                await house.uploads.look(upload_id, MIRA), house.library.roots[0], None
            )


async def the_file_is_there_once(house: House, name: str = "Filme/film.mp4") -> None:
    assert house.on_disk() == {name: CONTENT}
    assert list(await house.files()) == [name]
    assert house.in_inbox() == []
    assert len(await house.journaled("UPLOAD")) == 1


@pytest.fixture
async def quiet(database: Database, tmp_path: Path) -> Any:
    made = make_house(database, tmp_path / "media")
    await made.library.adopt_roots()
    yield made
    await made.library.stop()


async def test_before_the_rename(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new")
    assert quiet.on_disk() == {}
    await the_file_is_there_once(await next_run(quiet))


async def test_after_the_rename(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    assert quiet.on_disk() == {"Filme/film.mp4": CONTENT}
    assert await quiet.files() == {}
    await the_file_is_there_once(await next_run(quiet))


async def test_who_asks_before_anybody_put_it_right_is_told_of_the_file(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk was away when the appliance started, so the start left it as it was."""
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    made = make_house(quiet.database, quiet.root)
    await made.library.adopt_roots()
    async with quiet.database.read() as connection:
        (upload,) = await store.unpublished(connection)
    told = await asyncio.gather(
        *(made.uploads.finish(upload.id, MIRA) for _ in range(3)),
        made.uploads.recover(),
        made.uploads.finish(upload.id, MIRA),
    )
    assert {one.file.name for one in told if one} == {"film.mp4"}
    await the_file_is_there_once(made)


async def test_what_waits_on_a_disk_that_is_away_is_finished_when_it_comes_back(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its sender sends it once more, since nobody had told it that it is there."""
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    monkeypatch.setattr("appliance.uploads.uploads.LOOK", 0.02)
    away = quiet.root.with_name("away")
    quiet.root.rename(away)
    made = make_house(quiet.database, quiet.root)
    await made.library.adopt_roots()
    assert not made.library.roots[0].online
    await made.uploads.start()
    try:
        await asyncio.sleep(0.2)
        away.rename(quiet.root)
        made.library.roots[0].look()
        async with asyncio.timeout(10):
            while not await made.files():
                await asyncio.sleep(0.02)
        await the_file_is_there_once(made)
    finally:
        await made.uploads.stop()


async def test_who_read_the_row_before_another_finished_it_is_told_of_the_same_file(quiet: House) -> None:
    upload_id = await begun(quiet)
    before = await quiet.uploads.append(upload_id, MIRA, 0, some(CONTENT))
    first = await quiet.uploads.finish(upload_id, MIRA)
    again = await quiet.uploads._finishing_of(before)
    assert (again.file.id, again.duplicate) == (first.file.id, False)
    await the_file_is_there_once(quiet)


async def test_after_the_rename_and_a_look(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    os.utime(quiet.root / "Filme" / "film.mp4", (1, 1))
    for _ in range(3):
        await quiet.library.scan()
    await the_file_is_there_once(await next_run(quiet))


async def test_after_the_rename_on_a_disk_with_changing_inodes(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    path = quiet.root / "Filme" / "film.mp4"
    os.rename(path, quiet.root / "Filme" / "x")
    path.write_bytes(CONTENT)
    os.unlink(quiet.root / "Filme" / "x")
    await the_file_is_there_once(await next_run(quiet))


async def test_another_file_took_the_name_meanwhile(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new")
    (quiet.root / "Filme" / "film.mp4").write_bytes(b"somebody else's")
    house = await next_run(quiet)
    assert house.on_disk() == {"Filme/film.mp4": b"somebody else's", "Filme/film (2).mp4": CONTENT}


async def test_taken_away_right_after_the_rename(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new", after=True)
    (quiet.root / "Filme" / "film.mp4").write_bytes(b"something else of the same")
    house = await next_run(quiet)
    assert await house.journaled("UPLOAD") == []
    async with house.database.read() as connection:
        assert await store.unpublished(connection) == []


async def test_placeholder_left_behind(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new")
    (quiet.root / "Filme" / "film.mp4").touch()
    await the_file_is_there_once(await next_run(quiet))


async def test_an_old_empty_file_is_no_placeholder(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new")
    (quiet.root / "Filme" / "film.mp4").touch()
    os.utime(quiet.root / "Filme" / "film.mp4", (1, 1))
    house = await next_run(quiet)
    assert house.on_disk() == {"Filme/film.mp4": b"", "Filme/film (2).mp4": CONTENT}


async def test_without_rename_noreplace(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def renameat2(self, *arguments: Any) -> int:
            import ctypes
            import errno

            ctypes.set_errno(errno.EINVAL)
            return -1

    real = tree._libc
    monkeypatch.setattr(tree, "_libc", Refusing())
    (quiet.root / "Filme").mkdir()
    (quiet.root / "Filme" / "film.mp4").write_bytes(b"there before")
    upload_id = await begun(quiet)
    await quiet.uploads.append(upload_id, MIRA, 0, some(CONTENT))
    await quiet.uploads.finish(upload_id, MIRA)
    assert quiet.on_disk() == {"Filme/film.mp4": b"there before", "Filme/film (2).mp4": CONTENT}


async def test_all_received_and_not_yet_published(quiet: House) -> None:
    upload_id = await begun(quiet)
    await quiet.uploads.append(upload_id, MIRA, 0, some(CONTENT))
    await the_file_is_there_once(await next_run(quiet))


async def test_half_received_goes_on(quiet: House) -> None:
    upload_id = await begun(quiet)
    await quiet.uploads.append(upload_id, MIRA, 0, some(CONTENT[:60_000]))
    # Bytes that came after the last checkpoint may be there or not, and may be anything.
    with (quiet.root / ".mantel" / "inbox" / upload_id).open("ab") as file:
        file.write(b"\0" * 999)
    house = await next_run(quiet)
    upload = await house.uploads.look(upload_id, MIRA)
    assert (upload.state, upload.received) == (State.RECEIVING, 60_000)
    await house.uploads.append(upload_id, MIRA, 60_000, some(CONTENT[60_000:]))
    await house.uploads.finish(upload_id, MIRA)
    await the_file_is_there_once(house)


async def test_a_form_cut_off_by_a_crash_is_undone(quiet: House) -> None:
    upload = await quiet.uploads.begin(MIRA, "a.bin", "", None, resumable=False)
    await quiet.uploads.append(upload.id, MIRA, 0, some(CONTENT))
    house = await next_run(quiet)
    assert (house.in_inbox(), house.on_disk()) == ([], {})


async def test_inbox_files_of_no_row_are_removed_and_others_left(quiet: House) -> None:
    inbox = quiet.root / ".mantel" / "inbox"
    (inbox / ("0" * 32)).write_bytes(b"announced in the moment of the crash")
    (inbox / "note-to-self.txt").write_bytes(b"not ours")
    house = await next_run(quiet)
    assert house.in_inbox() == ["note-to-self.txt"]


async def test_root_away_at_the_start_waits(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await crash_in(quiet, monkeypatch, publishing_module, "rename_new")
    marker = quiet.root / ".mantel" / "root-id"
    root_id = marker.read_text()
    marker.unlink()
    house = await next_run(quiet)
    assert house.on_disk() == {}
    marker.write_text(root_id)
    await house.library.scan()
    await house.uploads.sweep()
    await the_file_is_there_once(house)


async def test_what_could_not_be_published_is_tried_again(quiet: House) -> None:
    upload_id = await begun(quiet)
    await quiet.uploads.append(upload_id, MIRA, 0, some(CONTENT))
    marker = quiet.root / ".mantel" / "root-id"
    root_id = marker.read_text()
    marker.unlink()
    await quiet.library.scan()
    with pytest.raises(Unavailable):
        await quiet.uploads.finish(upload_id, MIRA)
    await quiet.uploads.sweep()
    assert quiet.on_disk() == {}
    marker.write_text(root_id)
    await quiet.library.scan()
    await quiet.uploads.sweep()
    await the_file_is_there_once(quiet)
