"""Inputs that are nearly right: known ones, bent a little, from one seed the same each time."""

from __future__ import annotations

import random
from collections.abc import Sequence

_PIECES = (
    "0",
    "-1",
    "9" * 20,
    ",",
    "=",
    "-",
    " ",
    "\t",
    '"',
    "W/",
    ";",
    "%00",
    "\x7f",
    "ÿ",
    "٣",
    "😀",
    "bytes",
    "A" * 300,
)


def bent(dice: random.Random, seeds: Sequence[str]) -> str:
    """One of the seeds with up to four changes; a tenth of them as they are."""
    text = dice.choice(seeds)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 4, 4, 4))):
        at = dice.randint(0, len(text))
        kind = dice.randrange(5)
        if kind == 0:
            text = text[:at] + dice.choice(_PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + dice.randint(1, 4) :]
        elif kind == 2:
            text = text[:at] + chr(dice.randrange(32, 0x250)) + text[at + 1 :]
        elif kind == 3:
            text = text[:at] + dice.choice(seeds)[dice.randint(0, 9) :]
        else:
            text = text + text[at:]
    return text[:2000]
