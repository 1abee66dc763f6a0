"""tus 1.0 by the letter, over a real socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from appliance.database import Database
from tests.appliance.serving import Reply, open_descriptors, request_head, serving
from tests.appliance.uploads.conftest import House, Web, app_of, make_house, problem

CONTENT = os.urandom(300_000)


def meta(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


async def create(web: Web, length: int = len(CONTENT), who: str = "mira", **pairs: str) -> Reply:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(length),
        "Upload-Metadata": meta(**({"filename": "film.mp4"} | pairs)),
        "X-Who": who,
    }
    return await web.ask("POST", "/files/tus", headers)


async def patch(web: Web, at: str, offset: int, data: bytes, **headers: str) -> Reply:
    given = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Content-Length": str(len(data)),
    }
    return await web.ask("PATCH", at, given | {key.replace("_", "-"): v for key, v in headers.items()}, data)


async def head(web: Web, at: str, **headers: str) -> Reply:
    given = {"Tus-Resumable": "1.0.0"} | {key.replace("_", "-"): v for key, v in headers.items()}
    return await web.ask("HEAD", at, given)


@pytest.mark.parametrize("said", ["99999999999999", "-1", "0"])
async def test_a_time_that_cannot_be_is_passed_over(web: Web, said: str) -> None:
    created = await create(web, 0, modified=said)
    assert created.status == 201
    age = time.time() - (web.house.root / "film.mp4").stat().st_mtime
    assert -2 < age < 100


@pytest.mark.parametrize("said", ["yesterday", "1.5", "1" * 15, "٣"])
async def test_what_is_no_time_is_refused(web: Web, said: str) -> None:
    refused = await create(web, modified=said)
    assert (refused.status, problem(refused)["field"]) == (400, "modified")


async def test_an_upload_in_pieces_of_any_size(web: Web) -> None:
    created = await create(web, folder="Filme")
    assert (created.status, created.headers["tus-resumable"]) == (201, "1.0.0")
    assert "upload-expires" in created.headers
    at = created.headers["location"]
    assert len(at.rpartition("/")[2]) == 32
    for start, end in ((0, 1), (1, 100_000), (100_000, 299_999)):
        reply = await patch(web, at, start, CONTENT[start:end])
        assert (reply.status, reply.headers["upload-offset"]) == (204, str(end))
        assert "mantel-file" not in reply.headers
        asked = await head(web, at)
        assert (asked.status, asked.headers["upload-offset"], asked.headers["upload-length"]) == (
            200, str(end), "300000",
        )  # fmt: skip
        assert asked.headers["cache-control"] == "no-store"
        assert web.house.on_disk() == {}
    last = await patch(web, at, 299_999, CONTENT[299_999:])
    assert (last.status, last.headers["upload-offset"]) == (204, "300000")
    file = (await web.house.files())["Filme/film.mp4"]
    assert last.headers["mantel-file"] == file.id
    assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert web.house.on_disk() == {"Filme/film.mp4": CONTENT}
    again = await head(web, at)
    assert (again.headers["upload-offset"], again.headers["mantel-file"]) == ("300000", file.id)


async def test_options_say_what_we_speak(web: Web) -> None:
    reply = await web.ask("OPTIONS", "/files/tus")
    assert reply.status == 204
    assert reply.headers["tus-version"] == "1.0.0"
    assert set(reply.headers["tus-extension"].split(",")) == {
        "creation", "expiration", "termination", "checksum",
    }  # fmt: skip
    assert "sha1" in reply.headers["tus-checksum-algorithm"].split(",")


async def test_an_empty_file_needs_no_patch(web: Web) -> None:
    created = await create(web, 0)
    assert created.headers["mantel-file"] == (await web.house.files())["film.mp4"].id


async def test_equal_content(web: Web) -> None:
    first = await patch(web, (await create(web)).headers["location"], 0, CONTENT)
    at = (await create(web, filename="copy.mp4")).headers["location"]
    second = await patch(web, at, 0, CONTENT)
    assert second.headers["mantel-duplicate"] == "true"
    assert second.headers["mantel-file"] == first.headers["mantel-file"]
    assert (await head(web, at)).headers["mantel-duplicate"] == "true"
    assert list(web.house.on_disk()) == ["film.mp4"]


async def test_a_wrong_offset_changes_nothing(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await patch(web, at, 0, CONTENT[:10])
    for offset in (0, 9, 11, 400_000):
        assert (await patch(web, at, offset, CONTENT[:5])).status == 409
    assert (await head(web, at)).headers["upload-offset"] == "10"


async def test_more_bytes_than_announced_are_refused(web: Web) -> None:
    at = (await create(web, 10)).headers["location"]
    assert (await patch(web, at, 0, CONTENT[:11])).status == 413
    assert (await head(web, at)).headers["upload-offset"] == "0"


async def test_termination(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await patch(web, at, 0, CONTENT[:10])
    reply = await web.ask("DELETE", at, {"Tus-Resumable": "1.0.0"})
    assert (reply.status, web.house.in_inbox()) == (204, [])
    assert (await head(web, at)).status == 404
    assert (await patch(web, at, 10, CONTENT[10:])).status == 404


async def test_what_is_published_cannot_be_terminated(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await patch(web, at, 0, CONTENT)
    assert (await web.ask("DELETE", at, {"Tus-Resumable": "1.0.0"})).status == 409
    assert list(web.house.on_disk()) == ["film.mp4"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_checksum(web: Web, algorithm: str) -> None:
    def sum_of(data: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"

    at = (await create(web)).headers["location"]
    assert (await patch(web, at, 0, CONTENT[:100], Upload_Checksum=sum_of(CONTENT[:100]))).status == 204
    bent = CONTENT[100:999] + bytes([CONTENT[999] ^ 1])
    assert (await patch(web, at, 100, bent, Upload_Checksum=sum_of(CONTENT[100:1000]))).status == 460
    assert (await head(web, at)).headers["upload-offset"] == "100"
    rest = await patch(web, at, 100, CONTENT[100:], Upload_Checksum=sum_of(CONTENT[100:]))
    assert "mantel-file" in rest.headers
    assert web.house.on_disk() == {"film.mp4": CONTENT}
    assert (await web.house.files())["film.mp4"].sha256 == hashlib.sha256(CONTENT).hexdigest()


async def test_a_piece_with_a_checksum_that_is_cut_off_is_not_kept(web: Web) -> None:
    at = (await create(web)).headers["location"]
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
        "Content-Length": "1000",
        "Upload-Checksum": "sha1 " + base64.b64encode(bytes(20)).decode(),
    }
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request_head(at, headers, "PATCH") + CONTENT[:500])
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    assert (await head(web, at)).headers["upload-offset"] == "0"


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Upload-Length": None}, "Upload-Length"),
        ({"Upload-Length": "-1"}, "Upload-Length"),
        ({"Upload-Length": "9" * 30}, "Upload-Length"),
        ({"Upload-Metadata": None}, "Upload-Metadata"),
        ({"Upload-Metadata": "filename !!"}, "Upload-Metadata"),
        ({"Upload-Metadata": meta(filename="")}, "Upload-Metadata"),
        ({"Upload-Metadata": meta(filename="a", folder="../b")}, "folder"),
        ({"Upload-Metadata": meta(filename="..")}, "name"),
    ],
)
async def test_bad_announcements(web: Web, headers: dict[str, str | None], field: str) -> None:
    given = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": meta(filename="a")} | headers
    reply = await web.ask(
        "POST", "/files/tus", {key: value for key, value in given.items() if value is not None}
    )
    assert (reply.status, problem(reply)["field"]) == (400, field)
    assert web.house.in_inbox() == []


async def test_another_version_is_412(web: Web) -> None:
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        reply = await web.ask("POST", "/files/tus", headers)
        assert (reply.status, reply.headers["tus-version"]) == (412, "1.0.0")


async def test_unknown_checksum_algorithm_is_400(web: Web) -> None:
    at = (await create(web)).headers["location"]
    assert (await patch(web, at, 0, b"1", Upload_Checksum="crc32 AAAA")).status == 400


async def test_an_upload_belongs_to_who_began_it(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await patch(web, at, 0, CONTENT[:10])
    assert (await head(web, at, X_Who="otto")).status == 404
    assert (await patch(web, at, 10, b"x", X_Who="otto")).status == 404
    assert (await web.ask("DELETE", at, {"Tus-Resumable": "1.0.0", "X-Who": "otto"})).status == 404
    assert (await head(web, at)).headers["upload-offset"] == "10"


async def test_method_override(web: Web) -> None:
    at = (await create(web)).headers["location"]
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
        "X-HTTP-Method-Override": "PATCH",
    }
    assert (await web.ask("POST", at, headers, CONTENT[:10])).headers["upload-offset"] == "10"
    gone = {"Tus-Resumable": "1.0.0", "X-HTTP-Method-Override": "DELETE"}
    assert (await web.ask("POST", at, gone)).status == 204
    assert (await head(web, at)).status == 404


async def test_a_vanished_client_goes_on_where_it_was_cut_off(web: Web) -> None:
    at = (await create(web, 5_000_000)).headers["location"]
    content = os.urandom(5_000_000)
    descriptors = open_descriptors()
    offset = 0
    for _ in range(12):
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Content-Length": str(len(content) - offset),
        }
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(request_head(at, headers, "PATCH") + content[offset : offset + 150_000])
        await writer.drain()
        for _ in range(200):
            if (web.house.root / ".mantel" / "inbox" / at[-32:]).stat().st_size > offset:
                break
            await asyncio.sleep(0.01)
        writer.transport.abort()
        offset = int((await head(web, at)).headers["upload-offset"])
    assert 0 < offset <= 12 * 150_000
    last = await patch(web, at, offset, content[offset:])
    assert "mantel-file" in last.headers
    assert web.house.on_disk() == {"film.mp4": content}
    for _ in range(100):
        if open_descriptors() <= descriptors:
            break
        await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors


async def test_asking_ends_a_request_that_hangs(web: Web) -> None:
    """A phone that changed its network still has the old connection open at our end."""
    at = (await create(web)).headers["location"]
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
        "Content-Length": "300000",
    }
    _, hanging = await asyncio.open_connection("127.0.0.1", web.port)
    hanging.write(request_head(at, headers, "PATCH") + CONTENT[:1000])
    await hanging.drain()
    await asyncio.sleep(0.1)
    assert (await head(web, at)).headers["upload-offset"] == "1000"
    assert "mantel-file" in (await patch(web, at, 1000, CONTENT[1000:])).headers
    hanging.close()


async def test_two_at_once_never_mix(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await asyncio.gather(*(patch(web, at, 0, CONTENT) for _ in range(6)), return_exceptions=True)
    offset = int((await head(web, at)).headers["upload-offset"])
    if offset < len(CONTENT):
        assert "mantel-file" in (await patch(web, at, offset, CONTENT[offset:])).headers
    assert web.house.on_disk() == {"film.mp4": CONTENT}


async def test_space_is_reserved_for_what_was_announced(database: Database, tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    house = make_house(database, tmp_path / "media", free_space=free // 2)
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        web = Web(port, house)
        first = await create(web, free // 4)
        assert first.status == 201
        assert (await create(web, free // 3)).status == 507
        await web.ask("DELETE", first.headers["location"], {"Tus-Resumable": "1.0.0"})
        assert (await create(web, free // 3)).status == 201
    await house.library.stop()


async def test_what_stood_still_too_long_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(app_of(house)) as port:
        web = Web(port, house)
        at = (await create(web)).headers["location"]
        await patch(web, at, 0, CONTENT[:10])
        await house.uploads.sweep()
        assert (await head(web, at)).headers["upload-offset"] == "10"
        monkeypatch.setattr("appliance.uploads.uploads.KEPT", -1)
        await house.uploads.sweep()
        assert (await head(web, at)).status == 404
        assert house.in_inbox() == []


async def test_get_tells_the_page(web: Web) -> None:
    at = (await create(web)).headers["location"]
    await patch(web, at, 0, CONTENT[:10])
    reply = await web.ask("GET", at, {"Tus-Resumable": "1.0.0"})
    assert json.loads(reply.body) == {"offset": 10, "length": 300_000, "fileId": None}
