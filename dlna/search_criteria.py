"""SearchCriteria: the whole grammar of ContentDirectory:1 §2.5.5.1, as a tree.

    searchCrit ::= searchExp | '*'
    searchExp  ::= relExp | searchExp logOp searchExp | '(' searchExp ')'      "and" binds before "or"
    relExp     ::= property binOp quotedVal | property 'exists' boolVal
    binOp      ::= = != < <= > >= contains doesNotContain derivedfrom startsWith

`startsWith` is an addition of many servers. Names of operators are taken in any case.
"""

from __future__ import annotations

import operator as signs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 4096
"""Characters."""
DEEPEST = 32
"""Brackets inside each other."""

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": signs.eq,
    "<": signs.lt,
    "<=": signs.le,
    ">": signs.gt,
    ">=": signs.ge,
}
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains", "doesnotcontain", "derivedfrom", "startswith")


class BadCriteria(Exception):
    """Not of the grammar; answered with 708."""


@dataclass(frozen=True)
class Relation:
    """`operator` is one of OPERATORS, in lower case."""

    property: str
    operator: str
    value: str


@dataclass(frozen=True)
class Exists:
    property: str
    wanted: bool


@dataclass(frozen=True)
class And:
    parts: tuple[Criteria, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Criteria, ...]


Criteria = Relation | Exists | And | Or

_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<sign>!=|<=|>=|=|<|>)"
    r"|(?P<word>[^\s()\"=<>!]+))",
    re.DOTALL,
)


def parse(text: str) -> Criteria | None:
    """The tree; None for `*` and for nothing at all. Raises BadCriteria."""
    if len(text) > LONGEST:
        raise BadCriteria("too long")
    if text.strip() in ("", "*"):
        return None
    reader = _Reader(_tokens(text))
    found = reader.expression(0)
    if reader.kind is not None:
        raise BadCriteria(f"{reader.value[:40]!r} is too much")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if not match or match.lastgroup is None:
            raise BadCriteria(f"cannot read {text[at : at + 40]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def kind(self) -> str | None:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else None

    @property
    def value(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"

    def take(self, *kinds: str) -> str:
        if self.kind not in kinds:
            raise BadCriteria(f"{self.value[:40]!r} where a {' or '.join(kinds)} belongs")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def expression(self, depth: int) -> Criteria:
        return self._chain("or", Or, lambda: self._chain("and", And, lambda: self._one(depth)))

    def _chain(self, word: str, kind: type[And] | type[Or], next_part: Callable[[], Criteria]) -> Criteria:
        parts = [next_part()]
        while self.kind == "word" and self.value.lower() == word:
            self._at += 1
            parts.append(next_part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _one(self, depth: int) -> Criteria:
        if self.kind == "open":
            if depth >= DEEPEST:
                raise BadCriteria("too many brackets")
            self.take("open")
            inside = self.expression(depth + 1)
            self.take("close")
            return inside
        name = self.take("word")
        operator = self.take("sign", "word").lower()
        if operator == "exists":
            wanted = self.take("word").lower()
            if wanted not in ("true", "false"):
                raise BadCriteria("exists takes true or false")
            return Exists(name, wanted == "true")
        if operator not in OPERATORS:
            raise BadCriteria(f"{operator[:40]!r} is no operator")
        return Relation(name, operator, re.sub(r"\\(.)", r"\1", self.take("quoted")[1:-1], flags=re.DOTALL))


def properties(criteria: Criteria | None) -> frozenset[str]:
    """Every property that is asked for."""
    if criteria is None:
        return frozenset()
    if isinstance(criteria, And | Or):
        return frozenset().union(*(properties(part) for part in criteria.parts))
    return frozenset({criteria.property})


def matches(criteria: Criteria | None, values: Callable[[str], Sequence[str]]) -> bool:
    """Whether an object fits; `values(property)` are its values, none where it lacks the property.

    Compared without regard to case, as numbers where both sides are (§2.5.5.1). A property that is
    missing fits nothing but `exists false`, `!=` and `doesNotContain`.
    """
    if criteria is None:
        return True
    if isinstance(criteria, And):
        return all(matches(part, values) for part in criteria.parts)
    if isinstance(criteria, Or):
        return any(matches(part, values) for part in criteria.parts)
    found = values(criteria.property)
    if isinstance(criteria, Exists):
        return bool(found) is criteria.wanted
    if criteria.operator == "!=":
        return not any(_compare("=", one, criteria.value) for one in found)
    if criteria.operator == "doesnotcontain":
        return not any(_compare("contains", one, criteria.value) for one in found)
    return any(_compare(criteria.operator, one, criteria.value) for one in found)


def _compare(operator: str, have: str, want: str) -> bool:
    left, right = have.casefold(), want.casefold()
    if operator == "contains":
        return right in left
    if operator == "startswith":
        return left.startswith(right)
    if operator == "derivedfrom":
        return left == right or left.startswith(right + ".")
    one, other = _number(left), _number(right)
    if one is not None and other is not None:
        return _SIGNS[operator](one, other)
    return _SIGNS[operator](left, right)


def _number(text: str) -> float | None:
    """Of a number, and of a duration (`0:01:02.500`, ContentDirectory:1 §B.2.1.4): its seconds."""
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", text, re.ASCII):
        return float(text)
    if time := re.fullmatch(r"(\d{1,5}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)", text, re.ASCII):
        return int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3])
    return None
