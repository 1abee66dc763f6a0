"""Mantel beside its peers, on one machine, in turns. `python -m tests.bench [topic …] [--rounds 5]`.

A topic is a module here with `async def run(bench: Bench) -> None`: it starts what it compares (peers.py,
tests/house.py) and gives `bench.compare` one function for each, which measures once. Add it to TOPICS.

What a run measured replaces what docs/performance.json said of the same topic; docs/performance.md and the
chart are made from that file.
"""

TOPICS = ("bytes", "library", "memory", "page", "search", "tv")
