"""Kept answers: the same call gets the same bytes as long as nothing that they depend on has changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlna.answers import Answers


def test_an_answer_holds_while_its_version_is_the_same() -> None:
    answers = Answers(1000)
    answers.put("call", 1, b"one")
    assert answers.get("call", 1) == b"one"
    assert answers.get("call", 2) is None
    assert answers.get("call", 1) is None  # an old version does not come back


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 40)), max_size=60))
def test_it_never_keeps_more_than_it_may_and_never_gives_another_answer(
    steps: list[tuple[int, int, int]],
) -> None:
    answers, given_last = Answers(100), dict[int, tuple[int, bytes]]()
    for call, version, size in steps:
        answers.put(call, version, bytes(size))
        given_last[call] = (version, bytes(size))
        assert answers._size == sum(len(answer) for _, answer in answers._kept.values()) <= 100
    for call, (version, answer) in given_last.items():
        assert answers.get(call, version) in (None, answer)
