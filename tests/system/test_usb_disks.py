"""Disks as they come from a shop, NTFS and exFAT, by the programs that Debian has; and two in a pool.

None keeps owners, inodes or renames as ext4 does; all are what a household plugs in.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests import media
from tests.appliance.uploads.promises import Sent, send
from tests.house import files_when, house, sign_in
from tests.system.test_thread import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SIZE = 96 << 20
MAKE = {"ntfs": ("mkntfs", "-F", "-q", "-Q"), "exfat": ("mkfs.exfat",)}
MOUNT = {"ntfs": "mount.ntfs-3g", "exfat": "mount.exfat-fuse"}


@contextmanager
def plugged_in(kind: str, image: Path, mount: Path) -> Iterator[None]:
    """The disk of `image`, made when it is new, at `mount`. Needs root."""
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(SIZE)
        subprocess.run([*MAKE[kind], str(image)], check=True, capture_output=True)
    made = ["losetup", "--find", "--show", str(image)]
    device = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run([MOUNT[kind], device, str(mount)], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(["umount", str(mount)], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.mark.parametrize("kind", ["ntfs", "exfat"])
async def test_a_disk_from_the_shop(kind: str, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    image = tmp_path / "disk.img"
    with plugged_in(kind, image, library):
        (library / "Films").mkdir()
        (library / "Films/One.mp4").write_bytes(media.film())
        (library / "Song.mp3").write_bytes(media.song())
        (library / "Private").mkdir()
        (library / "Private/photo.jpg").write_bytes(media.photo())
        async with house(tmp_path) as home, sign_in(home) as http:
            first = {file["name"]: file for file in await files_when(home, http, 3)}
            await plays(http, first["One.mp4"]["id"], media.film())
            await until(http, f"/files/{first['One.mp4']['id']}", lambda one: one["resolution"], 30)
            for by_form in (False, True):
                sent = Sent(f"sent-{by_form}.mp4", media.film(f"Another {by_form}"), by_form)
                await send(http, sent)
                await plays(http, sent.file_id or "", sent.content)
            again = Sent("SENT-TRUE.mp4", media.film("Yet another"), False)
            await send(http, again)
            # On exFAT the name of the last was taken: it has a number now.
            assert len({file["id"] for file in await files_when(home, http, 6)}) == 6
            # Somebody else writes to it, too: a program on the same machine.
            (library / "Films/Two.mp4").write_bytes(media.film("Two"))
            two = next(file for file in await files_when(home, http, 7) if file["name"] == "Two.mp4")
            async with http.patch(f"/files/{first['One.mp4']['id']}", json={"name": "ONE.mp4"}) as answer:
                assert answer.status == 200, await answer.text()
            assert "ONE.mp4" in os.listdir(library / "Films")
            if kind == "exfat":
                async with http.patch(
                    f"/files/{first['One.mp4']['id']}", json={"name": "1: 2?.mp4"}
                ) as answer:
                    assert answer.status == 409
                    assert "take no" in (await answer.json())["detail"]
                # The folder of the film has one of that name, in other case: it stays what it is.
                async with http.patch(f"/files/{again.file_id}", json={"name": "one.MP4"}) as answer:
                    assert answer.status == 200, await answer.text()
                async with http.patch(f"/files/{again.file_id}", json={"folder": "Films"}) as answer:
                    assert answer.status == 409, await answer.text()
                await plays(http, first["One.mp4"]["id"], media.film())
                await plays(http, again.file_id or "", again.content)
            await thrown_away_and_back(http, first["Song.mp3"]["id"], library / "Song.mp3")
            (library / "Films/Two.mp4").rename(library / "Two.mp4")
            await until(http, f"/files/{two['id']}", lambda one: one["folder"] == "", 30)
            before = {file["name"]: file["id"] for file in await files_when(home, http, 7)}
            folders = await folder_ids(http)
            # Memory is short: the kernel forgets the disk's inodes, and FUSE makes new numbers for them.
            Path("/proc/sys/vm/drop_caches").write_text("3")
            for file_id in before.values():
                async with http.get(f"/files/{file_id}/stream") as answer:
                    assert answer.status == 200, await answer.text()
    # The same disk after a night in a drawer. FUSE numbers what it meets in the order that it is met.
    with plugged_in(kind, image, library):
        for name in sorted(os.listdir(library), reverse=True):
            (library / name).stat()
        async with house(tmp_path) as home, sign_in(home) as http:
            assert {file["name"]: file["id"] for file in await files_when(home, http, 7)} == before
            assert await folder_ids(http) == folders


@contextmanager
def pooled(disks: Sequence[Path], mount: Path) -> Iterator[None]:
    """A file lies on either disk, wherever its folder is; inodes are made up. Needs root."""
    each = ":".join(map(str, disks))
    subprocess.run(["mergerfs", "-o", "category.create=rand", each, str(mount)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(mount)], check=True)


async def test_two_disks_in_a_pool(tmp_path: Path) -> None:
    library, disks = tmp_path / "library", (tmp_path / "one", tmp_path / "two")
    for folder in (library, disks[0] / "Films", disks[1] / "Music"):
        folder.mkdir(parents=True)
    (disks[0] / "Films/One.mp4").write_bytes(media.film())
    (disks[1] / "Music/Song.mp3").write_bytes(media.song())
    with pooled(disks, library):
        async with house(tmp_path) as home, sign_in(home) as http:
            first = {file["name"]: file["id"] for file in await files_when(home, http, 2)}
            for number in range(3):
                sent = Sent(f"sent {number}.mp4", media.film(f"Sent {number}"), False)
                await send(http, sent)
                await plays(http, sent.file_id or "", sent.content)
            change = {"name": "Uno.mp4", "folder": "Music"}
            async with http.patch(f"/files/{first['One.mp4']}", json=change) as answer:
                assert answer.status == 200, await answer.text()
            await thrown_away_and_back(http, first["One.mp4"], library / "Music/Uno.mp4")
            (library / "Music").rename(library / "Sounds")
            for file_id in first.values():
                await until(http, f"/files/{file_id}", lambda one: one["folder"] == "Sounds", 30)
            before = {file["name"]: file["id"] for file in await files_when(home, http, 5)}
            folders = await folder_ids(http)
    with pooled(disks, library):
        async with house(tmp_path) as home, sign_in(home) as http:
            assert {file["name"]: file["id"] for file in await files_when(home, http, 5)} == before
            assert await folder_ids(http) == folders


async def folder_ids(http: aiohttp.ClientSession) -> dict[str, str]:
    async with http.get("/folders") as answer:
        return {one["name"]: one["id"] for one in (await answer.json())["items"]}


async def plays(http: aiohttp.ClientSession, file_id: str, content: bytes) -> None:
    async with http.get(f"/files/{file_id}/stream") as answer:
        assert hashlib.sha256(await answer.read()).digest() == hashlib.sha256(content).digest()
    async with http.get(f"/files/{file_id}/stream", headers={"Range": "bytes=1000-1999"}) as answer:
        assert answer.status == 206
        assert await answer.read() == content[1000:2000]


async def thrown_away_and_back(http: aiohttp.ClientSession, file_id: str, path: Path) -> None:
    content = path.read_bytes()
    async with http.delete(f"/files/{file_id}") as answer:
        assert answer.status == 204, await answer.text()
    assert not path.exists()
    async with http.post(f"/files/{file_id}/restore", json={}) as answer:
        assert answer.status == 200, await answer.text()
    assert path.read_bytes() == content
