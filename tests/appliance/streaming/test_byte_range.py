"""Byte ranges against RFC 9110, by example and by property."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.streaming.byte_range import MOST_RANGES, Part, Parts, Unsatisfiable, Whole, resolve

ETAG = '"5-17a"'
MODIFIED = 1_764_000_000


def ask(header: str | None, size: int = 1000, if_range: str | None = None) -> Whole | Parts | Unsatisfiable:
    return resolve(header, if_range, size, ETAG, MODIFIED)


def one(first: int, last: int) -> Parts:
    return Parts((Part(first, last),))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Whole()),
        ("bytes=0-499", one(0, 499)),
        ("bytes=500-999", one(500, 999)),
        ("bytes=-500", one(500, 999)),  # suffix
        ("bytes=9500-", Unsatisfiable(1000)),
        ("bytes=500-", one(500, 999)),  # open
        ("bytes=0-0,-1", Parts((Part(0, 0), Part(999, 999)))),
        ("bytes=0-1", one(0, 1)),  # Safari's probe
        ("bytes=990-5000", one(990, 999)),  # over-long
        ("bytes=-5000", one(0, 999)),
        ("bytes=-0", Unsatisfiable(1000)),
        ("bytes=1000-", Unsatisfiable(1000)),
        ("bytes=1000-2000,-0", Unsatisfiable(1000)),
        ("bytes=1000-2000,5-6", one(5, 6)),  # what lies behind the end is dropped
        ("bytes=500-600,601-999", one(500, 999)),  # touching
        ("bytes=900-950,0-10", Parts((Part(900, 950), Part(0, 10)))),  # the order asked for
        ("BYTES=0-9", one(0, 9)),  # §14.1: range units are case-insensitive
        ("bytes= 0-9 , ,20-29", Parts((Part(0, 9), Part(20, 29)))),
        ("seconds=0-9", Whole()),
        ("npt=0.0-", Whole()),
        ("bytes=9-0", Whole()),
        ("bytes=", Whole()),
        ("bytes=-", Whole()),
        ("bytes=a-b", Whole()),
        ("bytes=0-9;q=1", Whole()),
        ("bytes=0--9", Whole()),
        ("bytes 0-9", Whole()),
        ("bytes=٣-٤", Whole()),
        ("bytes=0-" + "9" * 4000, Whole()),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 2 * MOST_RANGES + 2, 2)), Whole()),
    ],
)
def test_examples(header: str | None, expected: Whole | Parts | Unsatisfiable) -> None:
    assert ask(header) == expected


def test_empty_file_has_no_bytes_to_ask_for() -> None:
    assert ask("bytes=0-", size=0) == Unsatisfiable(0)
    assert ask("bytes=0-", size=0).content_range == "bytes */0"  # type: ignore[union-attr]
    assert ask("bytes=-5", size=0) == Whole()


@pytest.mark.parametrize(
    ("if_range", "counts"),
    [
        (ETAG, True),
        ('"other"', False),
        ("W/" + ETAG, False),  # weak tags never match strongly
        (formatdate(MODIFIED, usegmt=True), True),
        (formatdate(MODIFIED + 1, usegmt=True), False),
        (formatdate(MODIFIED - 1, usegmt=True), False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_if_range_decides_whether_the_range_counts(if_range: str, counts: bool) -> None:
    assert ask("bytes=0-9", if_range=if_range) == (one(0, 9) if counts else Whole())


def test_if_range_without_range_means_nothing() -> None:
    assert ask(None, if_range='"other"') == Whole()


def test_if_range_saves_from_416_too() -> None:
    assert ask("bytes=5000-", if_range='"other"') == Whole()


sizes = st.integers(min_value=0, max_value=300)
specs = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted).map(lambda p: f"{p[0]}-{p[1]}"),
        st.integers(0, 400).map(lambda first: f"{first}-"),
        st.integers(0, 400).map(lambda suffix: f"-{suffix}"),
    ),
    min_size=1,
    max_size=MOST_RANGES,
)


def named(spec: str, size: int) -> set[int]:
    """The positions that one range names, spelt out as slowly as the standard reads."""
    first, last = spec.split("-")
    if not first:
        return set(range(size)[-int(last) :]) if int(last) else set()
    return {n for n in range(int(first), int(last) + 1 if last else size) if n < size}


@given(specs, sizes)
def test_exactly_the_named_bytes_are_sent_each_once(ranges: list[str], size: int) -> None:
    wanted = set().union(*(named(spec, size) for spec in ranges))
    got = ask("bytes=" + ",".join(ranges), size)
    if not wanted:
        assert got == Unsatisfiable(size) or (size == 0 and got == Whole())
        return
    assert isinstance(got, Parts)
    sent = [n for part in got.parts for n in range(part.first, part.last + 1)]
    assert set(sent) == wanted
    for part in got.parts:
        assert part.length > 0
        assert part.last < size
        assert part.content_range(size) == f"bytes {part.first}-{part.last}/{size}"
    if len(got.parts) < len(ranges):
        assert len(sent) == len(wanted) or len(got.parts) == len(ranges)


@given(st.text(max_size=60), st.one_of(st.none(), st.text(max_size=40)), sizes)
def test_no_header_whatever_raises(header: str, if_range: str | None, size: int) -> None:
    ask(header, size, if_range)
    ask("bytes=" + header, size, if_range)
