"""Live events: to whom, how many, until when."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from appliance.accounts.caller import Role
from appliance.errors import TooMany
from appliance.web import live as module
from appliance.web.access import EVENTS
from appliance.web.live import Live

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
    assert message.count("\n") == 3
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
