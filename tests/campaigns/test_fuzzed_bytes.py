"""Ranges and tus with headers and bodies that are nearly right: never a 5xx, a traceback or a leak."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import re
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from appliance.errors import MantelError
from appliance.streaming.answer import answer
from appliance.streaming.byte_range import Part
from appliance.uploads import tus
from tests.appliance.serving import Reply, read_reply
from tests.campaigns import INPUTS, SEED
from tests.campaigns.fuzz import bent
from tests.house import House, files_when, house, sign_in

MODIFIED = 1_764_000_000
ETAG = '"5-17a"'
RANGES = (
    "bytes=0-499", "bytes=500-", "bytes=-500", "bytes=0-0,-1", "bytes=0-9,20-29,990-5000", "bytes=9-0",
    "seconds=0-9", "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 60, 2)),
)  # fmt: skip
CONDITIONS = (
    ETAG,
    f"W/{ETAG}",
    "*",
    '"a", "b"',
    formatdate(MODIFIED, usegmt=True),
    "Sun, 06 Nov 1994 08:49:37 GMT",
)
METADATA = (
    "filename ZmlsbS5tcDQ=,folder RmlsbWU=",
    "name YQ==",
    "filename ZmlsbS5tcDQ=,modified MTY5MDAwMDAwMDEyMw==",
)
NUMBERS = ("0", "5", "1000", "99999999999999999999", "-1", "1e3")
SUMS = ("sha1 " + base64.b64encode(b"x" * 20).decode(), "md5 AAAA", "sha256 !!")
WIRE_INPUTS = max(200, INPUTS // 40)


@pytest.mark.slow
@pytest.mark.timeout(60 + INPUTS // 200)
def test_ranges_as_values() -> None:
    """Whatever is asked, the pieces lie in the file and are as long as the headers say."""
    dice = random.Random(SEED)
    for _ in range(INPUTS):
        size = dice.choice((0, 1, 10, 1000, 2**40))
        headers = {"Range": bent(dice, RANGES)}
        for name in ("If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"):
            if dice.random() < 0.2:
                headers[name] = bent(dice, CONDITIONS)
        said = answer(
            "GET", headers, size=size, etag=ETAG, mtime_ns=MODIFIED * 10**9, content_type="video/mp4"
        )
        parts = [one for one in said.pieces if isinstance(one, Part)]
        assert said.status in (200, 206, 304, 412, 416), headers
        assert all(0 <= one.first <= one.last < size for one in parts), headers
        assert sum(one.length for one in parts) <= size, headers
        if said.status in (200, 206):
            sent = sum(one.length if isinstance(one, Part) else len(one) for one in said.pieces)
            assert said.headers["Content-Length"] == str(sent), headers


@pytest.mark.slow
@pytest.mark.timeout(60 + INPUTS // 200)
def test_tus_headers_as_values() -> None:
    dice = random.Random(SEED)
    readers: tuple[tuple[Callable[[str], object], tuple[str, ...]], ...] = (
        (tus.metadata, METADATA),
        (tus.checksum, SUMS),
        (lambda value: tus.number("Upload-Offset", value), NUMBERS),
    )
    for _ in range(INPUTS):
        read, seeds = dice.choice(readers)
        with contextlib.suppress(MantelError):
            read(bent(dice, seeds))


_LINE_ENDS = re.compile("[\r\n\0]")


class Wire:
    """One connection after another, with headers as they are."""

    def __init__(self, port: int, bearer: str) -> None:
        self._port, self._bearer = port, bearer
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | None:
        """None where the server closed instead, as it may with what is no HTTP."""
        lines = {"Host": f"127.0.0.1:{self._port}", "Authorization": self._bearer, **headers}
        if body:
            lines.setdefault("Content-Length", str(len(body)))
        text = "".join(f"{name}: {_LINE_ENDS.sub('', value)}\r\n" for name, value in lines.items())
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        try:
            async with asyncio.timeout(20):
                writer.write(
                    f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode("utf-8", "surrogateescape") + body
                )
                reply = await read_reply(reader, method)
        except (asyncio.IncompleteReadError, ConnectionError, KeyError):
            self.close()
            return None
        if reply.headers.get("connection") == "close" or reply.status >= 400:
            self.close()
        return reply

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


def memory(home: House) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{home.process.pid}/status").read_text())[0])


def descriptors(home: House) -> int:
    return len(os.listdir(f"/proc/{home.process.pid}/fd"))


@pytest.mark.slow
@pytest.mark.timeout(180 + WIRE_INPUTS // 2)
async def test_on_the_wire(tmp_path: Path) -> None:
    film = os.urandom(1000)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "film.mp4").write_bytes(film)
    dice = random.Random(SEED)
    async with house(tmp_path) as home, sign_in(home) as http:
        [file] = await files_when(home, http, 1)
        wire = Wire(int(home.environment["MANTEL_HTTP_PORT"]), http.headers["Authorization"])
        after_warming: tuple[int, int] | None = None
        for turn in range(WIRE_INPUTS):
            if dice.random() < 0.5:
                await ask_for_ranges(wire, dice, file["id"], film)
            else:
                await upload_badly(wire, dice)
            if turn == WIRE_INPUTS // 2:
                after_warming = memory(home), descriptors(home)
        wire.close()
        await asyncio.sleep(1)
        assert after_warming is not None
        assert memory(home) < after_warming[0] + 20_000, "KiB of memory grow with the number of requests"
        assert descriptors(home) <= after_warming[1] + 5
    assert "Traceback" not in "".join(home.output), "".join(home.output)[-4000:]


async def ask_for_ranges(wire: Wire, dice: random.Random, file_id: str, film: bytes) -> None:
    headers = {"Range": bent(dice, RANGES)}
    if dice.random() < 0.3:
        headers[dice.choice(("If-Range", "If-None-Match", "If-Modified-Since"))] = bent(dice, CONDITIONS)
    way = dice.choice(("stream", "download"))
    reply = await wire.ask(dice.choice(("GET", "GET", "HEAD")), f"/files/{file_id}/{way}", headers)
    if reply is None:
        return
    assert reply.status in (200, 206, 304, 400, 412, 416), (headers, reply.status)
    told = re.fullmatch(r"bytes (\d+)-(\d+)/1000", reply.headers.get("content-range", ""))
    if reply.status == 206 and told and reply.body:
        assert reply.body == film[int(told[1]) : int(told[2]) + 1], headers


async def upload_badly(wire: Wire, dice: random.Random) -> None:
    version = {"Tus-Resumable": "1.0.0" if dice.random() < 0.9 else bent(dice, ("1.0.0",))}
    length = bent(dice, NUMBERS[:3])
    begun = await wire.ask(
        "POST", "/files/tus", version | {"Upload-Length": length, "Upload-Metadata": bent(dice, METADATA)}
    )
    assert begun is None or begun.status in (201, 400, 412, 413, 507), begun
    if begun is None or begun.status != 201:
        return
    at = begun.headers["location"]
    body = os.urandom(dice.choice((0, 5, 1000, 1001)))
    headers = version | {
        "Upload-Offset": bent(dice, NUMBERS[:2]),
        "Content-Type": bent(dice, (tus.OFFSET_TYPE,)),
    }
    if dice.random() < 0.4:
        headers["Upload-Checksum"] = bent(dice, SUMS)
    added = await wire.ask("PATCH", at, headers, body)
    assert added is None or added.status in (204, 400, 409, 412, 413, 415, 460), added
    asked = await wire.ask("HEAD", at, {"Tus-Resumable": "1.0.0"})
    assert asked is None or asked.status == 200, asked
    gone = await wire.ask("DELETE", at, {"Tus-Resumable": "1.0.0"})
    assert gone is None or gone.status in (204, 409), gone
