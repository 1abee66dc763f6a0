"""How long a search takes among 100,000 names: `python -m tests.bench.search [DATABASE-URL]`, SQLite without.

Each is asked three times and its best time counts, since the machine does other things too.
Query time: what understanding the words takes and then the statements, which on SQLite are run once more on
a plain connection, by the clock and as CPU time (which other programs disturb less). The page's time is all
of Library.page, with the ways between threads.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event

from appliance.accounts.caller import Audience
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library import index_store
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.library.names import fold
from appliance.library.rows import Place
from appliance.library.saving import Batch, Saving
from appliance.library.tree import Seen
from tests.bench.bench import Bench, Figure, Target
from tests.bench.names import paths

NAMES = 100_000
QUERIES = 400
"""Of each sort."""
ROUNDS = 3
EVERYBODY = frozenset(Audience)
LIMITS = {"substring": 2, "typo": 15}
"""Milliseconds of query time that 99 of 100 may take."""
RECALL = 0.9


def parts(names: list[str], draw: random.Random) -> list[str]:
    """What people type: a word, its beginning, a part of it, two words; of a name or the folder it is in."""
    found = []
    while len(found) < QUERIES:
        path = draw.choice(names).rsplit("/", 2)
        words = fold(path[-1].rpartition(".")[0] if draw.random() < 0.8 else path[-2]).split()
        word = draw.choice(words)
        how = draw.random()
        if how < 0.1:
            found.append(" ".join(draw.sample(words, min(2, len(words)))))
        elif how < 0.5 and len(word) >= 3:
            found.append(word)
        elif len(word) > 3:
            length = draw.randint(3, min(8, len(word) - 1))
            start = 0 if how < 0.75 else draw.randint(0, len(word) - length)
            found.append(word[start : start + length])
    return found


def slips(names: list[str], draw: random.Random) -> list[tuple[str, str]]:
    """(as meant, as typed): one or two words of a name, one slip in one of them."""
    found = []
    while len(found) < QUERIES:
        name = draw.choice(names).rsplit("/", 1)[-1].rpartition(".")[0]
        words = [word for word in fold(name).split() if word.isalpha()]
        meant = draw.sample(words, min(draw.choice([1, 1, 2]), len(words)))
        if not meant or len(meant[0]) < 4:
            continue
        word, at = meant[0], draw.randint(1, len(meant[0]) - 2)
        letter = draw.choice("aeioursnt")
        typed = draw.choice(
            [
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
            ]
        )
        if typed != word:
            found.append((" ".join(meant), " ".join([typed, *meant[1:]])))
    return found


async def fill(library: Library, database: Database, names: list[str]) -> None:
    """Put these files into the index, without a disk."""
    (root,) = library.roots
    saving = Saving(database, Journal(database), library.changes)
    places: dict[str, Place] = {}
    async with database.read() as connection:
        top = await saving.place(connection, root.folder_pk)
    assert top is not None
    places[""] = replace(top, is_new=False)
    batch = Batch(root, first=True)
    for number, path in enumerate(names, 1):
        folder, _, name = path.rpartition("/")
        seen = Seen(name.encode(), number, 1_700_000_000_000_000_000 + number, 0, number)
        if batch.size >= 2_000:
            await saving.save(batch)
            batch = Batch(root, first=True)
        batch.added(_place(places, batch, folder), seen)
    await saving.save(batch)
    await saving.make_searchable(root)
    async with database.write() as connection:
        await index_store.analyze(connection)


def _place(places: dict[str, Place], batch: Batch, folder: str) -> Place:
    if folder not in places:
        above, _, name = folder.rpartition("/")
        seen = Seen(name.encode(), 0, 0, 0, 1_000_000 + len(places))
        places[folder] = batch.new_folder(_place(places, batch, above), seen)
    return places[folder]


class Overheard:
    """The statements of a reading engine, and the milliseconds that they took."""

    def __init__(self, database: Database) -> None:
        self.statements: list[tuple[str, Any]] = []
        self.spent = 0.0
        engine = database._reader.sync_engine
        event.listen(engine, "before_cursor_execute", self._begin)
        event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, _connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            self.statements.append((statement, values))
        self._since = time.perf_counter()

    def _end(self, *_: Any) -> None:
        self.spent += (time.perf_counter() - self._since) * 1000

    def again(self, connection: sqlite3.Connection) -> tuple[float, float]:
        """Run them once more on a plain connection: milliseconds by the clock, and of CPU."""
        clock, cpu = time.perf_counter(), time.thread_time()
        for statement, values in self.statements:
            connection.execute(statement, values).fetchall()
        return (time.perf_counter() - clock) * 1000, (time.thread_time() - cpu) * 1000


def percentiles(times: list[float]) -> dict[str, float]:
    found = sorted(times)
    at = {"p50": 0.5, "p99": 0.99}
    return {name: round(found[int(share * (len(found) - 1))], 2) for name, share in at.items()}


async def measure(url: str, folder: Path) -> dict[str, Any]:
    root = folder / "media"
    root.mkdir()
    database = Database(url)
    await database.migrate()
    library = Library(database, Journal(database), [root], state=folder / "state")
    await library.adopt_roots()
    names = paths(NAMES)
    began = time.perf_counter()
    await fill(library, database, names)
    filled = time.perf_counter() - began
    draw = random.Random(5)
    substrings, typos = parts(names, draw), slips(names, draw)
    overheard = Overheard(database)
    await library.page(FileQuery(query="warm"), EVERYBODY)
    times: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    plain = sqlite3.connect(url.partition(":///")[2] if database.is_sqlite else ":memory:")

    async def ask(sort: str, typed: str) -> list[str]:
        overheard.statements.clear()
        overheard.spent = 0.0
        start = time.perf_counter()
        page = await library.page(FileQuery(query=typed), EVERYBODY)
        taken = {"page ms": (time.perf_counter() - start) * 1000}
        start, begun = time.perf_counter(), time.thread_time()
        library._vocabulary.understand(typed)
        clock, cpu = (time.perf_counter() - start) * 1000, (time.thread_time() - begun) * 1000
        if database.is_sqlite:
            more = overheard.again(plain)
            taken |= {"query ms": clock + more[0], "query CPU ms": cpu + more[1]}
        else:
            taken["query ms"] = clock + overheard.spent
        for what, value in taken.items():
            best = times[sort][what]
            best[typed] = min(value, best.get(typed, value))
        return [file.id for file in page.items[:20]]

    shares = []
    for again in range(ROUNDS):
        for typed in substrings:
            await ask("substring", typed)
        for meant, typed in typos:
            found = await ask("typo", typed)
            if not again:
                clean = await library.page(FileQuery(query=meant, limit=20), EVERYBODY)
                shares.append(len({file.id for file in clean.items} & set(found)) / len(clean.items))
    plain.close()
    await library.stop()
    await database.close()
    return {
        "names": NAMES,
        "queries of each sort": QUERIES,
        "seconds to index": round(filled, 1),
        "recall@20 of typos": round(sum(shares) / len(shares), 3),
        **{
            sort: {what: percentiles(list(best.values())) for what, best in kept.items()}
            for sort, kept in times.items()
        },
    }


async def run(bench: Bench) -> None:
    """As a topic of the benchmarks: SQLite alone, each query's best of ROUNDS."""
    found = await measure(f"sqlite+aiosqlite:///{bench.folder}/search.db", bench.folder)
    for sort in LIMITS:
        title = f"A search among {NAMES:,} names: {sort}"
        for what, values in found[sort].items():
            shown = {f"Mantel, {name}": [value] for name, value in values.items()}
            targets = {}
            if what == "query ms":
                shown["limit"] = [LIMITS[sort]]
                targets = {"Mantel, p99": [Target("limit", 1)]}
            bench.keep(Figure("search", title, what, shown, targets))
    title = f"A search among {NAMES:,} names: typo"
    shown = {"Mantel": [found["recall@20 of typos"]], "limit": [RECALL]}
    bench.keep(Figure("search", title, "recall@20", shown, {"Mantel": [Target("limit", 1, at_most=False)]}))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if sys.argv[1:] else f"sqlite+aiosqlite:///{folder}/bench.db"
        print(json.dumps(asyncio.run(measure(url, Path(folder))), indent=1))


if __name__ == "__main__":
    main()
