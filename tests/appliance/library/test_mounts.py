"""Roots that are mounted, mounted read-only, or have something mounted inside them: real mounts, as root."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.database import Database
from appliance.errors import MantelError, Unavailable
from appliance.journal.journal import Journal
from appliance.library import notices, tree
from appliance.library import roots as roots_module
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.library.mounts import concerns
from tests.appliance.library.conftest import EVERYBODY, put, settle
from tests.disks import Stick


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[None]:
    """`mount WORDS place`, taken away at the end if the test has not done so."""
    subprocess.run(["mount", *words, str(place)], check=True)
    try:
        yield
    finally:
        # A mount of a folder onto itself is none to os.path.ismount: ask the program.
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


async def ids(library: Library) -> dict[str, str]:
    page = await library.page(FileQuery(), EVERYBODY)
    return {f"{file.folder}/{file.name}": file.id for file in page.items}


async def test_a_mount_below_a_root_is_not_entered_and_nothing_under_it_is_forgotten(
    library: Library, root: Path
) -> None:
    put(root, "Films/under.mp4")
    put(root, "Films/Deep/deeper.mp4")
    put(root, "beside.mp4")
    await settle(library)
    before = await ids(library)
    with mounted(root / "Films", "-t", "tmpfs", "tmpfs"):
        put(root, "Films/on the stick.mp4")
        await library.scan()
        assert await ids(library) == before
        with pytest.raises(Unavailable):
            await library.open(before["Films/under.mp4"], EVERYBODY)
        with pytest.raises(MantelError):
            await library.folder_for("Films/new")
        with pytest.raises(MantelError):
            await library.change(before["/beside.mp4"], EVERYBODY, folder="Films")
        assert os.listdir(root / "Films") == ["on the stick.mp4"]
        assert (root / "beside.mp4").exists()
    await library.scan()
    assert await ids(library) == before
    (await library.open(before["Films/under.mp4"], EVERYBODY)).close()


async def test_a_root_that_is_read_only_is_read_and_not_written(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    with mounted(root, "-t", "tmpfs", "tmpfs"):
        library = Library(database, Journal(database), [root], state=tmp_path / "state")
        await library.adopt_roots()
        put(root, "Films/a.mp4")
        await settle(library)
        before = await ids(library)
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        await library.scan()
        assert await ids(library) == before
        (room,) = await library.room()
        assert (room.online, room.writable) == (True, False)
        (await library.open(before["Films/a.mp4"], EVERYBODY)).close()
        with pytest.raises(MantelError):
            await library.change(before["Films/a.mp4"], EVERYBODY, name="b.mp4")
        with pytest.raises(MantelError):
            await library.delete(before["Films/a.mp4"], EVERYBODY, None)
        with pytest.raises(MantelError):
            await library.folder_for("New")
        await library.scan()
        assert await ids(library) == before
        await library.stop()


async def test_a_disk_that_is_taken_out_and_put_back_loses_nothing(
    database: Database, tmp_path: Path
) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    with mounted(root, "-t", "tmpfs", "tmpfs"):
        library = Library(database, Journal(database), [root], state=tmp_path / "state")
        await library.adopt_roots()
        put(root, "a.mp4")
        await settle(library)
        before = await ids(library)
        (tmp_path / "again").mkdir()
        with mounted(tmp_path / "again", "--bind", str(root)):
            for known in library.roots:
                known.close()
            subprocess.run(["umount", str(root)], check=True)
            await library.scan()
            assert await ids(library) == before
            with pytest.raises(Unavailable):
                await library.folder_for("New")
            assert os.listdir(root) == []
            subprocess.run(["mount", "--bind", str(tmp_path / "again"), str(root)], check=True)
            await library.scan()
            assert await ids(library) == before
            (await library.open(before["/a.mp4"], EVERYBODY)).close()
            await library.stop()


async def test_a_disk_that_comes_back_is_noticed_at_once(database: Database, tmp_path: Path) -> None:
    """Long before the next look at everything: who plugs it in wants to watch."""
    stick = Stick(tmp_path / "stick.img", tmp_path / "library", 32 << 20)
    library = Library(database, Journal(database), [stick.at], state=tmp_path / "state", rescan_seconds=3600)
    try:
        put(stick.at, "a.mp4")
        await library.start()
        await _listed(library, {"/a.mp4"})
        for turn in range(3):
            stick.pull()
            await _is_online(library, False)
            stick.plug()
            put(stick.at, f"new {turn}.mp4")
            await _is_online(library, True)
            await _listed(library, {"/a.mp4", *(f"/new {number}.mp4" for number in range(turn + 1))})
    finally:
        await library.stop()
        if stick.plugged:
            stick.pull()


async def test_who_is_on_the_way_to_a_disk_that_goes_meets_nothing_there(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not what was opened next under the same number, in which it would write."""
    stick = Stick(tmp_path / "stick.img", tmp_path / "library", 32 << 20)
    library = Library(database, Journal(database), [stick.at], state=tmp_path / "state")
    try:
        await library.adopt_roots()
        (known,) = library.roots
        number = known.fd
        stick.pull()
        known.look()
        assert not known.online
        with pytest.raises(Unavailable, match="library"):
            _ = known.fd  # whose turn comes only now
        opened_next = [os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY) for _ in range(20)]
        assert number not in opened_next
        with pytest.raises(NotADirectoryError):
            os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=number)
        assert os.fstatvfs(number).f_bavail == 0
        subprocess.run(["umount", stick.at], check=False, capture_output=True)
        for fd in opened_next:
            os.close(fd)
        monkeypatch.setattr(roots_module, "LEFT_FOR", 0)
        for _ in range(3):
            stick.plug()
            known.look()
            assert known.online
            stick.pull()
            known.look()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            stick.plug()
            known.look()
            stick.pull()
            known.look()
        assert len(os.listdir("/proc/self/fd")) <= before
    finally:
        await library.stop()
        if stick.plugged:
            stick.pull()


