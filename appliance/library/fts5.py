"""Searches on SQLite: what to ask of the two FTS5 indexes (tables.py), that of words and that of trigrams.

FTS5 expressions: https://www.sqlite.org/fts5.html#full_text_query_syntax
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, product

from sqlalchemy import Integer, Subquery, TextClause, column, text

from appliance.library.items import Kind
from appliance.library.tables import RANK_SHIFT
from appliance.library.vocabulary import SHORT, Term

KEY = (1 << RANK_SHIFT) - 1
"""The part of a rowid that is the file's key."""
FEW_TRIGRAMS = 4
"""Letters of a word that may as well be found by its trigrams."""
MOST_PHRASES = 8
"""Ways to put the corrections of several words together, that are tried."""


def phrases(terms: Sequence[Term]) -> list[str]:
    """The words as typed, one after the other, in each way that corrections leave."""
    return [" ".join(way) for way in islice(product(*(term.choices for term in terms)), MOST_PHRASES)]


@dataclass(frozen=True)
class Expression:
    """What both indexes must match; an empty text asks nothing of that index."""

    words: str
    trigrams: str

    def where(self, number: int) -> tuple[str, dict[str, str]]:
        """FROM and WHERE of a query for rowids, and its parameters, told apart by `number`."""
        if not self.trigrams:
            return f"files_words WHERE files_words MATCH :w{number}", {f"w{number}": self.words}
        parts = f"files_trigrams MATCH :t{number}"
        if not self.words:
            return f"files_trigrams WHERE {parts}", {f"t{number}": self.trigrams}
        # With the plus SQLite reads the second index once; without, once for each row of the first.
        words = f"files_words WHERE files_words MATCH :w{number}"
        both = f"{words} AND +rowid IN (SELECT rowid FROM files_trigrams WHERE {parts})"  # noqa: S608  bound
        return both, {f"t{number}": self.trigrams, f"w{number}": self.words}


def _any(texts: Sequence[str], before: str = "", after: str = "") -> str:
    return "(" + " OR ".join(f'{before}"{text}"{after}' for text in texts) + ")"


def all_terms(terms: Sequence[Term], columns: str, only: str) -> Expression:
    """Every term somewhere in these columns. `only` is of `only_these`."""
    by_trigrams = [term for term in terms if term.words is None and not term.begins]
    by_words = [term for term in terms if term not in by_trigrams]
    lengths = [len(choice) for term in by_words for choice in term.choices]
    part_of_many = any(choice.isalpha() for term in by_trigrams for choice in term.choices)
    if lengths and min(lengths) > SHORT and (part_of_many or max(lengths) <= FEW_TRIGRAMS):
        by_trigrams, by_words = list(terms), []
    asked = [
        _any(term.words) if term.words is not None else _any(term.choices, after="*") for term in by_words
    ]
    parts = [_any(term.choices) for term in by_trigrams]
    return Expression(_within(columns, asked, only), _within(columns, parts, only))


def _within(columns: str, parts: Sequence[str], only: str) -> str:
    return f"({{{columns}}} : ({' AND '.join(parts)})){only}" if parts else ""


def only_these(household: bool, kinds: Collection[Kind]) -> str:
    """What narrows an expression to kinds (empty: all), and without `household` to what everyone may see."""
    of_kind = f" AND (what : {_any(sorted(kind[:3] for kind in kinds))})" if kinds else ""
    return of_kind + ("" if household else ' NOT (who : "hou")')


def _unless(*steps_and_counts: str) -> str:
    """A LIMIT of :most, but of none if one of these steps has found just so many."""
    pairs = zip(steps_and_counts[::2], steps_and_counts[1::2], strict=True)
    idle = " OR ".join(f"(SELECT count(*) FROM {step}) = {count}" for step, count in pairs)  # noqa: S608
    return f"iif({idle}, 0, :most)"


def ranked(terms: Sequence[Term], only: str, offset: int, limit: int) -> Subquery:
    """Rows (pk, tier, rank, total), best first by tier and rank.

    Tiers: 0 the name begins so, 1 a word in it does, 2 all is in the name, 3 elsewhere. Each holds the one
    before it, so those that can bring nothing more to the page are not looked for.
    """
    typed = phrases(terms)
    tiers = [
        (2, all_terms(terms, "name", only), ":most"),
        (0, Expression(f"(name : {_any(typed, before='^', after=' *')}){only}", ""), _unless("t2", "0")),
        (1, Expression(f"(name : {_any(typed, after=' *')}){only}", ""), _unless("t2", "0", "t0", ":most")),
        (3, all_terms(terms, "name rest", only), _unless("t2", ":most")),
    ]
    steps: list[str] = []
    values: dict[str, str] = {}
    for tier, expression, most in tiers:
        where, given = expression.where(tier)
        found = f"SELECT {tier} AS tier, rowid AS rank FROM {where} ORDER BY rowid LIMIT {most}"  # noqa: S608
        steps.append(f"t{tier} AS MATERIALIZED ({found})")
        values |= given
    best = " UNION ALL ".join(f"SELECT * FROM t{tier}" for tier in range(4))  # noqa: S608
    everywhere = "(SELECT count(*) FROM t3)"
    total = f"iif({everywhere} BETWEEN 1 AND :most - 1, {everywhere}, (SELECT count(*) FROM {where}))"  # noqa: S608
    hits = f"SELECT rank & {KEY} AS pk, min(tier) AS tier, rank, {total} AS total FROM ({best})"  # noqa: S608
    page = "GROUP BY rank ORDER BY 2, rank LIMIT :limit OFFSET :offset"
    statement = text(f"WITH {', '.join(steps)} {hits} {page}").bindparams(
        most=offset + limit, limit=limit, offset=offset, **values
    )
    columns = (column(name, Integer) for name in ("pk", "tier", "rank", "total"))
    return statement.columns(*columns).subquery("hits")


def matching(terms: Sequence[Term]) -> TextClause:
    """Keys of all files that match, in no order."""
    where, values = all_terms(terms, "name rest", "").where(0)
    return text(f"SELECT rowid & {KEY} FROM {where}").bindparams(**values)  # noqa: S608  values are bound
