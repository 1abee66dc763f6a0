"""Subtitles of any kind as WebVTT, the one that browsers read. Pure (W3C WebVTT; SubRip; SSA/ASS v4+)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

MOST_CUES = 20_000
LONGEST_CUE = 2_000
"""Characters; no screen shows more."""

_TIMING = re.compile(
    r"\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})",
    re.ASCII,
)
_ASS_TIME = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})[.:](\d{1,2})", re.ASCII)
_ASS_COMMANDS = re.compile(r"\{[^}]*\}")
_TAG = re.compile(r"<(/?)([a-zA-Z]+)[^<>]*>")
_KEPT_TAGS = frozenset({"i", "b", "u"})


@dataclass(frozen=True)
class Cue:
    """`start` and `end` in milliseconds; `text` with no markup but <i>, <b>, <u>."""

    start: int
    end: int
    text: str


def decode(data: bytes) -> str:
    """Text in whatever encoding a subtitle came; what cannot be read becomes U+FFFD."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\0" in data[:4]:  # a number or a letter in two bytes, and nobody marked their order
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        if (japanese := _japanese(data)) is not None:
            return japanese
        found = from_bytes(data)
        best = found.best()
        if best is None:
            return data.decode("windows-1252", "replace")
        # Western text is plausible as Central European too, and comes first in the alphabet of encodings.
        for one in found:
            if one.encoding == "cp1252" and one.chaos <= best.chaos and one.coherence >= best.coherence:
                return str(one)
        return str(best)


def _japanese(data: bytes) -> str | None:
    """Text of Shift-JIS or EUC-JP, known by its kana; short ones are guessed to be Korean otherwise."""
    for encoding in ("cp932", "euc_jp"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        beyond = sum(c > "\x7f" for c in text)
        kana = sum("\u3041" <= c <= "\u30fa" for c in text)
        if kana and kana * 5 >= beyond:
            return text
    return None


def from_text(extension: str, text: str) -> str:
    """A WebVTT file from the text of an `srt`, `vtt`, `ass` or `ssa`."""
    cues = _ass_cues(text) if extension in ("ass", "ssa") else _timed_cues(text)
    return write(cues)


def write(cues: Iterable[Cue]) -> str:
    """A WebVTT file; cues in the order of their begin, empty ones left out."""
    ordered = sorted((cue for cue in cues if cue.text and cue.end > cue.start), key=lambda cue: cue.start)
    shown = (f"{_time(cue.start)} --> {_time(cue.end)}\n{cue.text}\n" for cue in ordered[:MOST_CUES])
    return "\n".join(["WEBVTT\n", *shown])


def _timed_cues(text: str) -> Iterable[Cue]:
    """SubRip and WebVTT: a line of times, and text up to an empty line."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        match = _TIMING.match(lines[at])
        at += 1
        if not match:
            continue
        words: list[str] = []
        while at < len(lines) and lines[at].strip():
            if _TIMING.match(lines[at]):
                words = words[:-1]  # no empty line between: what came last was the next cue's number
                break
            words.append(lines[at])
            at += 1
        numbers = [int(group or 0) for group in match.groups()]
        yield Cue(
            _ms(*numbers[:4], digits=match[4]), _ms(*numbers[4:], digits=match[8]), _clean("\n".join(words))
        )


def _ass_cues(text: str) -> Iterable[Cue]:
    """`Dialogue:` lines of `[Events]`, by the columns that its `Format:` line names."""
    columns: list[str] = []
    for line in text.splitlines():
        kind, _, rest = line.partition(":")
        kind = kind.strip().lower()
        if kind == "format":
            columns = [name.strip().lower() for name in rest.split(",")]
        elif kind == "dialogue" and columns and columns[-1] == "text":
            values = dict(zip(columns, rest.split(",", len(columns) - 1), strict=False))
            start, end = (_ASS_TIME.search(values.get(name, "")) for name in ("start", "end"))
            words = values.get("text", "")
            if not start or not end or re.search(r"\\p[1-9]", words):
                continue  # \p draws shapes: its text is coordinates
            words = _ASS_COMMANDS.sub("", words).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
            yield Cue(_ass_ms(start), _ass_ms(end), _clean(words))


def _clean(words: str) -> str:
    """Text that is safe in a cue: known tags in pairs, all else escaped, no empty line within."""
    words = "".join(c if c.isprintable() or c == "\n" else " " for c in _ASS_COMMANDS.sub("", words))
    open_tags: list[str] = []
    parts, at = [], 0
    for match in _TAG.finditer(words):
        parts.append(html.escape(html.unescape(words[at : match.start()]), quote=False))
        at, tag = match.end(), match[2].lower()
        if tag in _KEPT_TAGS and not match[1]:
            open_tags.append(tag)
            parts.append(f"<{tag}>")
        elif match[1] and open_tags and open_tags[-1] == tag:
            parts.append(f"</{open_tags.pop()}>")
    parts.append(html.escape(html.unescape(words[at:]), quote=False))
    parts += [f"</{tag}>" for tag in reversed(open_tags)]
    lines = (line.strip() for line in "".join(parts).split("\n"))
    return "\n".join(filter(None, lines)) if len(words) <= LONGEST_CUE else ""


def _ms(hours: int, minutes: int, seconds: int, fraction: int, *, digits: str) -> int:
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction * int(10 ** (3 - len(digits)))


def _ass_ms(match: re.Match[str]) -> int:
    hours, minutes, seconds = (int(match[n]) for n in (1, 2, 3))
    return _ms(hours, minutes, seconds, int(match[4]), digits=match[4])


def _time(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
