"""The journal on its store, and the feed to a daemon that is there, away, or was restored."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Caller, Role, Via
from appliance.database import Database
from appliance.errors import Invalid, Unavailable
from appliance.journal import store
from appliance.journal.entry import Action, Entry, feed_event, uuid7
from appliance.journal.feed import Feed
from appliance.journal.journal import Journal
from appliance.journal.routes import read_pings
from appliance.settings import Secret
from appliance.units import MIB
from tests.fakes.daemon import FakeDaemon

GOLDEN = json.loads((Path(__file__).parents[2] / "fixtures/feed/ingest-request.json").read_text())
PHONE = Caller(
    "u1", "mira", Role.VIEWER, Via.COOKIE, device="d1", address="10.77.0.30", user_agent="Phone " * 99
)


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    found = Journal(database)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def daemon() -> AsyncIterator[FakeDaemon]:
    found = FakeDaemon("secret-of-the-feed")
    await found.start()
    yield found
    await found.stop()


async def until(condition: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def feed_to(daemon: FakeDaemon, database: Database, journal: Journal) -> Feed:
    return Feed(database, journal, daemon.url, Secret(daemon.token))


async def rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list(await store.after(connection, 0, 10_000))


async def test_ids_sort_by_time() -> None:
    ids = []
    for _ in range(3):
        ids.append(uuid7())
        await asyncio.sleep(0.002)
    assert ids == sorted(ids)
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i) for i in ids
    )


async def test_a_write_cut_off_after_its_commit_is_done_again(database: Database) -> None:
    class CutOff(Database):
        @asynccontextmanager
        async def write(self) -> AsyncIterator[AsyncConnection]:
            async with database.write() as connection:
                yield connection
            if (await rows(database)) and not cut:
                cut.append(True)
                raise OSError("the connection went while it answered")

    cut: list[bool] = []
    journal = Journal(CutOff.__new__(CutOff))
    await journal.start()
    await journal.note(Entry(Action.SEARCH, user_id="u1", payload={"query": "liebling"}))
    await until(lambda: cut)
    await journal.stop()
    (row,) = await rows(database)
    assert (row.seq, row.payload) == (2, {"query": "liebling"})


async def test_what_is_kept_is_on_the_disk_when_that_is_said(database: Database, journal: Journal) -> None:
    for number in range(1, 4):
        await journal.keep(
            [Entry(Action.PING, "u1", "d1", f"f{number}"), Entry(Action.PING, "u1", "d1", "f")]
        )
        assert len(await rows(database)) == 2 * number
    await asyncio.gather(*(journal.keep([Entry(Action.PING, "u1", file_id="f")]) for _ in range(500)))
    assert len(await rows(database)) == 506


async def test_what_cannot_be_kept_now_is_said_and_kept_later(database: Database) -> None:
    class Full(Database):
        @asynccontextmanager
        async def write(self) -> AsyncIterator[AsyncConnection]:
            if full:
                raise OSError("no space left on device")
            async with database.write() as connection:
                yield connection

    full: list[bool] = []
    journal = Journal(Full.__new__(Full))
    await journal.start()
    full.append(True)
    with pytest.raises(Unavailable):
        await journal.keep([Entry(Action.PING, "u1", "d1", "f1")])
    full.clear()
    await journal.keep([Entry(Action.PING, "u1", "d1", "f2")])
    await journal.stop()
    assert [row.file_id for row in await rows(database)] == ["f1", "f2"]


async def test_add_rolls_back_with_its_transaction(database: Database, journal: Journal) -> None:
    with pytest.raises(RuntimeError):
        async with database.write() as connection:
            await journal.add(connection, Entry(Action.UPLOAD, user_id="u1", file_id="f1"))
            raise RuntimeError("power cut")
    async with database.write() as connection:
        await journal.add(connection, Entry(Action.UPLOAD, user_id="u1", file_id="f2"))
    (row,) = await rows(database)
    assert (row.seq, row.file_id) == (1, "f2")


async def test_golden_events_have_the_shape_we_send(database: Database, journal: Journal) -> None:
    """Every golden event, written to the log and read back as an event, is itself again but for its seq."""
    from datetime import datetime

    for golden in GOLDEN["events"]:
        action = Action.STREAM if golden["type"] == "span" else Action(golden["type"].upper())
        entry = Entry(
            action,
            user_id=golden.get("userId"),
            device=golden.get("device"),
            file_id=golden.get("fileId"),
            payload=golden["payload"],
            at=round(datetime.fromisoformat(golden["at"]).timestamp() * 1000),
            event_id=golden["eventId"],
            version=golden["version"],
        )
        async with database.write() as connection:
            await journal.add(connection, entry)
    assert [feed_event(row) for row in await rows(database)] == GOLDEN["events"]


async def test_the_daemon_reads_what_was_and_what_comes(
    database: Database, journal: Journal, daemon: FakeDaemon
) -> None:
    async with database.write() as connection:
        await journal.add(
            connection, *(Entry(Action.VIEW, user_id="u1", file_id=f"f{n}") for n in range(1200))
        )
    feed = feed_to(daemon, database, journal)
    await feed.start()
    await until(lambda: len(daemon.events) == 1200)
    assert max(len(batch["events"]) for batch in daemon.batches) == 500
    await journal.note(Entry(Action.SEARCH, user_id="u1", payload={"query": "uphill", "results": 1}))
    await until(lambda: len(daemon.events) == 1201)
    await feed.stop()


async def test_a_span_is_sent_again_as_it_grows(
    database: Database, journal: Journal, daemon: FakeDaemon
) -> None:
    feed = feed_to(daemon, database, journal)
    await feed.start()
    sending = journal.span(PHONE, "f1", 100 * MIB, 0, "web")
    sending.sent(MIB)
    await until(lambda: len(daemon.events) == 1)
    sending.sent(MIB)
    sending.close()
    await journal.stop()
    await until(lambda: next(iter(daemon.events.values()))["version"] == 2)
    (event,) = daemon.events.values()
    assert (event["type"], event["payload"]["bytes"], event["payload"]["closed"]) == ("span", 2 * MIB, True)
    assert len(await rows(database)) == 1, "one row a span"
    await feed.stop()


async def test_a_stop_in_the_middle_of_a_write_loses_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, append = asyncio.Event(), store.append

    async def broken_off(*args: Any) -> None:
        await append(*args)
        monkeypatch.setattr(store, "append", append)
        writing.set()
        await asyncio.Event().wait()

    journal = Journal(database)
    await journal.start()
    monkeypatch.setattr(store, "append", broken_off)
    await journal.note(Entry(Action.VIEW, "u1", "d1", "f1"))
    await asyncio.wait_for(writing.wait(), 10)
    await asyncio.wait_for(journal.stop(), 10)
    assert [row.file_id for row in await rows(database)] == ["f1"]


async def test_a_daemon_that_was_away_gets_all(
    database: Database, journal: Journal, daemon: FakeDaemon
) -> None:
    daemon.refuse_with = 503
    feed = feed_to(daemon, database, journal)
    await feed.start()
    async with database.write() as connection:
        await journal.add(connection, Entry(Action.UPLOAD, user_id="u1", file_id="f1"))
    await asyncio.sleep(0.3)
    assert not daemon.events
    assert not feed.reached
    assert feed.away > 0.2
    daemon.refuse_with = None
    await until(lambda: len(daemon.events) == 1)
    await until(lambda: feed.away == 0)
    await feed.stop()


async def test_a_restored_log_starts_a_new_epoch(
    database: Database, journal: Journal, daemon: FakeDaemon
) -> None:
    async with database.write() as connection:
        await journal.add(connection, Entry(Action.UPLOAD, file_id="f1"))
        await store.renew_epoch(connection)
    feed = feed_to(daemon, database, journal)
    daemon.cursors["an-older-epoch"] = 99
    await feed.start()
    await until(lambda: len(daemon.events) == 1)
    await feed.stop()


async def test_who_is_not_recorded_leaves_nothing(database: Database) -> None:
    async def recorded(user_id: str) -> bool:
        return user_id != "u-private"

    journal = Journal(database, recorded)
    await journal.start()
    await journal.note(Entry(Action.VIEW, user_id="u-private", file_id="f1"))
    await journal.note(Entry(Action.VIEW, user_id="u1", file_id="f1"))
    await journal.stop()
    assert [row.user_id for row in await rows(database)] == ["u1"]


async def test_old_rows_go_only_when_read(database: Database, journal: Journal) -> None:
    async with database.write() as connection:
        await journal.add(connection, *(Entry(Action.VIEW, file_id=f"f{n}", at=1_000) for n in range(4)))
        assert await store.forget(connection, before_ms=2_000, through_seq=3) == 3
        await journal.add(connection, Entry(Action.VIEW, file_id="f9"))
    assert [row.seq for row in await rows(database)] == [4, 5]


async def test_positions_and_favourites(journal: Journal) -> None:
    await journal.set_position("u1", "f1", 61.5)
    await journal.set_position("u1", "f1", 62.0)
    assert await journal.position("u1", "f1") == 62.0
    assert await journal.position("u2", "f1") is None
    await journal.set_favourite("u1", "f2", True)
    await journal.set_favourite("u1", "f2", True)
    assert await journal.favourites("u1") == ["f2"]
    await journal.set_favourite("u1", "f2", False)
    assert await journal.favourites("u1") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "events"),
        ({"events": "all"}, "events"),
        ({"events": [{"fileId": "", "type": "playing", "position": 1}]}, r"events\[0\].fileId"),
        ({"events": [{"fileId": "f1", "type": "dancing", "position": 1}]}, r"events\[0\].type"),
        ({"events": [{"fileId": "f1", "type": "playing", "position": -1}]}, r"events\[0\].position"),
        ({"events": [{"fileId": "f1", "type": "playing", "position": 1, "rate": True}]}, r"events\[0\].rate"),
        ({"events": [{"fileId": "f1", "type": "playing", "position": 1, "at": "noon"}]}, r"events\[0\].at"),
    ],
)
def test_a_bad_ping_names_its_field(body: object, field: str) -> None:
    with pytest.raises(Invalid, match=field):
        read_pings(body, PHONE)


async def test_days_without_the_daemon_cost_nothing(
    database: Database, journal: Journal, daemon: FakeDaemon
) -> None:
    """A backlog that is older than the retention waits, arrives whole and in order, and only then goes."""
    old, count = 1_000_000, 12_000
    for first in range(0, count, 3_000):
        async with database.write() as connection:
            await journal.add(
                connection,
                *(Entry(Action.VIEW, "u1", "d1", f"f{n}", at=old + n) for n in range(first, first + 3_000)),
            )
    daemon.refuse_with = 503
    feed = feed_to(daemon, database, journal)
    await feed.start()
    await until(lambda: not feed.reached)
    assert await journal.forget_old(feed.through) == 0, "nobody has read it"
    journal._forgot_at = -(10**9)
    await journal.note(Entry(Action.VIEW, "u1", "d1", "new"))
    daemon.refuse_with = None
    await until(lambda: len(daemon.events) == count + 1, 60)
    sent = [event["seq"] for batch in daemon.batches for event in batch["events"]]
    assert sent == sorted(sent)
    assert sent[0] == 1
    await until(lambda: feed.reached)
    await feed.stop()
    assert [row.file_id for row in await rows(database)] == ["new"]


async def test_without_a_daemon_old_rows_go_by_themselves(database: Database) -> None:
    journal = Journal(database, is_read=False, keep_days=7)
    async with database.write() as connection:
        await journal.add(connection, Entry(Action.VIEW, "u1", file_id="old", at=1_000))
        await journal.add(connection, Entry(Action.VIEW, "u1", file_id="new"))
    await journal.start()
    async with asyncio.timeout(10):
        while len(await rows(database)) > 1:
            await asyncio.sleep(0.05)
    await journal.stop()
    assert [row.file_id for row in await rows(database)] == ["new"]
