"""Clients that keep account of what they were promised, and whether it was kept."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import aiohttp

from tests.house import House

PIECE = 200_000


@dataclass
class Sent:
    """One file that a client wants on the shelf, and what it was promised about it so far."""

    name: str
    content: bytes
    by_form: bool
    at: str | None = None
    offset: int = 0
    file_id: str | None = None
    forms_cut_off: int = 0


class Refused(Exception):
    """The disk is full or away; nothing was promised."""


async def accepted(answer: aiohttp.ClientResponse, *statuses: int) -> None:
    if answer.status in (503, 507):
        raise Refused(answer.status)
    assert answer.status in statuses, f"{answer.method} {answer.url}: {answer.status} {await answer.text()}"


async def send(http: aiohttp.ClientSession, one: Sent) -> None:
    """Until it is acknowledged, or the server is gone."""
    if one.by_form:
        one.forms_cut_off += 1
        form = aiohttp.FormData()
        form.add_field("file", one.content, filename=one.name)
        async with http.post("/files/upload", data=form) as answer:
            await accepted(answer, 200, 201)
            one.file_id = (await answer.json())["files"][0]["id"]
            one.forms_cut_off -= 1
        return
    headers = {"Tus-Resumable": "1.0.0"}
    if one.at is None:
        name = base64.b64encode(one.name.encode()).decode()
        given = headers | {"Upload-Length": str(len(one.content)), "Upload-Metadata": f"filename {name}"}
        async with http.post("/files/tus", headers=given) as answer:
            await accepted(answer, 201)
            one.at = answer.headers["Location"]
    else:
        async with http.head(one.at, headers=headers) as answer:
            await accepted(answer, 200)
            offset = int(answer.headers["Upload-Offset"])
            assert offset >= one.offset, "acknowledged bytes are lost"
            one.offset, one.file_id = offset, answer.headers.get("Mantel-File")
    while one.file_id is None:
        given = headers | {
            "Upload-Offset": str(one.offset),
            "Content-Type": "application/offset+octet-stream",
        }
        piece = one.content[one.offset : one.offset + PIECE]
        async with http.patch(one.at, headers=given, data=piece) as answer:
            await accepted(answer, 204)
            one.offset, one.file_id = int(answer.headers["Upload-Offset"]), answer.headers.get("Mantel-File")


async def check(home: House, http: aiohttp.ClientSession, all_sent: list[Sent]) -> None:
    whole = {one.content for one in all_sent}
    for path in home.library.rglob("*"):
        if path.is_file() and ".mantel" not in path.parts:
            assert path.read_bytes() in whole, f"{path.name} is half-published"
    for one in all_sent:
        if one.file_id:
            async with http.get(f"/files/{one.file_id}/stream") as answer:
                assert answer.status == 200, f"{one.name} was acknowledged and is gone"
                assert await answer.read() == one.content
