"""Files over a real socket: ranges, HEAD, headers, people who go away, and standing still."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import hypercorn.asyncio.run
import pytest
from quart import Quart

from appliance.accounts.caller import Audience, Caller, Role, Via, set_calling
from appliance.streaming import body, zero_copy
from appliance.streaming.byte_range import Part
from appliance.streaming.routes import blueprint
from appliance.uploads.back_pressure import BackPressure
from appliance.web import listen
from tests.appliance.serving import ask, open_descriptors, request_head, serving
from tests.appliance.streaming.shelf import Notebook, Shelf

FILM = b"\0" + os.urandom(999_999)
"""Not by chance the beginning of markup, which is shown to nobody."""
VIEWER = Caller("u1", "mira", Role.VIEWER, Via.COOKIE, device="d1", address="127.0.0.1", user_agent="test")


@dataclass
class House:
    port: int
    shelf: Shelf
    notebook: Notebook


def app_over(shelf: Any, notebook: Any, stall_limit: float = 30) -> Quart:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.3  # a stream that outlives it shows that it does not count
    app.register_blueprint(blueprint(shelf, notebook, None, stall_limit))

    @app.before_request
    async def sign_in() -> None:
        set_calling(VIEWER)

    app.asgi_app = BackPressure(app.asgi_app)  # type: ignore[method-assign]
    return app


@pytest.fixture(params=["zero copy", "from the disk", "copied"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How bytes leave: by sendfile in the loop, in a thread, or read and written as under TLS."""
    assert hypercorn.asyncio.run.TCPServer is listen.WatchedConnection  # type: ignore[attr-defined]
    if request.param == "from the disk":
        monkeypatch.setattr(zero_copy, "in_cache", lambda fd, offset, count: False)
    if request.param == "copied":
        monkeypatch.setattr(listen.WatchedConnection, "_wire", lambda connection: None)
    return str(request.param)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "film").write_bytes(FILM)
    (tmp_path / "empty").write_bytes(b"")
    shelf, notebook = Shelf(tmp_path), Notebook()
    async with serving(app_over(shelf, notebook)) as port:
        yield House(port, shelf, notebook)


async def test_whole_file(house: House) -> None:
    reply = await ask(house.port, "/files/film/stream")
    assert (reply.status, reply.body) == (200, FILM)
    assert reply.headers["content-length"] == str(len(FILM))
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.headers["cache-control"].startswith("private")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert reply.headers["etag"].startswith('"')
    assert reply.headers["content-disposition"].startswith("inline")
    await house.notebook.all_closed()
    [span] = house.notebook.spans
    assert (span.first_byte, span.bytes) == (0, len(FILM))


