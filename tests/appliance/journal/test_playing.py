"""Who plays what where, now."""

from __future__ import annotations

from typing import Any

from appliance.accounts.caller import Caller, Role, Via
from appliance.journal.entry import Action, Entry
from appliance.journal.playing import FRESH, SILENT, PlayingBook
from appliance.journal.span import SpanBook
from appliance.units import MIB

PHONE = Caller("u1", "mira", Role.VIEWER, Via.COOKIE, "s1", "d1", "10.77.0.30", "Phone")
TV = Caller(None, "TV", Role.GUEST, Via.TV, device="tv-1", address="10.77.0.20")
PLAYER = Caller("u1", "mira", Role.VIEWER, Via.CAST, "s1", "player-9", "10.77.0.40")


class Clock:
    ms = 1_763_800_000_000

    def __call__(self) -> int:
        return self.ms


def books() -> tuple[Clock, SpanBook, PlayingBook]:
    clock = Clock()
    spans = SpanBook(clock)
    return clock, spans, PlayingBook(clock, spans.spans)


def ping(state: str, action: Action = Action.PING, **payload: Any) -> Entry:
    told = {"state": state, "position": 12.5, "rate": 1.0, **payload}
    return Entry(action, "u1", "d1", "film", ip="10.77.0.30", payload=told)


def test_a_page_that_tells_and_its_bytes_are_one() -> None:
    clock, spans, book = books()
    body = spans.open(PHONE, "film", 100 * MIB, 0, "web")
    body.sent(MIB)
    (only,) = book.items()
    assert (only.state, only.position, only.bytes) == ("streaming", None, MIB)
    book.hear(ping("playing"))
    (one,) = book.items()
    assert (one.state, one.position, one.bytes, one.source) == ("playing", 12.5, MIB, "web")
    book.hear(ping("paused"))
    assert [one.state for one in book.items()] == ["paused"]
    body.close()
    clock.ms += (SILENT + 1) * 1000
    assert [one.state for one in book.items()] == ["paused"], "paused, and nothing leaves"
    clock.ms += FRESH * 1000
    assert book.items() == (), "nothing was heard of it for long"


def test_ended_ends_at_once() -> None:
    for state in ("ended", "hidden"):
        _, _, book = books()
        book.hear(ping("playing"))
        book.hear(ping(state))
        assert book.items() == ()


def test_a_tv_plays_while_bytes_leave() -> None:
    clock, spans, book = books()
    body = spans.open(TV, "film", 100 * MIB, 0, "tv")
    clock.ms += 60_000
    assert [one.device for one in book.items()] == ["tv-1"], "an answer stands open, however slowly it goes"
    body.sent(MIB)
    body.close()
    clock.ms += SILENT * 1000
    assert [(one.source, one.state) for one in book.items()] == [("tv", "streaming")]
    clock.ms += 1
    assert book.items() == ()


def test_what_was_cast_is_one_with_what_the_player_fetches() -> None:
    _, spans, book = books()
    book.hear(ping("playing", Action.CAST_POSITION, player="Living room"))
    spans.open(PLAYER, "film", 100 * MIB, 0, "cast").sent(MIB)
    (one,) = book.items()
    assert (one.player, one.source, one.state, one.bytes) == ("Living room", "cast", "playing", MIB)


def test_it_says_when_something_changed() -> None:
    _, _, book = books()
    assert not book.changed()
    book.hear(ping("playing"))
    assert book.changed()
    book.hear(ping("playing"))
    assert not book.changed(), "the position alone is no news"
    book.hear(ping("paused"))
    assert book.changed()
    book.hear(ping("ended"))
    assert book.changed()
