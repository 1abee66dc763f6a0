"""Listings and searches over the files: one query for the page, one for the total.

A search folds its words (names.fold) and wants each of them somewhere in the searchable text. A word that
nothing holds is corrected by the nearest ones of the library's own vocabulary first. Substrings come from
FTS5 indexes on SQLite and a pg_trgm index on PostgreSQL; order and correction are the same on both, so that
the same words find the same files. On SQLite a plain search, best first, is one statement that stops as soon
as the page is full (fts5.ranked).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts.caller import Audience
from appliance.journal.tables import popularity
from appliance.library import fts5, store
from appliance.library.items import FileQuery, Page, Sort
from appliance.library.moment import TAKEN
from appliance.library.names import fold
from appliance.library.tables import LONGEST_RANKED, files, folders
from appliance.library.vocabulary import Term, Vocabulary


async def page(
    connection: AsyncConnection,
    root_pks: Collection[int],
    sees: frozenset[Audience],
    query: FileQuery,
    vocabulary: Vocabulary,
    every_root: bool = False,
) -> Page:
    """One page of the files that match, and how many there are in all.

    `every_root`: the index knows no roots but these.
    """
    terms: list[Term] = []
    if query.query.strip():
        understood = vocabulary.understand(query.query)
        if not understood:
            return Page((), 0)
        terms = understood
    if terms and every_root and connection.dialect.name == "sqlite" and _is_plain(query):
        return await _best(connection, sees, query, terms)
    order, total = await _ordered(connection, root_pks, sees, query, terms)
    rows = await connection.execute(store.visible_files(root_pks, sees).where(files.c.pk.in_(order)))
    by_pk = {row.pk: row for row in rows}
    return Page(tuple(store.as_file(by_pk[pk]) for pk in order if pk in by_pk), total)


def _is_plain(query: FileQuery) -> bool:
    """Whether only words, kinds and the page tell this query from the one for everything, best first."""
    common = FileQuery(query.query, query.kinds, sort=query.sort, offset=query.offset, limit=query.limit)
    return query == common and query.sort in (None, Sort.RELEVANCE)


async def _best(
    connection: AsyncConnection, sees: frozenset[Audience], query: FileQuery, terms: Sequence[Term]
) -> Page:
    only = fts5.only_these(Audience.HOUSEHOLD in sees, query.kinds)
    hits = fts5.ranked(terms, only, query.offset, query.limit)
    found = store.with_folder().add_columns(hits.c.total).join(hits, hits.c.pk == files.c.pk)
    rows = (await connection.execute(found.order_by(hits.c.tier, hits.c.rank))).all()
    if rows or not query.offset:
        return Page(tuple(store.as_file(row) for row in rows), rows[0].total if rows else 0)
    first = (await connection.execute(select(fts5.ranked(terms, only, 0, 1)))).first()
    return Page((), first.total if first else 0)


async def _ordered(
    connection: AsyncConnection,
    root_pks: Collection[int],
    sees: frozenset[Audience],
    query: FileQuery,
    terms: Sequence[Term],
) -> tuple[list[int], int]:
    """Keys of the page's files in any order that a query may ask for, and the number of all that match."""
    shown = [files.c.gone_at.is_(None), *_conditions(root_pks, sees, query)]
    within = await _within(connection, query)
    if within is not None:
        shown.append(files.c.folder_pk.in_(within))
    shown += _matches(connection.dialect.name, terms)
    total = await _total(connection, shown)
    if total <= query.offset:
        return [], total
    wanted = select(files.c.pk).where(*shown).order_by(*_order(query, terms))
    if query.sort is Sort.POPULAR:
        wanted = wanted.outerjoin(popularity, popularity.c.file_id == files.c.id)
    rows = await connection.execute(wanted.offset(query.offset).limit(query.limit))
    return [row.pk for row in rows], total


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
    if query.may_be is not None:
        found.append(or_(files.c.sha256 == query.may_be, files.c.sha256.is_(None)))
    if query.name is not None:
        found.append(files.c.name == query.name)
    if query.uploader is not None:
        found.append(files.c.uploaded_by == query.uploader)
    if query.tag is not None:
        found.append(files.c.tag_keys.contains(f"|{fold(query.tag)}|", autoescape=True))
    if query.artist is not None:
        of_album = files.c.facts["tags"]["albumArtist"].as_string()
        found.append(or_(files.c.artist == query.artist, of_album == query.artist))
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


def _matches(dialect: str, terms: Sequence[Term]) -> list[ColumnElement[bool]]:
    """Each word, or one of its corrections, somewhere in the searchable text."""
    if dialect == "sqlite":
        return [files.c.pk.in_(fts5.matching(terms))] if terms else []
    return [_holds(files.c.folded, term) for term in terms]


def _holds(column: Any, term: Term) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = []
    for choice in term.choices:
        if term.begins:
            found += [column.startswith(choice), column.contains(" " + choice)]
        else:
            found.append(column.contains(choice))
    return or_(*found)


_COLUMNS: dict[Sort, Any] = {
    Sort.NAME: files.c.sort_name,
    Sort.CREATED_AT: files.c.created_at,
    Sort.SIZE: files.c.size_bytes,
    Sort.DURATION: files.c.duration_sec,
    Sort.LAST_ACCESSED: files.c.last_accessed_at,
    Sort.TAKEN: TAKEN,
}


def _order(query: FileQuery, terms: Sequence[Term]) -> list[Any]:
    sort = query.sort or (Sort.RELEVANCE if terms else Sort.NAME)
    if sort is Sort.RELEVANCE:
        columns = _relevance(terms) if terms else [files.c.sort_name]
    elif sort is Sort.POPULAR:
        columns = [-func.coalesce(popularity.c.plays, 0), files.c.sort_name]
    else:
        columns = [_COLUMNS[sort]]
    columns.append(files.c.pk)
    directed = [column.desc() if query.descending else column.asc() for column in columns]
    if sort in (Sort.DURATION, Sort.LAST_ACCESSED):
        directed.insert(0, columns[0].is_(None))
    if query.may_be is not None:
        directed.insert(0, files.c.sha256.is_(None))
    return directed


def _relevance(terms: Sequence[Term]) -> list[Any]:
    """As fts5.ranked: the name begins so, a word in it does, all is in it, elsewhere; shorter names first."""
    name = files.c.folded_name
    typed = fts5.phrases(terms)
    tier = case(
        (or_(*(name.startswith(phrase) for phrase in typed)), 0),
        (or_(*(name.contains(" " + phrase) for phrase in typed)), 1),
        (and_(*(_holds(name, term) for term in terms)), 2),
        else_=3,
    )
    length = func.length(name)
    return [tier, case((length > LONGEST_RANKED, LONGEST_RANKED), else_=length)]
