"""The folders that a TV may see, as one tree with true counts. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    pk: int
    id: str
    name: str
    parent: int | None
    """The parent's key; None at the top of what this TV sees."""


class Tree:
    """`folders` are (pk, id, parent pk, name) in order of name; `counts` are (folder pk, kind, number).

    Folders with nothing to see anywhere below them are left out. `limited` are ids of the only folders that
    may be seen; None: all.
    """

    def __init__(
        self,
        folders: Iterable[tuple[int, str, int | None, str]],
        counts: Iterable[tuple[int, str, int]],
        limited: frozenset[str] | None = None,
    ) -> None:
        every = {pk: (folder_id, parent, name) for pk, folder_id, parent, name in folders}
        inside: dict[int | None, list[int]] = defaultdict(list)
        for pk, (_, parent, _) in every.items():
            inside[parent if parent in every else None].append(pk)
        if limited is not None:
            inside[None] = [pk for pk, (folder_id, _, _) in every.items() if folder_id in limited]
            inside[None] = [pk for pk in inside[None] if not _under(pk, set(inside[None]), every)]
        numbers: dict[int, Counter[str]] = defaultdict(Counter)
        for pk, kind, number in counts:
            numbers[pk][kind] += number

        order: list[int] = list(inside[None])
        for pk in order:
            order.extend(inside[pk])
        full: set[int] = set()
        for pk in reversed(order):
            if numbers[pk].total() or any(below in full for below in inside[pk]):
                full.add(pk)
        tops = set(inside[None])
        self.nodes = {
            pk: Node(pk, every[pk][0], every[pk][2], None if pk in tops else every[pk][1])
            for pk in order
            if pk in full
        }
        self.top = [pk for pk in inside[None] if pk in full]
        self._inside = {pk: [below for below in inside[pk] if below in full] for pk in self.nodes}
        self._numbers = {pk: numbers[pk].total() for pk in self.nodes}
        self._kinds = {pk: frozenset(numbers[pk]) for pk in self.nodes}
        self._by_id = {node.id: node for node in self.nodes.values()}
        self.totals: Counter[str] = Counter()
        for pk in self.nodes:
            self.totals.update(numbers[pk])
        self.limit = None if limited is None else frozenset(self.nodes)
        """Keys of the folders that may be seen; None: all."""

    def node(self, folder_id: str) -> Node | None:
        return self._by_id.get(folder_id)

    def inside(self, pk: int) -> list[Node]:
        return [self.nodes[below] for below in self._inside[pk]]

    def children(self, pk: int) -> int:
        """Folders and files directly in it."""
        return len(self._inside[pk]) + self._numbers[pk]

    def with_kind(self, kind: str) -> list[int]:
        """Keys of folders that hold such files themselves, by name."""
        found = [pk for pk in self.nodes if kind in self._kinds[pk]]
        return sorted(found, key=lambda pk: self.nodes[pk].name.casefold())

    def below(self, pk: int) -> frozenset[int]:
        """It and every folder under it."""
        found = [pk]
        for one in found:
            found.extend(self._inside[one])
        return frozenset(found)


def _under(pk: int, others: set[int], every: dict[int, tuple[str, int | None, str]]) -> bool:
    """Whether one of `others` lies above it."""
    parent = every[pk][1]
    while parent is not None and parent in every:
        if parent in others:
            return True
        parent = every[parent][1]
    return False
