"""Measuring several programs in turns, so that a noisy machine is noisy for all of them."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Probe = Callable[[], Awaitable[Mapping[str, float]]]
"""Measures once: unit → value."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """Mantel's median is held against `factor` times the peer's: at most, or at least (more is better)."""

    peer: str
    factor: float
    at_most: bool = True

    def met(self, ours: float, theirs: float) -> bool:
        return ours <= theirs * self.factor if self.at_most else ours >= theirs * self.factor


@dataclass
class Figure:
    """One quantity of one comparison. `values`: program → one value a round; `targets`: program → Target."""

    topic: str
    title: str
    unit: str
    values: dict[str, list[float]]
    targets: dict[str, list[Target]] = field(default_factory=dict)
    note: str = ""

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def missed(self) -> list[str]:
        return [
            f"{self.title}: {name} {self.median(name):.3g} {self.unit}, "
            f"{'at most' if one.at_most else 'at least'} {one.factor:g} of "
            f"{one.peer}'s {self.median(one.peer):.3g}"
            for name, targets in self.targets.items()
            for one in targets
            if one.peer in self.values and not one.met(self.median(name), self.median(one.peer))
        ]


class Bench:
    """Collects the figures of one topic. `missing`: how to get the peers that were not there."""

    def __init__(self, topic: str, rounds: int, folder: Path) -> None:
        self.topic, self.rounds, self.folder = topic, rounds, folder
        self.figures: list[Figure] = []
        self.versions: dict[str, str] = {}
        self.missing: list[str] = []

    async def compare(
        self,
        title: str,
        ways: Mapping[str, Probe],
        targets: Mapping[tuple[str, str], list[Target]] | None = None,
        *,
        note: str = "",
        rounds: int | None = None,
    ) -> None:
        """Each of `ways` in turn, `rounds` times, after one turn that does not count.

        `targets`: (program, unit) → what its median is held against.
        """
        got: dict[str, dict[str, list[float]]] = {}
        for turn in range((rounds or self.rounds) + 1):
            for name, probe in ways.items():
                measured = await probe()
                if not turn:
                    continue
                for unit, value in measured.items():
                    got.setdefault(unit, {}).setdefault(name, []).append(value)
        for unit, values in got.items():
            held = {
                name: list(wanted)
                for (name, of), wanted in (targets or {}).items()
                if of == unit and name in values
            }
            self.keep(Figure(self.topic, title, unit, values, held, note))

    def keep(self, figure: Figure) -> None:
        """Into the record, and said on the terminal."""
        self.figures.append(figure)
        medians = ", ".join(f"{one} {figure.median(one):.4g}" for one in figure.values)
        print(f"{figure.title} [{figure.unit}]: {medians}")
        for line in figure.missed():
            print(f"  MISSED {line}")

    def record(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": machine(),
            "versions": self.versions,
            "figures": [asdict(figure) for figure in self.figures],
        }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all that it started, those that have ended included.

    The clock of a process (clock_getcpuclockid(3)) counts nanoseconds; what has ended is told in ticks.
    """
    # proc(5): cutime and cstime are fields 16 and 17; these begin at field 3.
    seconds = 0.0
    for one, fields in tree(pid).items():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            seconds += time.clock_gettime((~one << 3) | 2) + sum(map(int, fields[13:15])) / TICKS
    return seconds


def pin(pid: int, core: int) -> None:
    """Keep a process and all that it started on one core, before others; what they start is held so too."""
    for one in tree(pid):
        for task in Path(f"/proc/{one}/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if (os.cpu_count() or 1) > core:
                    os.sched_setaffinity(int(task.name), {core})
                if not os.geteuid():
                    os.setpriority(os.PRIO_PROCESS, int(task.name), -15)


def tree(pid: int) -> dict[int, list[str]]:
    """Process id → what its stat says after the name, for a process and its descendants."""
    said: dict[int, list[str]] = {}
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                said[int(entry.name)] = fields
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = {}, [pid]
    while todo:
        one = todo.pop()
        if one in said:
            found[one] = said[one]
        todo += children.get(one, [])
    return found


def machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith(("model name", "Model"))
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} × {names[0] if names else platform.machine()}, {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )
