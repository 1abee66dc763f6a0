"""What is played one after another, as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Repeat(StrEnum):
    OFF = "off"
    ONE = "one"
    ALL = "all"


@dataclass(frozen=True)
class Queue:
    """File ids, and which of them plays: 0 ≤ place < len(files)."""

    files: tuple[str, ...]
    place: int = 0
    repeat: Repeat = Repeat.OFF

    def __post_init__(self) -> None:
        if not 0 <= self.place < len(self.files):
            raise ValueError(f"place {self.place} of {len(self.files)}")

    @property
    def current(self) -> str:
        return self.files[self.place]

    def after_end(self) -> Queue | None:
        """What comes when the current one has played to its end; None: nothing."""
        return self if self.repeat is Repeat.ONE else self.next()

    def next(self) -> Queue | None:
        """What comes when somebody presses next; None at the end."""
        if self.place + 1 < len(self.files):
            return replace(self, place=self.place + 1)
        return replace(self, place=0) if self.repeat is Repeat.ALL else None

    def previous(self) -> Queue:
        """The one before; the first stays the first unless all repeat."""
        if self.place:
            return replace(self, place=self.place - 1)
        return replace(self, place=len(self.files) - 1) if self.repeat is Repeat.ALL else self

    def without_current(self) -> Queue | None:
        """For one that cannot be played at all; None when it was the only one."""
        files = self.files[: self.place] + self.files[self.place + 1 :]
        return Queue(files, self.place % len(files), self.repeat) if files else None
