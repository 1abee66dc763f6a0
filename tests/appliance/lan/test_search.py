"""Search and SortCriteria over a real library, on both databases, against a plain evaluation in Python."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.lan.library_catalog import LibraryCatalog
from appliance.lan.media_urls import MediaUrls
from appliance.lan.shelf.searching import values_of
from appliance.lan.shelf.shelf import Shelf
from appliance.lan.tvs import Tvs
from appliance.library.facts import Facts
from appliance.library.library import Library
from appliance.library.tables import files
from dlna.catalog import Container, Item, Object, SortKey, Viewer
from dlna.clients.client import DEFAULT
from dlna.content_directory import SEARCHABLE, SORTABLE
from dlna.search_criteria import OPERATORS, And, Criteria, Exists, Or, Relation, matches
from tests.appliance.library.conftest import put, settle

FOLDER = "object.container.storageFolder"
VIEWER = Viewer("127.0.0.1", "lo", DEFAULT, host="127.0.0.1:8200")
SONGS: list[tuple[str, dict[str, str], float]] = [
    ("Music/01 Straße.mp3", {"title": "Straße nach Tromsø", "artist": "Sigrún", "album": "Nord"}, 61.5),
    ("Music/02 strasse.mp3", {"title": "strasse", "artist": "sigrun", "track": "2/12", "disc": "1"}, 200.0),
    ("Music/10 Ten.mp3", {"artist": "Band", "albumArtist": "Various", "genre": "Jazz", "track": "10"}, 9.0),
    ("Music/A Kelvin.mp3", {"title": "\u212a \ufb03", "composer": "Bach", "date": "1999"}, 3600.0),
    ("Music/Plain.mp3", {}, 1.0),
]
OTHERS = [
    "Films/Summer 2.mp4",
    "Films/Summer 10.mp4",
    "Films/İstanbul.mp4",
    "Photos/Strand_é.jpg",
    "Photos/a.jpg",
]


@dataclass
class Searched:
    catalog: LibraryCatalog
    every: Sequence[Object]

    async def search(
        self, criteria: Criteria | None, container: str = "0", sort: tuple[SortKey, ...] = ()
    ) -> tuple[Object, ...]:
        page = await self.catalog.search(VIEWER, container, criteria, 0, 1000, sort)
        assert page.total == len(page.objects)
        return page.objects


@pytest.fixture
async def searched(any_database: Database, tmp_path: Path) -> AsyncIterator[Searched]:
    root = tmp_path / "media"
    root.mkdir()
    journal = Journal(any_database)
    library = Library(any_database, journal, [root], state=tmp_path / "state")
    await library.adopt_roots()
    for number, name in enumerate([*(song[0] for song in SONGS), *OTHERS]):
        put(root, name, b"x" * (10 + 7 * number % 40), age=60 + number * 86_400)
    await settle(library)
    async with any_database.read() as connection:
        by_name = {row.name: row for row in await connection.execute(select(files))}
    await library.write_facts(
        [
            Facts(
                row.id, row.size_bytes, row.mtime_ns, duration_sec=seconds, tags=tags, has_cover=seconds > 100
            )
            for name, tags, seconds in SONGS
            for row in [by_name[name.rpartition("/")[2]]]
        ]
    )
    shelf = Shelf(any_database, lambda: tuple(root.pk for root in library.roots), lambda: journal.marks)
    tvs = Tvs(any_database, open_to_all=True)
    urls = MediaUrls(lambda _: b"k" * 32, lambda: 1_800_000_000)
    catalog = LibraryCatalog(shelf, tvs, journal, urls, None, name="Mantel")  # type: ignore[arg-type]
    made = Searched(catalog, ())
    made.every = await made.search(None)
    assert len(made.every) == len(SONGS) + len(OTHERS)
    yield made
    await library.stop()


words = st.sampled_from(
    (
        *("a", "s", "ss", "strasse", "Straße", "SUMMER", "ø", "o", "sig", "1", "10", "0:01:00", "2", "jazz"),
        *("", " ", "k", "ffi", "\u0307", "i", "-", "mp4", "1999", "2026", "http"),
        *("object.item", "object.item.audioItem"),
    )
) | st.text(max_size=3)
leaves = st.builds(Relation, st.sampled_from(SEARCHABLE), st.sampled_from(OPERATORS), words) | st.builds(
    Exists, st.sampled_from(SEARCHABLE), st.booleans()
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=4,
)


async def every_example(example: Any, drawn_from: Any, examples: int = 150) -> None:
    """Runs the coroutine function `example` with each value drawn by hypothesis."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(drawn_from)
    def check(drawn: Any) -> None:
        asyncio.run_coroutine_threadsafe(example(drawn), loop).result()

    await asyncio.to_thread(check)


