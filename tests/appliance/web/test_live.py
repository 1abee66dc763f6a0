"""Live events: to whom, how many, until when."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts.caller import Role
from appliance.errors import TooMany
from appliance.web import listen
from appliance.web import live as module
from appliance.web.access import EVENTS
from appliance.web.live import Live
from tests.appliance.entrance import House, entrance
from tests.appliance.serving import ask, serving

CODE = Path(__file__).parents[3] / "appliance"


async def told(live: Live, role: Role, count: int = 1) -> list[bytes]:
    stream = live.listen(role)
    return [await asyncio.wait_for(anext(stream), 5) for _ in range(count)]


@pytest.mark.parametrize("role", Role)
async def test_each_event_is_told_to_its_role_and_above(role: Role) -> None:
    live = Live(EVENTS)
    stream = live.listen(role)
    await anext(stream)
    for event in EVENTS:
        live.publish(event, {"n": 1})
    live.publish("library", {"raised": True}, Role.ADMIN)
    live.stop()
    names = re.findall(r"event: (\w+)", b"".join([message async for message in stream]).decode())
    expected = [event for event, least in EVENTS.items() if role >= least]
    assert names == expected + (["library"] if role is Role.ADMIN else [])


async def test_an_event_that_stands_in_no_table_is_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    live = Live(EVENTS)
    stream = live.listen(Role.ADMIN)
    await anext(stream)
    live.publish("secret", {"n": 1})
    live.stop()
    assert [message async for message in stream] == []
    assert "stands in no table" in caplog.text


def test_every_event_that_the_code_publishes_is_in_the_table() -> None:
    code = "\n".join(p.read_text() for p in CODE.rglob("*.py"))
    published = set(re.findall(r"\.publish\(\s*\"(\w+)\"", code))
    assert published
    assert published <= set(EVENTS)


async def test_names_with_newlines_stay_one_event() -> None:
    live = Live(EVENTS)
    stream = live.listen(Role.GUEST)
    await anext(stream)
    live.publish("library", {"name": "a\n\nevent: tv\ndata: {}"})
    message = (await anext(stream)).decode()
    assert message.count("\n") == 4
    assert json.loads(message.split("data: ", 1)[1])["name"].startswith("a\n")


async def test_a_heartbeat_comes_and_a_slow_page_is_let_go() -> None:
    live = Live(EVENTS, heartbeat=0.01)
    stream = live.listen(Role.GUEST)
    await anext(stream)
    assert (await asyncio.wait_for(anext(stream), 5)).startswith(b":")
    for n in range(module.WAITING + 5):
        live.publish("library", {"n": n})
    assert live.listeners() == 0
    assert len([message async for message in stream]) == module.WAITING


async def test_there_is_an_end_to_open_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTENERS", 1)
    live = Live(EVENTS)
    stream = live.listen(Role.GUEST)
    await anext(stream)
    with pytest.raises(TooMany):
        live.listen(Role.GUEST)
    await stream.aclose()  # type: ignore[attr-defined]
    await told(live, Role.GUEST)


async def heard(house: House, port: int, role: Role, last_id: str | None = None) -> tuple[Any, Any]:
    """A page's connection, past its head."""
    person = await house.sign_in(f"{role.name.lower()}{secrets.token_hex(2)}", role)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        "GET /events/live HTTP/1.1",
        "Host: localhost",
        f"Authorization: {person.headers['Authorization']}",
    ]
    lines += [f"Last-Event-ID: {last_id}"] if last_id is not None else []
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = (await asyncio.wait_for(reader.readuntil(b"retry: 2000\n\n"), 5)).decode()
    assert " 200 " in head
    assert "text/event-stream" in head
    return reader, writer


async def names_until(reader: asyncio.StreamReader, end: str) -> list[str]:
    """Names of the events up to the one with `end` in its data."""
    said = (await asyncio.wait_for(reader.readuntil(end.encode()), 5)).decode()
    return re.findall(r"event: (\w+)", said)


async def test_each_role_on_the_wire_hears_its_events_and_no_other(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house, serving(house.app) as port:
        pages = {role: await heard(house, port, role) for role in Role}
        nobody = await ask(port, "/events/live", {"Host": "localhost"})
        assert nobody.status == 401
        for event in EVENTS:
            house.live.publish(event, {"secret": event})
        house.live.publish("library", {"raised": 1}, Role.ADMIN)
        house.live.publish("library", {"last": 1})
        for role, (reader, writer) in pages.items():
            names = await names_until(reader, '"last":1')
            mine = [event for event, least in EVENTS.items() if role >= least]
            expected = [*mine, *(["library"] if role is Role.ADMIN else []), "library"]
            assert [name for name in names if name not in ("door", "pairing")] == [
                name for name in expected if name not in ("door", "pairing")
            ], role
            assert ("door" in names) == (role is Role.ADMIN), "signing in rings it too"
            writer.close()
        async with asyncio.timeout(5):
            while house.live.listeners():
                await asyncio.sleep(0.02)


async def test_who_comes_back_is_told_what_was_missed_and_no_more_than_the_role_may(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house, serving(house.app) as port:
        reader, writer = await heard(house, port, Role.VIEWER)
        house.live.publish("library", {"n": 1})
        first = (await reader.readuntil(b'"n":1}\n\n')).decode()
        last_id = re.findall(r"id: (\S+)", first)[-1]
        writer.close()
        for n in (2, 3):
            house.live.publish("library", {"n": n})
            house.live.publish("tv", {"n": n})
        reader, writer = await heard(house, port, Role.VIEWER, last_id)
        house.live.publish("library", {"n": 4})
        said = (await asyncio.wait_for(reader.readuntil(b'"n":4}'), 5)).decode()
        assert re.findall(r'event: (\w+)\ndata: {"n":(\d)', said) == [
            ("library", "2"),
            ("library", "3"),
            ("library", "4"),
        ]
        writer.close()
        for unknown in ("0badf00d-1", last_id.split("-")[0] + "-99999", "x", "-"):
            reader, writer = await heard(house, port, Role.VIEWER, unknown)
            assert await names_until(reader, "gap\ndata: {}") == ["gap"]
            writer.close()
        for n in range(module.KEPT + 1):
            house.live.publish("library", {"many": n})
        reader, writer = await heard(house, port, Role.GUEST, last_id)
        assert await names_until(reader, "gap\ndata: {}") == ["gap"], "too long ago"
        writer.close()


async def test_a_page_that_stands_still_is_dropped(tmp_path: Path) -> None:
    async with entrance(tmp_path) as house, serving(house.app) as port:
        # Held: without its reader asyncio would read on and throw away.
        standing = await heard(house, port, Role.GUEST)
        assert house.live.listeners() == 1
        large = {"text": "x" * 60_000}
        async with asyncio.timeout(20):
            while house.live.listeners():
                house.live.publish("library", large)
                await asyncio.sleep(0.001)
        standing[1].close()


async def test_the_kernel_drops_a_page_that_left_without_a_word(tmp_path: Path) -> None:
    seen = []
    async with entrance(tmp_path) as house:
        inner = house.app.asgi_app

        async def watching(scope: Any, receive: Any, send: Any) -> None:
            seen.append((scope.get("state") or {}).get(listen.SOCKET))
            await inner(scope, receive, send)

        house.app.asgi_app = watching  # type: ignore[method-assign]
        async with serving(house.app) as port:
            _, writer = await heard(house, port, Role.GUEST)
            limit = seen[-1].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert limit == listen.SILENT_PEER * 1000 > 2 * module.HEARTBEAT * 1000
            writer.close()
