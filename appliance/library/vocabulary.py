"""What the words of a search may mean in this library: words that hold them, or the nearest ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.library.names import fold
from appliance.library.tables import words
from appliance.units import SECONDS

MOST_TERMS = 8
"""Words of a query that count."""
NEAREST = 6
"""Corrections that are tried for a word."""
FEW = {3: 2, 4: 24}
"""Words to look up one by one, by the length of the part that they hold; when more hold it, it is looked up
by its trigrams, of which a short part has few."""
MANY = 64
"""The same for longer parts, and for short ones beside other terms."""
ANOTHER_LOOK = 1 * SECONDS
SHORT = 2
"""Characters of a term that has no trigram: when many words hold it, only their beginnings count."""


@dataclass(frozen=True)
class Term:
    """One word of a query; a file matches when its text holds any of `choices`."""

    choices: tuple[str, ...]
    """What was typed, or the words nearest to it when nothing holds that."""
    words: tuple[str, ...] | None
    """All words of the library that hold a choice; None: too many to name, or not only letters."""

    @property
    def begins(self) -> bool:
        """Only beginnings of words count."""
        return self.words is None and any(len(choice) <= SHORT for choice in self.choices)


class Vocabulary:
    """Every word of the library that consists of letters, held in memory; new ones are read as they come."""

    def __init__(self) -> None:
        self._text = "\n"
        self._by_length: dict[int, list[str]] = {}
        self._last = 0
        self._looked = (-1, 0.0)

    async def load(self, connection: AsyncConnection, added: int = 0) -> None:
        """Read the words that are new.

        `added` rises with each one that this process writes; another's are known a second later.
        """
        mark, at = self._looked
        if added == mark and time.monotonic() - at < ANOTHER_LOOK:
            return
        query = select(words.c.pk, words.c.word).where(words.c.pk > self._last).order_by(words.c.pk)
        rows = (await connection.execute(query)).all()
        self.add([row.word for row in rows if row.pk > self._last])
        self._last = max([self._last, *(row.pk for row in rows)])
        self._looked = (added, time.monotonic())

    def add(self, new: Sequence[str]) -> None:
        if new:
            self._text += "\n".join(new) + "\n"
        for word in new:
            self._by_length.setdefault(len(word), []).append(word)

    def holding(self, part: str, most: int) -> list[str]:
        """Words with this part in them, at most so many."""
        found: list[str] = []
        at = self._text.find(part)
        while at >= 0 and len(found) < most:
            start, end = self._text.rfind("\n", 0, at) + 1, self._text.find("\n", at)
            found.append(self._text[start:end])
            at = self._text.find(part, end)
        return found

    def nearest(self, word: str) -> list[str]:
        """Words that a mistyped one may have meant: of those with the fewest slips, by their first letter."""
        if len(word) < 3:
            return []
        allowed = 1 if len(word) <= 5 else 2
        found: list[tuple[str, int, int]] = []
        for length in range(max(3, len(word) - allowed), len(word) + allowed + 1):
            some = self._by_length.get(length, [])
            found += process.extract(word, some, scorer=OSA.distance, score_cutoff=allowed, limit=50)
        fewest = min((hit[1] for hit in found), default=0)
        near = sorted((hit[0][0] != word[0], hit[0]) for hit in found if hit[1] == fewest)
        return [name for _, name in near][:NEAREST]

    def understand(self, text: str) -> list[Term] | None:
        """The words of a query; None when one of them can match nothing."""
        typed = fold(text).split()[:MOST_TERMS]
        terms = [self._term(word, FEW.get(len(word), MANY) if len(typed) == 1 else MANY) for word in typed]
        return None if any(not term.choices for term in terms) else terms

    def _term(self, word: str, few: int) -> Term:
        if not word.isalpha():
            return Term((word,), None)
        choices = (word,) if self.holding(word, 1) else tuple(self.nearest(word))
        held = dict.fromkeys(w for choice in choices for w in self.holding(choice, few + 1))
        return Term(choices, tuple(held) if len(held) <= few else None)