async def test_what_the_database_finds_is_what_the_criteria_mean(searched: Searched) -> None:
    async def example(criteria: Criteria) -> None:
        found = [one.id for one in await searched.search(criteria) if isinstance(one, Item)]
        meant = [one.id for one in searched.every if matches(criteria, values_of(one))]
        assert found == meant

    await every_example(example, trees)


async def test_objects_come_in_the_order_that_was_asked_for(searched: Searched) -> None:
    places = {one.id: place for place, one in enumerate(searched.every)}

    async def example(keys: list[tuple[str, bool]]) -> None:
        sort = tuple(SortKey(name, down) for name, down in keys)
        found = await searched.search(None, sort=sort)
        assert sorted(one.id for one in found) == sorted(places)
        name, down = keys[0]
        having = [values_of(one)(name) for one in found]
        if name != "upnp:artist":  # which tells of composers too
            assert [bool(one) for one in having] == sorted((bool(one) for one in having), reverse=True)
        if name in ("res@size", "upnp:originalTrackNumber", "dc:date", "upnp:class"):
            told = [one[0] if name in ("dc:date", "upnp:class") else int(one[0]) for one in having if one]
            assert told == sorted(told, reverse=down)

    keys = st.lists(st.tuples(st.sampled_from(SORTABLE), st.booleans()), min_size=1, max_size=3)
    await every_example(example, keys, examples=60)


async def test_titles_containers_and_scopes(searched: Searched) -> None:
    """One library for all three: it is the filling that takes the time."""
    await titles_are_sorted_as_people_do(searched)
    await containers_are_found_by_whoever_asks_for_them(searched)
    await a_search_stays_below_its_container(searched)


async def titles_are_sorted_as_people_do(searched: Searched) -> None:
    films = await searched.search(None, "videos", (SortKey("dc:title", False),))
    assert [one.title for one in films] == ["İstanbul", "Summer 2", "Summer 10"]
    films = await searched.search(None, "videos", (SortKey("dc:title", True),))
    assert [one.title for one in films] == ["Summer 10", "Summer 2", "İstanbul"]


async def containers_are_found_by_whoever_asks_for_them(searched: Searched) -> None:
    albums = await searched.search(Relation("upnp:class", "derivedfrom", "object.container.album"))
    assert [one.title for one in albums] == ["Nord"]
    folders = await searched.search(
        And(
            (
                Relation("upnp:class", "=", "object.container.storageFolder"),
                Relation("dc:title", "contains", "o"),
            )
        )
    )
    assert [one.title for one in folders] == ["Photos"]
    both = await searched.search(
        Or(
            (
                Relation("upnp:class", "derivedfrom", "object.container"),
                Relation("upnp:class", "derivedfrom", "object.item.videoItem"),
            )
        )
    )
    assert {type(one) for one in both} == {Container, Item}
    assert len([one for one in both if isinstance(one, Item)]) == 3


async def a_search_stays_below_its_container(searched: Searched) -> None:
    album = (await searched.search(Relation("upnp:class", "derivedfrom", "object.container.album")))[0]
    assert [one.title for one in await searched.search(None, album.id)] == ["Straße nach Tromsø"]
    assert len(await searched.search(None, "photos")) == 2
    assert await searched.search(None, "videos/continue") == ()
    assert (
        await searched.search(Relation("upnp:class", "derivedfrom", "object.item.audioItem"), "videos") == ()
    )
