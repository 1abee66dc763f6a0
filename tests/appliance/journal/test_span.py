"""Spans: contiguous requests of one player are one, and none of their bytes is lost or counted twice."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.caller import Caller, Role, Via
from appliance.journal.span import CHECKPOINT, IDLE, OVERLAP, SpanBook
from appliance.units import MIB

PHONE = Caller("u1", "mira", Role.VIEWER, Via.COOKIE, device="d1", address="10.77.0.30", user_agent="Phone")
TV = Caller(None, "TV", Role.GUEST, Via.TV, device="tv-02:77:00:00:00:14", address="10.77.0.20")


class Clock:
    ms = 1_763_800_000_000

    def __call__(self) -> int:
        return self.ms


def test_contiguous_ranges_are_one_span() -> None:
    clock = Clock()
    book = SpanBook(clock)
    for first in (0, 4 * MIB, 8 * MIB):
        piece = book.open(PHONE, "f1", 100 * MIB, first, "web")
        piece.sent(4 * MIB)
        piece.close()
        clock.ms += 1_000
    (entry,) = book.due(final=True)
    assert (entry.payload["firstByte"], entry.payload["bytes"]) == (0, 12 * MIB)
    assert entry.payload["closed"] is True
    assert entry.user_id == "u1"


def test_a_jump_begins_another() -> None:
    book = SpanBook(Clock())
    for first in (0, 50 * MIB):
        piece = book.open(PHONE, "f1", 100 * MIB, first, "web")
        piece.sent(MIB)
        piece.close()
    assert sorted(e.payload["firstByte"] for e in book.due(final=True)) == [0, 50 * MIB]


def test_two_players_do_not_share() -> None:
    book = SpanBook(Clock())
    for who in (PHONE, TV):
        book.open(who, "f1", 100 * MIB, 0, "web").sent(MIB)
    assert len(book.due(final=True)) == 2


def test_a_growing_span_keeps_its_id_and_counts_versions() -> None:
    clock = Clock()
    book = SpanBook(clock)
    piece = book.open(TV, "f1", 1_000 * MIB, 0, "tv")
    piece.sent(MIB)
    (first,) = book.due()
    assert book.due() == []
    piece.sent(MIB)
    assert book.due() == [], "grown, but not for long enough"
    clock.ms += CHECKPOINT * 1000
    (second,) = book.due()
    piece.close()
    clock.ms += IDLE * 1000
    (last,) = book.due()
    assert first.event_id == second.event_id == last.event_id
    assert (first.version, second.version, last.version) == (1, 2, 3)
    assert last.payload["closed"] is True
    assert book.due(final=True) == []


def test_nothing_sent_is_nothing_written() -> None:
    book = SpanBook(Clock())
    book.open(TV, "f1", 1, 0, "tv").close()
    assert book.due(final=True) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=30))
def test_every_byte_sent_lies_in_a_span(requests: list[tuple[int, int]]) -> None:
    book = SpanBook(Clock())
    for start, count in requests:
        piece = book.open(PHONE, "f1", 1_000 * MIB, start * OVERLAP, "web")
        piece.sent(count * OVERLAP)
        piece.close()
    spans = [
        (e.payload["firstByte"], e.payload["firstByte"] + e.payload["bytes"]) for e in book.due(final=True)
    ]
    for start, count in requests:
        assert any(a <= start * OVERLAP and (start + count) * OVERLAP <= b for a, b in spans)
