"""One set of cases for both databases: what people type, and what they mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.facts import Facts
from appliance.library.items import File, FileQuery, Kind, Page, Sort
from appliance.library.library import Library
from appliance.library.names import display, fold, sort_key
from appliance.library.roots import Root
from appliance.library.saving import Saving
from appliance.library.tables import files
from tests.appliance.library.conftest import EVERYBODY, GUESTS, put, settle
from tests.bench.names import paths
from tests.bench.search import fill

FILES = [
    "Films/Spider-Man.mp4",
    "Films/Spider-Man No Way Home (2021).mkv",
    "Films/The Matrix.mp4",
    "Films/The Matrix Reloaded.mp4",
    "Films/Amélie.mp4",
    "Films/Dune.mp4",
    "Films/Up.mp4",
    "Films/100% Wolf.mp4",
    "Films/Der_Untergang.mp4",
    "Series/Borgen/Episode 10.mp4",
    "Series/Borgen/Episode 2.mp4",
    "Music/Sigur Rós/Hoppípolla.mp3",
    "Music/Track 01.mp3",
    "Photos/Tromsø Sommer/IMG_2041.jpg",
    "Papers/Straßenkarte.pdf",
    "Papers/Ocean's invoice.pdf",
]

CASES = {
    "spidr man": ["Spider-Man.mp4", "Spider-Man No Way Home (2021).mkv"],
    "spiderman": ["Spider-Man.mp4", "Spider-Man No Way Home (2021).mkv"],
    "Spider-Man": ["Spider-Man.mp4", "Spider-Man No Way Home (2021).mkv"],
    "man spider": ["Spider-Man.mp4", "Spider-Man No Way Home (2021).mkv"],
    "mtarix": ["The Matrix.mp4", "The Matrix Reloaded.mp4"],
    "matrix reload": ["The Matrix Reloaded.mp4"],
    "amelie": ["Amélie.mp4"],
    "AMÉLIE": ["Amélie.mp4"],
    "amleie": ["Amélie.mp4"],
    "dnue": ["Dune.mp4"],
    "up": ["Up.mp4", "Track 01.mp3"],
    "100%": ["100% Wolf.mp4"],
    "untergang": ["Der_Untergang.mp4"],
    "borgen": ["Episode 2.mp4", "Episode 10.mp4"],
    "borgen 10": ["Episode 10.mp4"],
    "sigur ros": ["Hoppípolla.mp3"],
    "hopipola": ["Hoppípolla.mp3"],
    "tromso": ["IMG_2041.jpg"],
    "trømsø": ["IMG_2041.jpg"],
    "trosmo": ["IMG_2041.jpg"],
    "2041": ["IMG_2041.jpg"],
    "strassenkarte": ["Straßenkarte.pdf"],
    "STRASSE": ["Straßenkarte.pdf"],
    "oceans": ["Ocean's invoice.pdf"],
    "metallica": ["Track 01.mp3"],
    "metalica puppets": ["Track 01.mp3"],
    "xyzzyplugh": [],
    "spider metallica": [],
    "...": [],
    '" OR 7=7 --': [],
    "*": [],
}


@pytest.fixture
async def house(any_database: Database, root: Path) -> AsyncIterator[Library]:
    for number, name in enumerate(FILES):
        put(root, name, b"x" * (number + 1), age=1000 - number)
    made = Library(any_database, Journal(any_database), [root], state=root.parent / "state")
    await made.adopt_roots()
    await settle(made)
    (track,) = (await made.page(FileQuery(query="Track 01"), EVERYBODY)).items
    tags = {"artist": "Metallica", "album": "Master of Puppets"}
    assert await made.write_facts([Facts(track.id, track.size_bytes, track.mtime_ns, tags=tags)]) == 1
    yield made
    await made.stop()


async def names(library: Library, query: FileQuery) -> list[str]:
    page = await library.page(query, EVERYBODY)
    assert page.total >= len(page.items)
    return [file.name for file in page.items]


async def test_what_people_type(house: Library) -> None:
    found = {typed: await names(house, FileQuery(query=typed)) for typed in CASES}
    assert found == CASES


def reference(names: list[str], typed: str) -> tuple[list[str], int]:
    """What a search for words that are spelled right finds, best first, without any index."""
    terms = fold(typed).split()

    def place(path: str) -> tuple[int, int, int]:
        name = fold(path.rsplit("/", 1)[-1].rpartition(".")[0])
        phrase = " ".join(terms)
        tier = 2 if all(term in name for term in terms) else 3
        if name.startswith(phrase):
            tier = 0
        elif " " + phrase in name:
            tier = 1
        return tier, min(len(name), 127), names.index(path)

    found = [path for path in names if all(term in fold(path) for term in terms)]
    return sorted(found, key=place), len(found)


async def test_many_names_are_searched_as_without_an_index(any_database: Database, root: Path) -> None:
    made = Library(any_database, Journal(any_database), [root], state=root.parent / "state")
    await made.adopt_roots()
    every = paths(600, seed=3, vocabulary=60)
    await fill(made, any_database, every)
    words = sorted({word for path in every for word in fold(path).split() if len(word) > 2})
    draw = Random(4)
    asked = {word[: draw.randint(3, 8)] for word in draw.sample(words, 60)}
    asked |= {word[-3:] for word in words[::9]} | {"music", "mp3", "s01e0"}
    asked |= {f"{draw.choice(words)} {draw.choice(words)}" for _ in range(60)}
    for typed in sorted(asked):
        expected, total = reference(every, typed)
        if not total:
            continue
        first = await made.page(FileQuery(query=typed, limit=20), EVERYBODY)
        second = await made.page(FileQuery(query=typed, limit=20, offset=20), EVERYBODY)
        shown = [f"{file.folder}/{file.name}" for file in (*first.items, *second.items)]
        assert (shown, first.total) == (expected[:40], total), typed
        guests = await made.page(FileQuery(query=typed, limit=20), GUESTS)
        kept = [path for path in expected if not path.endswith(".pdf")]
        assert [file.name for file in guests.items] == [path.rsplit("/", 1)[-1] for path in kept[:20]], typed
        assert guests.total == len(kept), typed
        songs = FileQuery(query=typed, kinds=frozenset({Kind.AUDIO, Kind.DOCUMENT}), limit=5)
        assert (await made.page(songs, EVERYBODY)).total == sum(p[-3:] in ("mp3", "pdf") for p in expected), (
            typed
        )
    await made.stop()


async def test_every_filter(house: Library) -> None:
    assert len(await names(house, FileQuery(kinds=frozenset({Kind.VIDEO})))) == 11
    assert await names(house, FileQuery(query="the", kinds=frozenset({Kind.AUDIO}))) == []
    assert await names(house, FileQuery(folder="Series/Borgen")) == ["Episode 2.mp4", "Episode 10.mp4"]
    assert await names(house, FileQuery(min_size=15)) == ["Ocean's invoice.pdf", "Straßenkarte.pdf"]
    assert await names(house, FileQuery(max_size=1)) == ["Spider-Man.mp4"]
    assert await names(house, FileQuery(uploader="nobody")) == []
    assert await names(house, FileQuery(artist="Metallica")) == ["Track 01.mp3"]
    assert await names(house, FileQuery(sort=Sort.SIZE, limit=1, offset=1)) == [
        "Spider-Man No Way Home (2021).mkv"
    ]
    assert await names(house, FileQuery(sort=Sort.SIZE, descending=True, limit=1)) == ["Ocean's invoice.pdf"]
    (track,) = (await house.page(FileQuery(query="track"), EVERYBODY)).items
    await house.change(track.id, EVERYBODY, tags=["Road trip"])
    assert await names(house, FileQuery(tag="road TRIP")) == ["Track 01.mp3"]
    assert await names(house, FileQuery(tag="road")) == []
    assert await names(house, FileQuery(query="trip")) == ["Track 01.mp3"]
    for sort in Sort:
        assert len(await names(house, FileQuery(sort=sort))) == len(FILES)
    (top,) = await house.folders(None, EVERYBODY)
    series = next(f for f in await house.folders(top.id, EVERYBODY) if f.name == "Series")
    assert len(await names(house, FileQuery(below=series.id))) == 2


async def test_every_sort_both_ways_with_and_without_words(house: Library, any_database: Database) -> None:
    every = {file.name: file for file in (await house.page(FileQuery(limit=50), EVERYBODY)).items}
    facts = [
        Facts(file.id, file.size_bytes, file.mtime_ns, duration_sec=float(100 - number))
        for number, file in enumerate(every.values())
        if file.kind is Kind.VIDEO
    ]
    await house.write_facts(facts)
    (await house.open(every["Up.mp4"].id, EVERYBODY)).close()
    await house.tidy()
    plays = {every["Dune.mp4"].id: 9, every["The Matrix.mp4"].id: 3}
    await Journal(any_database).set_popularity(list(plays.items()))
    every = {file.name: file for file in (await house.page(FileQuery(limit=50), EVERYBODY)).items}
    keys: dict[Sort, Callable[[File], Any]] = {
        Sort.NAME: lambda file: sort_key(file.name),
        Sort.CREATED_AT: lambda file: file.created_at,
        Sort.SIZE: lambda file: file.size_bytes,
        Sort.DURATION: lambda file: file.duration_sec,
        Sort.LAST_ACCESSED: lambda file: file.last_accessed_at,
        Sort.POPULAR: lambda file: -plays.get(file.id, 0),
    }
    for sort, key in keys.items():
        for words in ("", "mp4"):
            for descending in (False, True):
                query = FileQuery(query=words, sort=sort, descending=descending, limit=50)
                page = await house.page(query, EVERYBODY)
                assert page.total == len(page.items) == (10 if words else len(FILES)), (sort, words)
                known = [key(file) for file in page.items if key(file) is not None]
                assert known == sorted(known, reverse=descending), (sort, words, descending)
                assert [key(file) for file in page.items[: len(known)]] == known  # what is unknown comes last
    assert await names(house, FileQuery(sort=Sort.POPULAR, limit=2)) == ["Dune.mp4", "The Matrix.mp4"]
    best = await names(house, FileQuery(query="matrix", sort=Sort.RELEVANCE))
    assert await names(house, FileQuery(query="matrix", sort=Sort.RELEVANCE, descending=True)) == best[::-1]


async def test_filters_hold_together_with_words(house: Library, any_database: Database) -> None:
    (dune,) = (await house.page(FileQuery(query="dune"), EVERYBODY)).items
    day = 24 * 3_600_000
    async with any_database.write() as connection:
        old = update(files).where(files.c.id != dune.id).values(created_at=dune.created_at - 3 * day)
        await connection.execute(old)
        await connection.execute(update(files).where(files.c.id == dune.id).values(uploaded_by="mira"))
    last_day = dune.created_at - day
    assert await names(house, FileQuery(since=last_day)) == ["Dune.mp4"]
    assert await names(house, FileQuery(query="dune", since=last_day)) == ["Dune.mp4"]
    assert await names(house, FileQuery(query="dnue", since=last_day)) == ["Dune.mp4"]
    assert await names(house, FileQuery(query="matrix", since=last_day)) == []
    assert await names(house, FileQuery(uploader="mira")) == ["Dune.mp4"]
    assert await names(house, FileQuery(query="un", uploader="mira")) == ["Dune.mp4"]
    await house.change(dune.id, EVERYBODY, tags=["Sci-Fi", "sand"])
    assert await names(house, FileQuery(query="dune", tag="sci fi", min_size=1, folder="Films")) == [
        "Dune.mp4"
    ]
    assert await names(house, FileQuery(query="dune", max_size=dune.size_bytes - 1)) == []
    assert await names(house, FileQuery(query="mp4", min_size=dune.size_bytes, max_size=dune.size_bytes)) == [
        "Dune.mp4"
    ]
    video = frozenset({Kind.VIDEO})
    assert await names(house, FileQuery(query="sand", kinds=video)) == ["Dune.mp4"]
    assert await names(house, FileQuery(query="sand", kinds=frozenset({Kind.IMAGE}))) == []
    (top,) = await house.folders(None, EVERYBODY)
    assert (await house.page(FileQuery(query="mp4", below=top.id), EVERYBODY)).total == 10
    assert (await house.page(FileQuery(query="matrix", offset=5), EVERYBODY)) == Page((), 2)


async def test_guests_find_only_theirs(house: Library) -> None:
    assert (await house.page(FileQuery(query="strasse"), GUESTS)).total == 0
    assert (await house.page(FileQuery(query="matrix"), GUESTS)).total == 2


async def test_scan_moves_and_trash_on_this_database(house: Library, root: Path) -> None:
    (before,) = (await house.page(FileQuery(query="amelie"), EVERYBODY)).items
    (root / "Films/Amélie.mp4").rename(root / "Music/Amélie.mp4")
    (root / "Films/Dune.mp4").rename(root / "swap")
    (root / "Films/Up.mp4").rename(root / "Films/Dune.mp4")
    (root / "swap").rename(root / "Films/Up.mp4")
    await house.scan()
    (now,) = (await house.page(FileQuery(query="amelie"), EVERYBODY)).items
    assert (now.id, now.folder) == (before.id, "Music")
    await house.delete(now.id, EVERYBODY, None)
    assert await names(house, FileQuery(query="amelie")) == []
    await house.restore(now.id)
    assert await names(house, FileQuery(query="amelie")) == ["Amélie.mp4"]
    assert (await house.scan()).changed == 0


@given(st.binary(max_size=60))
def test_any_name_is_shown_safely(raw: bytes) -> None:
    shown = display(raw)
    shown.encode()
    assert "\n" not in shown
    assert display(shown.encode()) == shown


@given(st.text(max_size=60))
def test_folding_is_stable_and_has_single_blanks(text: str) -> None:
    folded = fold(text)
    assert "  " not in folded
    assert fold(folded) == folded
    assert sort_key(text) == sort_key(text.upper().lower()) or not text.isascii()


@settings(max_examples=25, deadline=None)
@given(number=st.integers(0, 10**7))
def test_numbers_sort_as_numbers(number: int) -> None:
    assert sort_key(f"Episode {number}") < sort_key(f"Episode {number + 1}")


async def test_a_first_look_that_was_cut_off_before_its_end_is_searched_after_the_next(
    any_database: Database, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Dune.mp4", "Heat.mp4", "Up.mp4"):
        put(root, name)
    made = Library(any_database, Journal(any_database), [root], state=root.parent / "state")
    await made.adopt_roots()

    await asyncio.sleep(1.05)  # by then they have settled

    async def power_cut(saving: Saving, root: Root) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power"):
        patch.setattr(Saving, "make_searchable", power_cut)
        await made.scan()
    listed = {file.name: file for file in (await made.page(FileQuery(), EVERYBODY)).items}
    assert sorted(listed) == ["Dune.mp4", "Heat.mp4", "Up.mp4"]
    if any_database.is_sqlite:
        assert await names(made, FileQuery(query="dune")) == []
    # What happens to such a file meanwhile must leave the indexes whole.
    await made.change(listed["Heat.mp4"].id, EVERYBODY, name="Cold.mp4")
    await made.delete(listed["Up.mp4"].id, EVERYBODY, None)
    await settle(made)
    assert await names(made, FileQuery(query="dune")) == ["Dune.mp4"]
    assert await names(made, FileQuery(query="cold")) == ["Cold.mp4"]
    assert await names(made, FileQuery(query="heat")) == await names(made, FileQuery(query="up")) == []
    await made.restore(listed["Up.mp4"].id)
    assert await names(made, FileQuery(query="up")) == ["Up.mp4"]
    await made.stop()
