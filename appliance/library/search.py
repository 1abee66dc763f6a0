"""Listings and searches over the files: one query for the page, one for the total.

A search folds its words (names.fold) and wants each of them somewhere in the searchable text. Words that
occur nowhere are then corrected by the nearest ones of the library's own vocabulary, and looked for again.
Substrings come from an FTS5 trigram index on SQLite and a pg_trgm index on PostgreSQL; order and correction
are the same on both, so that the same words find the same files.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.journal.tables import popularity
from appliance.library import store
from appliance.library.items import FileQuery, Page, Sort
from appliance.library.names import fold
from appliance.library.tables import files, folders, words

MOST_WORDS = 8
"""Words of a query that count."""
NEAREST = 6
"""Corrections that are tried for a word."""


class Vocabulary:
    """Every word of the library, held in memory and read again when the library has changed."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._revision = -1

    async def load(self, connection: AsyncConnection) -> None:
        revision = await store.revision(connection)
        if revision != self._revision:
            rows = await connection.execute(select(words.c.word).order_by(words.c.word))
            self._words = [row.word for row in rows]
            self._revision = revision

    def nearest(self, word: str) -> list[str]:
        """Words that a mistyped one may have meant, nearest first; those that contain it if there are any."""
        if len(word) < 3:
            return []
        allowed = 1 if len(word) <= 5 else 2
        found = process.extract(word, self._words, scorer=OSA.distance, score_cutoff=allowed, limit=50)
        ranked = sorted(found, key=lambda hit: (hit[1], hit[0][0] != word[0], hit[0]))
        return [hit[0] for hit in ranked][:NEAREST]

    def knows(self, word: str) -> bool:
        return any(word in known for known in self._words)


async def page(
    connection: AsyncConnection,
    root_pks: Collection[int],
    sees: frozenset[Audience],
    query: FileQuery,
    vocabulary: Vocabulary,
) -> Page:
    """One page of the files that match, and how many there are in all."""
    terms = fold(query.query).split()[:MOST_WORDS]
    if query.query.strip() and not terms:
        return Page((), 0)
    shown = [files.c.gone_at.is_(None), *_conditions(root_pks, sees, query)]
    within = await _within(connection, query)
    if within is not None:
        shown.append(files.c.folder_pk.in_(within))
    dialect = connection.dialect.name
    alternatives = [[term] for term in terms]
    total = await _total(connection, [*shown, *_matches(dialect, alternatives)])
    if total == 0 and terms:
        await vocabulary.load(connection)
        alternatives = [[term] if vocabulary.knows(term) else vocabulary.nearest(term) for term in terms]
        if not all(alternatives):
            return Page((), 0)
        total = await _total(connection, [*shown, *_matches(dialect, alternatives)])
    if total <= query.offset:
        return Page((), total)
    wanted = (
        select(files.c.pk)
        .where(*shown, *_matches(dialect, alternatives))
        .order_by(*_order(query, alternatives))
        .offset(query.offset)
        .limit(query.limit)
    )
    if query.sort is Sort.POPULAR:
        wanted = wanted.outerjoin(popularity, popularity.c.file_id == files.c.id)
    order = [row.pk for row in await connection.execute(wanted)]
    rows = await connection.execute(store.visible_files(root_pks, sees).where(files.c.pk.in_(order)))
    by_pk = {row.pk: row for row in rows}
    return Page(tuple(store.as_file(by_pk[pk]) for pk in order if pk in by_pk), total)


async def _total(connection: AsyncConnection, conditions: Sequence[Any]) -> int:
    return int(
        (await connection.execute(select(func.count()).select_from(files).where(*conditions))).scalar_one()
    )


