"""Files as the items of one TV, kept while the file stays what it is.

Rule 1: an item is made of its row, its captions, its signed paths and the TV; a change of the library drops
those that it names, and the videos of the folders that it names (a caption may have come or gone there).
Rule 2: a position is no part of that: it is looked up each time, and an item that moved on is made over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.lan.captions import numbers
from appliance.lan.media_urls import MediaUrls
from appliance.lan.shelf.objects import Sign, item
from appliance.lan.shelf.shelf import Shelf
from appliance.lan.tv import Tv
from appliance.library.items import Change
from dlna.catalog import Caption, Item, MediaKind

KEPT = 3_000
"""Items, the latest made; one has about 3 KB with the way it was written."""
MANY = 1_000
"""Files in one change, beyond which all items are dropped at once."""


@dataclass
class _Kept:
    expiry: int
    file_id: str
    folder_id: str
    item: Item


class Items:
    def __init__(self, shelf: Shelf, urls: MediaUrls) -> None:
        self._shelf, self._urls = shelf, urls
        self._kept: dict[tuple[str, str | None, int], _Kept] = {}
        self._generation = 0

    def changed(self, change: Change) -> None:
        self._generation += 1
        files = {*change.added, *change.changed, *change.removed}
        if len(files) > MANY:
            self._kept.clear()
            return
        folders = frozenset(change.folders)
        for key, one in list(self._kept.items()):
            beside = one.folder_id in folders and one.item.kind is MediaKind.VIDEO
            if beside or one.file_id in files:
                del self._kept[key]

    async def shown(self, tv: Tv, pks: Sequence[int], seen_in: str | None) -> list[Item]:
        """The files with these keys, in their order; what is gone since is left out. `seen_in` is the view
        that they are listed by, None for their own folder."""
        expiry, kept = self._urls.expiry(), self._kept
        found: dict[int, _Kept] = {}
        for pk in pks:
            one = kept.get((tv.id, seen_in, pk))
            if one is not None and one.expiry == expiry:
                found[pk] = one
        if len(found) < len(pks):
            await self._make(tv, [pk for pk in pks if pk not in found], seen_in, expiry, found)
        positions = await self._shelf.positions(tv.user_id)
        stopped = positions.get
        return [
            one.item if one.item.position == stopped(one.file_id) else _at(one, positions)
            for pk in pks
            if (one := found.get(pk)) is not None
        ]

    async def _make(
        self, tv: Tv, pks: Sequence[int], seen_in: str | None, expiry: int, found: dict[int, _Kept]
    ) -> None:
        generation = self._generation
        captions = await self._shelf.captions()
        sign = self._urls.for_tv
        for row in await self._shelf.rows(pks):

            def signed(rendition: str, extension: str, file_id: str = row.id) -> str:
                return sign(file_id, rendition, tv.id, extension, expiry)

            tracks = _captions(row, captions, signed) if row.kind == MediaKind.VIDEO.value else ()
            one = _Kept(expiry, row.id, row.folder_id, item(row, signed, seen_in=seen_in, captions=tracks))
            found[row.pk] = one
            if generation == self._generation:
                self._kept[tv.id, seen_in, row.pk] = one
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]


def _at(one: _Kept, positions: Mapping[str, float]) -> Item:
    """The item where this person stopped now."""
    seconds = positions.get(one.file_id)
    one.item = replace(one.item, position=seconds, play_count=1 if seconds else 0)
    return one.item


def _captions(row: Any, captions: Mapping[int, Sequence[bytes]], sign: Sign) -> tuple[Caption, ...]:
    """Files beside a video that carry its name. Those inside it a TV finds by itself."""
    stem = row.raw_name.rpartition(b".")[0].lower() + b"."
    names = [name for name in captions.get(row.folder_pk, ()) if name.lower().startswith(stem)]
    return tuple(
        Caption(sign(f"{kind}{number}", kind), kind)
        for number in numbers(names, row.raw_name)
        for kind in ("srt", "smi")
    )
