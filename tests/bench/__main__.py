"""`python -m tests.bench [topic …] [--rounds 5]`: measure, and write docs/performance.* from it."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from pathlib import Path

from tests.bench import TOPICS, report
from tests.bench.bench import Bench


async def measure(topic: str, rounds: int) -> Bench:
    with tempfile.TemporaryDirectory(prefix="mantel-bench-") as folder:
        bench = Bench(topic, rounds, Path(folder))
        try:
            await importlib.import_module(f"tests.bench.{topic}").run(bench)
        except (asyncio.CancelledError, RuntimeError) as error:
            # What was measured before it broke off counts.
            print(f"  broken off: {error or 'interrupted'}")
        return bench


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "topics", nargs="*", choices=[*TOPICS, []], help=f"of {', '.join(TOPICS)}; all if none"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns that count (5)")
    parser.add_argument("--dry", action="store_true", help="write no file")
    given = parser.parse_args()
    for topic in given.topics or TOPICS:
        print(f"== {topic}")
        bench = asyncio.run(measure(topic, given.rounds))
        for how in bench.missing:
            print(f"  not installed, left out; to have it:  {how}")
        if not given.dry:
            report.keep(bench.record())


if __name__ == "__main__":
    main()