def _conditions(
    root_pks: Collection[int], sees: frozenset[Audience], query: FileQuery
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = list(store.allowed(root_pks, sees))
    if query.kinds:
        found.append(files.c.kind.in_(sorted(kind.value for kind in query.kinds)))
    if query.since is not None:
        found.append(files.c.created_at >= query.since)
    if query.min_size is not None:
        found.append(files.c.size_bytes >= query.min_size)
    if query.max_size is not None:
        found.append(files.c.size_bytes <= query.max_size)
    if query.uploader is not None:
        found.append(files.c.uploaded_by == query.uploader)
    if query.tag is not None:
        found.append(files.c.tag_keys.contains(f"|{fold(query.tag)}|", autoescape=True))
    if query.artist is not None:
        found.append(files.c.artist == query.artist)
    if query.album is not None:
        found.append(files.c.album == query.album)
    if query.title_contains is not None:
        wanted = fold(query.title_contains)
        found.append(
            or_(
                files.c.folded_name.contains(wanted, autoescape=True),
                func.lower(files.c.title).contains(query.title_contains.lower(), autoescape=True),
            )
        )
    return found


async def _within(connection: AsyncConnection, query: FileQuery) -> Any:
    """Keys of the folders that the files must lie in; None: anywhere."""
    wanted = _folder(query)
    if wanted is None or query.below is not None:
        return wanted
    return [row.pk for row in await connection.execute(wanted)]


def _folder(query: FileQuery) -> Any:
    if query.folder_id is not None:
        return select(folders.c.pk).where(folders.c.id == query.folder_id)
    if query.folder is not None:
        wanted = query.folder.strip("/")
        return select(folders.c.pk).where(folders.c.display_path == wanted, folders.c.gone_at.is_(None))
    if query.below is not None:
        top = select(folders.c.pk).where(folders.c.id == query.below).cte(recursive=True)
        return select(top.union_all(select(folders.c.pk).where(folders.c.parent_pk == top.c.pk)).c.pk)
    return None


def _matches(dialect: str, alternatives: Sequence[Sequence[str]]) -> list[ColumnElement[bool]]:
    """Each word, or one of its corrections, somewhere in the searchable text."""
    if not alternatives:
        return []
    conditions: list[ColumnElement[bool]] = []
    phrases = []
    for choices in alternatives:
        if dialect == "sqlite" and all(len(word) >= 3 for word in choices):
            phrases.append("(" + " OR ".join(f'"{word}"' for word in choices) + ")")
        else:
            conditions.append(or_(*(files.c.folded.contains(word, autoescape=True) for word in choices)))
    if phrases:
        indexed = text("SELECT rowid FROM files_search WHERE files_search MATCH :phrases")
        conditions.append(files.c.pk.in_(indexed.bindparams(phrases=" AND ".join(phrases))))
    return conditions


_COLUMNS: dict[Sort, Any] = {
    Sort.NAME: files.c.sort_name,
    Sort.CREATED_AT: files.c.created_at,
    Sort.SIZE: files.c.size_bytes,
    Sort.DURATION: files.c.duration_sec,
    Sort.LAST_ACCESSED: files.c.last_accessed_at,
}


def _order(query: FileQuery, alternatives: Sequence[Sequence[str]]) -> list[Any]:
    sort = query.sort or (Sort.RELEVANCE if alternatives else Sort.NAME)
    if sort is Sort.RELEVANCE:
        columns = _relevance(alternatives) if alternatives else [files.c.sort_name]
    elif sort is Sort.POPULAR:
        columns = [-func.coalesce(popularity.c.plays, 0), files.c.sort_name]
    else:
        columns = [_COLUMNS[sort]]
    columns.append(files.c.pk)
    directed = [column.desc() if query.descending else column.asc() for column in columns]
    if sort in (Sort.DURATION, Sort.LAST_ACCESSED):
        directed.insert(0, columns[0].is_(None))
    return directed


def _relevance(alternatives: Sequence[Sequence[str]]) -> list[Any]:
    """Best first: the name itself, its begin, a word in it, anywhere in it, all words in it, elsewhere."""
    first = " ".join(choices[0] for choices in alternatives)
    name = files.c.folded_name
    padded = " " + name
    place = case(
        (name == first, 0),
        (name.startswith(first + " ", autoescape=True), 1),
        (name.startswith(first, autoescape=True), 2),
        (padded.contains(" " + first, autoescape=True), 3),
        (name.contains(first, autoescape=True), 4),
        (and_(*(name.contains(choices[0], autoescape=True) for choices in alternatives)), 5),
        (or_(*(name.contains(word, autoescape=True) for choices in alternatives for word in choices)), 6),
        else_=7,
    )
    return [place, func.length(name), files.c.sort_name]