async def test_the_fast_way_is_really_taken(house: House, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any change of Hypercorn or h11 that shuts it shows here."""
    taken: list[int] = []
    really = zero_copy.Wire.send

    async def counted(wire: zero_copy.Wire, fd: int, offset: int, count: int, sent: Any) -> None:
        taken.append(count)
        await really(wire, fd, offset, count, sent)

    monkeypatch.setattr(zero_copy.Wire, "send", counted)
    assert (await ask(house.port, "/files/film/stream")).body == FILM
    assert taken == ([] if way == "copied" else [len(FILM)])


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("0-1", 0, 1),
        ("500000-", 500_000, 999_999),
        ("-7", 999_993, 999_999),
        ("999999-2000000", 999_999, 999_999),
    ],
)
async def test_one_range(house: House, asked: str, first: int, last: int) -> None:
    reply = await ask(house.port, "/files/film/stream", {"Range": f"bytes={asked}"})
    assert (reply.status, reply.body) == (206, FILM[first : last + 1])
    assert reply.headers["content-range"] == f"bytes {first}-{last}/1000000"
    assert house.notebook.spans[0].first_byte == first


async def test_several_ranges(house: House) -> None:
    reply = await ask(house.port, "/files/film/stream", {"Range": "bytes=0-9,500000-799999,-5"})
    assert reply.status == 206
    kind, boundary = re.fullmatch(
        r"(multipart/byteranges); boundary=(\w+)", reply.headers["content-type"]
    ).groups()  # type: ignore[union-attr]
    assert kind == "multipart/byteranges"
    sections = reply.body.split(b"\r\n--" + boundary.encode())
    assert sections[0] == b""
    assert sections[-1] == b"--\r\n"
    got = {}
    for section in sections[1:-1]:
        head, _, content = section.partition(b"\r\n\r\n")
        assert b"Content-Type: video/mp4" in head
        got[head.split(b"Content-Range: ")[1].split(b"\r\n")[0]] = content
    assert got == {
        b"bytes 0-9/1000000": FILM[:10],
        b"bytes 500000-799999/1000000": FILM[500_000:800_000],
        b"bytes 999995-999999/1000000": FILM[-5:],
    }


async def test_nothing_there_is_416_with_the_size(house: House) -> None:
    reply = await ask(house.port, "/files/film/stream", {"Range": "bytes=1000000-"})
    assert reply.status == 416
    assert reply.headers["content-range"] == "bytes */1000000"
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["bytes=5-2", "items=0-5", "bytes=x", "bytes"])
async def test_what_is_no_range_is_ignored(house: House, header: str) -> None:
    reply = await ask(house.port, "/files/film/stream", {"Range": header})
    assert (reply.status, len(reply.body)) == (200, len(FILM))


async def test_if_range(house: House) -> None:
    etag = (await ask(house.port, "/files/film/stream", method="HEAD")).headers["etag"]
    same = await ask(house.port, "/files/film/stream", {"Range": "bytes=0-4", "If-Range": etag})
    other = await ask(house.port, "/files/film/stream", {"Range": "bytes=0-4", "If-Range": '"other"'})
    assert (same.status, other.status) == (206, 200)


async def test_not_modified_and_precondition(house: House) -> None:
    first = await ask(house.port, "/files/film/stream", method="HEAD")
    again = await ask(house.port, "/files/film/stream", {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    dated = {"If-Modified-Since": first.headers["last-modified"]}
    assert (await ask(house.port, "/files/film/stream", dated)).status == 304
    assert (await ask(house.port, "/files/film/stream", {"If-Match": '"other"'})).status == 412
    old = {"If-Unmodified-Since": formatdate(0, usegmt=True)}
    assert (await ask(house.port, "/files/film/stream", old)).status == 412


async def test_head_reads_nothing(house: House) -> None:
    # 1 TiB without a single block on the disk: whoever reads it will not be back in time.
    with (house.shelf.folder / "huge").open("wb") as file:
        file.truncate(2**40)
    reply = await asyncio.wait_for(ask(house.port, "/files/huge/stream", method="HEAD"), 5)
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, str(2**40), b"")
    assert house.shelf.opened == 1  # for its size and first bytes; the body never opened it
    ranged = await ask(house.port, "/files/huge/stream", {"Range": "bytes=-10"})
    assert (ranged.status, ranged.body) == (206, bytes(10))


async def test_head_leaves_the_connection_usable(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(request_head("/files/film/stream", method="HEAD"))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(request_head("/files/film/stream", {"Range": "bytes=0-2"}))
    assert b" 206 " in await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(3) == FILM[:3]
    writer.close()


async def test_empty_file(house: House) -> None:
    whole = await ask(house.port, "/files/empty/stream")
    assert (whole.status, whole.headers["content-length"], whole.body) == (200, "0", b"")
    assert (await ask(house.port, "/files/empty/stream", {"Range": "bytes=0-"})).status == 416


@pytest.mark.parametrize(
    ("name", "listed_as", "content", "shown_as"),
    [
        ("a.png", "image/png", b"\x89PNG\r\n\x1a\n....", "image/png"),
        ("b.png", "image/png", b"<html><script>alert(1)</script>", None),
        ("c.mp4", "video/mp4", b"<svg onload=alert(1)>", None),
        ("d.html", "text/html", b"<html>", None),
        ("e.svg", "image/svg+xml", b"<svg/>", None),
        ("f.txt", "text/plain", b"<script>", "text/plain; charset=utf-8"),
        ("g.pdf", "application/pdf", b"%PDF-1.7", "application/pdf"),
        ("h.pdf", "application/pdf", b"<html>", None),
        ("i.zip", "application/zip", b"PK", None),
    ],
)
async def test_only_what_looks_like_its_type_is_shown(
    house: House, name: str, listed_as: str, content: bytes, shown_as: str | None
) -> None:
    (house.shelf.folder / name).write_bytes(content)
    house.shelf.types[name] = listed_as
    reply = await ask(house.port, f"/files/{name}/stream")
    assert reply.headers["content-type"] == (shown_as or "application/octet-stream")
    assert reply.headers["content-disposition"].startswith("inline" if shown_as else "attachment")
    assert ("sandbox" in reply.headers["content-security-policy"]) == (shown_as is None)
    assert reply.headers["x-content-type-options"] == "nosniff"


async def downloads(house: House, count: int) -> None:
    """Until so many are noted: the last byte is with the client a moment before."""
    async with asyncio.timeout(5):
        while len(house.notebook.ended) < count:
            await asyncio.sleep(0.01)


async def test_download_is_an_attachment_and_noted_when_its_end_was_reached(house: House) -> None:
    reply = await ask(house.port, "/files/film/download")
    assert reply.body == FILM
    assert reply.headers["content-disposition"] == 'attachment; filename="film"'
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"
    await downloads(house, 1)
    [entry] = house.notebook.ended
    assert (entry.action.value, entry.bytes_served, entry.payload["sizeBytes"]) == (
        "DOWNLOAD",
        len(FILM),
        len(FILM),
    )
    await ask(house.port, "/files/film/download", {"Range": "bytes=0-9"})
    await downloads(house, 2)
    assert house.notebook.ended[1].action.value == "STREAM", "ten bytes have left, and are no download"
    assert house.notebook.ended[1].bytes_served == 10
    resumed = await ask(house.port, "/files/film/download", {"Range": "bytes=900000-"})
    assert resumed.body == FILM[900_000:]
    await downloads(house, 3)
    assert house.notebook.ended[2].action.value == "DOWNLOAD"


async def test_slow_reader_outlives_the_frameworks_limit(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port, limit=2**14)
    with (house.shelf.folder / "long").open("wb") as file:
        file.truncate(40_000_000)
    writer.write(request_head("/files/long/stream"))
    await reader.readuntil(b"\r\n\r\n")
    got = len(await reader.readexactly(1000))
    await asyncio.sleep(1)  # RESPONSE_TIMEOUT is 0.3
    while data := await reader.read(2**20):
        got += len(data)
        if got == 40_000_000:
            break
    assert got == 40_000_000
    writer.close()


async def test_who_has_closed_is_not_waited_for(house: House, way: str) -> None:
    descriptors = open_descriptors()
    for _ in range(30):
        assert (await ask(house.port, "/files/film/stream", {"Range": "bytes=0-9"})).body == FILM[:10]
    for _ in range(20):  # a second; the server keeps an idle connection for five
        if open_descriptors() <= descriptors + 1:
            break
        await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors + 1


async def test_200_aborted_requests_leave_nothing_behind(house: House) -> None:
    with (house.shelf.folder / "long").open("wb") as file:
        file.truncate(500_000_000)
    await ask(house.port, "/files/film/stream", {"Range": "bytes=0-0"})
    gc.collect()
    descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
    for turn in range(200):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(request_head("/files/long/stream"))
        await writer.drain()
        if turn % 3 == 1:
            await reader.readuntil(b"\r\n\r\n")
        elif turn % 3 == 2:
            await reader.read(300_000)
        writer.transport.abort()
    for _ in range(100):
        if open_descriptors() <= descriptors and len(asyncio.all_tasks()) <= tasks:
            break
        await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors
    assert len(asyncio.all_tasks()) <= tasks
    await house.notebook.all_closed()
    # Nobody went on to the end of the file for a peer that had gone.
    assert max(span.bytes for span in house.notebook.spans) < 100_000_000


async def test_an_answer_without_a_body_leaves_no_file_open(house: House) -> None:
    etag = (await ask(house.port, "/files/film/stream", {"Range": "bytes=0-0"})).headers["etag"]
    descriptors = open_descriptors()
    for _ in range(20):
        assert (await ask(house.port, "/files/film/stream", {"If-None-Match": etag})).status == 304
        assert (await ask(house.port, "/files/film/stream", {"Range": "bytes=9000000-"})).status == 416
    for _ in range(20):  # the server lets an idle connection go a moment later
        if open_descriptors() <= descriptors + 1:
            break
        await asyncio.sleep(0.05)
    assert open_descriptors() <= descriptors + 1


async def test_a_body_that_is_never_begun_closes_its_file(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(FILM)
    opened = await Shelf(tmp_path).open("film", frozenset(Audience))
    fd = opened.fd
    never_sent = body.chunks(opened, (Part(0, 9),))
    del opened
    os.fstat(fd)
    del never_sent
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


async def test_who_stands_still_too_long_is_cut_off(tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as file:
        file.truncate(500_000_000)
    notebook = Notebook()
    async with serving(app_over(Shelf(tmp_path), notebook, stall_limit=0.5)) as port:
        descriptors = open_descriptors()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
        writer.write(request_head("/files/long/stream"))
        await reader.readuntil(b"\r\n\r\n")
        await notebook.all_closed()
        assert open_descriptors() <= descriptors + 2  # the two ends of this connection
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(500_000_000)
        writer.close()


async def test_a_file_that_shrinks_ends_the_connection(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"")
    os.truncate(path, 50_000_000)
    async with serving(app_over(Shelf(tmp_path), Notebook())) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
        writer.write(request_head("/files/long/stream"))
        await reader.readuntil(b"\r\n\r\n")
        os.truncate(path, 10)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(50_000_000)
        writer.close()
