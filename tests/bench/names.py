"""Names such as a household's files have, as many as are wanted; the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

_STARTS = "b c d f g h j k l m n p r s t v w st tr br ch sh th pl gr".split()
_VOWELS = "a e i o u ai ea ou y".split()
_ENDS = ["", "n", "r", "s", "l", "t", "m", "nd", "st", "ck", "ng", "x"]


def invented_words(count: int, draw: random.Random) -> list[str]:
    """Words of one to four syllables, all different."""
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = draw.choice([1, 2, 2, 2, 3, 3, 4])
        parts = (_STARTS, _VOWELS, _ENDS) * syllables
        found["".join(draw.choice(part) for part in parts)] = None
    return list(found)


def paths(count: int, seed: int = 1, vocabulary: int = 7_500) -> list[str]:
    """Root-relative: 60 % songs, 20 % photos, 10 % episodes, 6 % films, 4 % papers."""
    draw = random.Random(seed)
    words = invented_words(vocabulary, draw)
    weights = list(accumulate(1 / (place + 10) for place in range(len(words))))

    def some(low: int, high: int) -> str:
        return " ".join(draw.choices(words, cum_weights=weights, k=draw.randint(low, high))).title()

    def songs() -> Iterator[str]:
        artist = some(2, 2)
        for _ in range(draw.randint(1, 4)):
            album = some(1, 3)
            for track in range(draw.randint(8, 14)):
                yield f"Music/{artist}/{album}/{track + 1:02} - {some(1, 4)}.mp3"

    def photos() -> Iterator[str]:
        folder, first = f"{draw.randint(2005, 2026)}/{some(1, 2)}", draw.randint(0, 99_000)
        for number in range(draw.randint(20, 200)):
            yield f"Photos/{folder}/IMG_{first + number:05}.jpg"

    def episodes() -> Iterator[str]:
        series = some(1, 3)
        for season in range(draw.randint(1, 5)):
            for episode in range(draw.randint(8, 24)):
                about = f"S{season + 1:02}E{episode + 1:02} - {some(1, 4)}"
                yield f"Series/{series}/Season {season + 1}/{series} - {about}.mkv"

    def films() -> Iterator[str]:
        yield f"Films/{some(1, 5)} ({draw.randint(1950, 2026)}).mp4"

    def papers() -> Iterator[str]:
        yield f"Papers/{some(1, 1)}/{some(1, 4)} {draw.randint(1, 999)}.pdf"

    found: dict[str, None] = {}
    for share, kind in ((0.6, songs), (0.8, photos), (0.9, episodes), (0.96, films), (1.0, papers)):
        while len(found) < count * share:
            found |= dict.fromkeys(kind())
    return list(found)[:count]