async def _is_online(library: Library, online: bool) -> None:
    async with asyncio.timeout(10):
        while library.roots[0].online is not online:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("/srv/media", True),
        ("/srv/media/Films", True),
        ("/srv", True),
        ("/", True),
        ("/srv/media2", False),
        ("/srv/med", False),
        ("/proc", False),
    ],
)
def test_only_mounts_that_concern_a_folder_are_told(point: str, told: bool) -> None:
    line = f"36 35 98:0 / {point} rw,noatime master:1 - ext4 /dev/root rw".encode()
    assert concerns(line, b"/srv/media") is told


def test_a_mount_point_with_a_blank_is_read() -> None:
    line = rb"36 35 8:1 / /media/My\040Disk rw - ext4 /dev/sda1 rw"
    assert concerns(line, b"/media/My Disk")
    assert not concerns(line, b"/media/My")


async def test_a_share_that_sends_no_notices_is_looked_at_by_its_folders_times(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "share"
    root.mkdir()

    class Deaf:
        """As inotify on NFS and SMB: watches are taken and stay silent; here there are none at all."""

        def __init__(self) -> None:
            raise OSError("no notices")

    monkeypatch.setattr(tree, "REMOTE", frozenset({*tree.REMOTE, "tmpfs"}))
    monkeypatch.setattr(notices, "Inotify", Deaf)
    with mounted(root, "-t", "tmpfs", "tmpfs"):
        put(root, "Films/a.mp4")
        library = Library(database, Journal(database), [root], state=tmp_path / "state", rescan_seconds=3600)
        await library.start()
        try:
            await _listed(library, {"Films/a.mp4"})
            assert not library.roots[0].tells_all
            put(root, "Films/b.mp4")
            await _listed(library, {"Films/a.mp4", "Films/b.mp4"})
            (root / "Films/a.mp4").unlink()
            await _listed(library, {"Films/b.mp4"})
        finally:
            await library.stop()


async def _listed(library: Library, expected: set[str]) -> None:
    async with asyncio.timeout(30):
        while set(await ids(library)) != expected:
            await asyncio.sleep(0.1)
