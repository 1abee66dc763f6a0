"""Disks that are slow, and disks that are full, under the real server."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from appliance.units import GIB, MIB
from tests.disks import slow_disk
from tests.house import House, house, sign_in

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {"Content-Type": "application/offset+octet-stream"}


def memory(home: House, which: str) -> int:
    """Bytes; `VmRSS` is now, `VmHWM` the most there ever was."""
    for line in Path(f"/proc/{home.process.pid}/status").read_text().splitlines():
        if line.startswith(which + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(which)


async def zeros(count: int) -> AsyncIterator[bytes]:
    for _ in range(count // MIB):
        yield bytes(MIB)


async def begin(http: aiohttp.ClientSession, name: str, length: int) -> aiohttp.ClientResponse:
    encoded = base64.b64encode(name.encode()).decode()
    headers = {"Upload-Length": str(length), "Upload-Metadata": f"filename {encoded}"}
    return await http.post("/files/tus", headers=TUS | headers)


async def by_tus(http: aiohttp.ClientSession, size: int) -> None:
    answer = await begin(http, "film.mp4", size)
    headers = TUS | PIECE | {"Upload-Offset": "0", "Content-Length": str(size)}
    async with http.patch(answer.headers["Location"], headers=headers, data=zeros(size)) as done:
        assert done.status == 204, await done.text()
        assert "Mantel-File" in done.headers


async def by_form(http: aiohttp.ClientSession, size: int) -> None:
    form = aiohttp.MultipartWriter("form-data")
    form.append(zeros(size)).set_content_disposition("form-data", name="file", filename="film.mp4")
    async with http.post("/files/upload", data=form) as done:
        assert done.status == 201, await done.text()


async def memory_taken(folder: Path, size: int, upload: object) -> int:
    async with (
        house(folder, module="tests.appliance.uploads.slow_disk") as home,
        sign_in(home) as http,
    ):
        idle = memory(home, "VmRSS")
        await upload(http, size)  # type: ignore[operator]
        assert (home.library / "film.mp4").stat().st_size == size
        return memory(home, "VmHWM") - idle


@pytest.mark.parametrize("upload", [by_tus, by_form])
async def test_a_slow_disk_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upload: object
) -> None:
    monkeypatch.setattr("tests.house.environment", slowly(100 * MIB))
    # Without back-pressure most of it would wait in memory.
    assert await memory_taken(tmp_path, 300 * MIB, upload) < 60 * MIB


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_5_gb_onto_a_slow_disk(tmp_path: Path) -> None:
    """The kernel itself keeps this disk slow: dirty pages, fsync and all."""
    with slow_disk(tmp_path / "disk.img", 6 * GIB, write=120 * MIB) as (disk, join):
        (tmp_path / "library").symlink_to(disk)
        async with house(tmp_path) as home, sign_in(home) as http:
            join(home.process.pid)
            idle = memory(home, "VmRSS")
            await by_tus(http, 5 * GIB)
            assert (disk / "film.mp4").stat().st_size == 5 * GIB
            assert memory(home, "VmHWM") - idle < 100 * MIB


def slowly(speed: int) -> object:
    from tests.house import environment

    return lambda *given, **more: environment(*given, **more) | {"SLOW_DISK_SPEED": str(speed)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """24 MiB of its own, where the library lies."""
    disk = tmp_path / "library"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "mantel-test", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def on_disk(disk: Path) -> list[str]:
    return sorted(path.name for path in disk.iterdir() if path.is_file())


def in_inbox(disk: Path) -> list[Path]:
    return list((disk / ".mantel" / "inbox").iterdir())


async def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    async with house(tmp_path) as home, sign_in(home) as http:
        # What cannot fit is refused before a byte of it is sent.
        assert (await begin(http, "too-large.mp4", 30 * MIB)).status == 507
        form = aiohttp.FormData()
        form.add_field("file", bytes(30 * MIB), filename="too-large.mp4")
        async with http.post("/files/upload", data=form) as answer:
            assert answer.status == 507
        # A form that does not say how long it is fills the disk, and leaves nothing.
        writer = aiohttp.MultipartWriter("form-data")
        writer.append(zeros(30 * MIB)).set_content_disposition(
            "form-data", name="file", filename="endless.mp4"
        )
        async with http.post("/files/upload", data=writer) as answer:
            assert answer.status == 507
            assert (await answer.json())["type"] == "urn:mantel:problem:no-room"
        assert (on_disk(small_disk), in_inbox(small_disk)) == ([], [])

        # Somebody else fills the disk while an upload is on its way: it waits, and goes on.
        content = os.urandom(16 * MIB)
        at = (await begin(http, "film.mp4", len(content))).headers["Location"]
        assert await piece(http, at, 0, content[: 4 * MIB]) == 204
        (small_disk / "other").write_bytes(bytes(12 * MIB))
        assert await piece(http, at, 4 * MIB, content[4 * MIB :]) == 507
        async with http.head(at, headers=TUS) as answer:
            offset = int(answer.headers["Upload-Offset"])
        assert 4 * MIB <= offset < len(content)
        assert on_disk(small_disk) == ["other"]
        (small_disk / "other").unlink()
        assert await piece(http, at, offset, content[offset:]) == 204
        assert (small_disk / "film.mp4").read_bytes() == content
        assert in_inbox(small_disk) == []


async def piece(http: aiohttp.ClientSession, at: str, offset: int, data: bytes) -> int:
    async with http.patch(at, headers=TUS | PIECE | {"Upload-Offset": str(offset)}, data=data) as answer:
        await answer.read()
        return answer.status
