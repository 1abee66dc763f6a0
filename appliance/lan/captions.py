"""WebVTT as the two other kinds of captions that TVs know. Pure; the input is our own writer's."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

MOST = 4
"""Tracks of a film that are told of."""
_CUE = re.compile(r"(?P<start>[\d:.]+) --> (?P<end>[\d:.]+)[^\n]*\n(?P<words>.*?)(?:\n\n|\Z)", re.DOTALL)


def numbers(names: Sequence[bytes], video: bytes) -> list[int]:
    """Of the files of subtitles beside a video, which to tell of, in this order: what is called just as the
    video is first (`film.srt` before `film.de.srt`), since many TVs take only one. Raw names."""
    stem = video.rpartition(b".")[0].lower()
    order = sorted(range(len(names)), key=lambda n: names[n].rpartition(b".")[0].lower() != stem)
    return order[:MOST]


def cues(vtt: str) -> list[tuple[int, int, str]]:
    """(start, end, words) of each cue; times in ms, words without markup."""
    return [
        (_ms(m["start"]), _ms(m["end"]), html.unescape(re.sub(r"<[^<>]*>", "", m["words"])).strip())
        for m in _CUE.finditer(vtt.replace("\r\n", "\n"))
    ]


def as_srt(vtt: str) -> str:
    """SubRip. A byte order mark first: Samsung TVs take UTF-8 for Latin without it."""
    parts = [f"{n}\n{_time(a)} --> {_time(b)}\n{words}\n" for n, (a, b, words) in enumerate(cues(vtt), 1)]
    return "\ufeff" + "\n".join(parts)


def as_smi(vtt: str) -> str:
    """SAMI, which older Samsung TVs ask for."""
    parts = ["<SAMI><HEAD><STYLE><!--P{}.L{Name:Subtitles;}--></STYLE></HEAD><BODY>"]
    for start, end, words in cues(vtt):
        text = html.escape(words, quote=False).replace("\n", "<br>")
        parts.append(f"<SYNC Start={start}><P Class=L>{text}")
        parts.append(f"<SYNC Start={end}><P Class=L>&nbsp;")
    return "\n".join([*parts, "</BODY></SAMI>"])


def _ms(time: str) -> int:
    """`01:02:03.456` or `02:03.456`."""
    total = 0.0
    for part in time.split(":"):
        total = total * 60 + float(part or 0)
    return round(total * 1000)


def _time(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"
