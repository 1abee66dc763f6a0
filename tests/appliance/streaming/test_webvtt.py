"""Subtitles in the wild, as WebVTT."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.streaming.webvtt import decode, from_text

SRT = """1\r
00:00:01,500 --> 00:00:04,000 X1:40 X2:600\r
<i>Hello</i> <font color="red">world</font> & all\r
{\\an8}second line\r
\r
2\r
0:01:00,5 --> 00:01:02,250\r
5 < 6 --> really\r
"""


def test_srt() -> None:
    assert from_text("srt", SRT) == (
        "WEBVTT\n\n"
        "00:00:01.500 --> 00:00:04.000\n<i>Hello</i> world &amp; all\nsecond line\n\n"
        "00:01:00.500 --> 00:01:02.250\n5 &lt; 6 --&gt; really\n"
    )


def test_srt_without_empty_lines() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n"
    assert from_text("srt", text).count("-->") == 2
    assert "\n2\n" not in from_text("srt", text)


def test_vtt_keeps_cues_and_drops_styles() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue { background: url(x) }\n\n"
        "name\n01:02.000 --> 01:03.000 align:left\n<v Mira>Hi</v>\n"
    )
    assert from_text("vtt", text) == "WEBVTT\n\n00:01:02.000 --> 00:01:03.000\nHi\n"


def test_ass() -> None:
    text = (
        "[Script Info]\nTitle: x\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:05.10,0:00:06.00,Default,,0,0,0,,Later\n"
        "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown\n"
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}One, two{\\i0}\\Nthree\\hfour\n"
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\p1}m 0 0 l 100 100{\\p0}\n"
    )
    assert from_text("ass", text) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nOne, two\nthree four\n\n"
        "00:00:05.100 --> 00:00:06.000\nLater\n"
    )


RUSSIAN = "Привет, как у тебя дела сегодня? Мы давно не виделись, расскажи мне всё по порядку.\n" * 5
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy, a pak se všichni vrátili domů na večeři.\n" * 5
FRENCH = "Où étiez-vous hier soir ? Nous avons dîné près du théâtre, c'était très agréable.\n" * 5
JAPANESE = "こんにちは。昨日の夜はどこに行っていたのですか。とても心配していました。\n" * 5


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "cp1251"),
        (CZECH, "cp1250"),
        (FRENCH, "cp1252"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "utf-16-be"),
    ],
)
def test_encodings(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert decode(data) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text(data: bytes) -> None:
    assert isinstance(decode(data), str)


cues = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 10**5), st.text(max_size=60)), max_size=5)


@given(cues, st.sampled_from(["srt", "vtt", "ass"]))
def test_whatever_it_says_the_file_is_well_formed(made: list[tuple[int, int, str]], kind: str) -> None:
    def stamp(ms: int) -> str:
        return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    if kind == "ass":
        text = "Format: Start, End, Text\n" + "".join(
            f"Dialogue: {stamp(s)[1:-1].replace(',', '.')},{stamp(s + n)[1:-1].replace(',', '.')},{words}\n"
            for s, n, words in made
        )
    else:
        text = "".join(f"{stamp(s)} --> {stamp(s + n)}\n{words}\n\n" for s, n, words in made)
    blocks = from_text(kind, text).rstrip("\n").split("\n\n")
    assert blocks[0].strip() == "WEBVTT"
    last = ""
    for block in blocks[1:]:
        timing, *words = block.split("\n")
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}", timing)
        assert timing >= last
        last = timing[:12]
        assert words
        assert "-->" not in "".join(words)
        assert not re.search(r"<(?!/?[ibu]>)", "".join(words))
