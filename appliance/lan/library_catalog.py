"""The library as TVs browse it: `dlna.catalog.Catalog` over the shelf, as far as each TV may see."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Hashable, Sequence

from appliance.journal.journal import Journal
from appliance.lan.media import Media
from appliance.lan.media_urls import MediaUrls
from appliance.lan.shelf import searching, views
from appliance.lan.shelf.items import Items
from appliance.lan.shelf.objects import ITEM
from appliance.lan.shelf.shelf import AT_ONCE, Shelf
from appliance.lan.shelf.sorting import Sort
from appliance.lan.shelf.store import MEDIA, Chosen
from appliance.lan.tv import State, Tv
from appliance.lan.tvs import Tvs
from appliance.library.items import Change
from appliance.library.names import sort_key
from dlna.catalog import (
    FAVOURITES,
    FOLDERS,
    MUSIC_ALL,
    MUSIC_RECENT,
    PHOTOS_ALL,
    PHOTOS_FOLDERS,
    PHOTOS_RECENT,
    PHOTOS_YEARS,
    POPULAR,
    ROOT,
    VIDEOS_ALL,
    VIDEOS_CONTINUE,
    VIDEOS_RECENT,
    Container,
    Item,
    NoSuchObject,
    NotAllowed,
    Object,
    Opened,
    Page,
    SortKey,
    Viewer,
)
from dlna.search_criteria import Criteria, matches

WHOLE_KINDS = {VIDEOS_ALL: ("video",), MUSIC_ALL: ("audio",), PHOTOS_ALL: ("image",)}
RECENT_KINDS = {VIDEOS_RECENT: ("video",), MUSIC_RECENT: ("audio",), PHOTOS_RECENT: ("image",)}
OF_PEOPLE = (VIDEOS_CONTINUE, FAVOURITES, POPULAR)
"""Views that depend on people's marks."""
HOUSEHOLD = "household"
"""Whose positions a TV that is nobody's keeps, for files that nobody has begun."""
ASK = "ask"


class LibraryCatalog:
    """`update_ids` are container id → revision of its last change, kept by the listener."""

    def __init__(
        self,
        shelf: Shelf,
        tvs: Tvs,
        journal: Journal,
        urls: MediaUrls,
        media: Media,
        *,
        name: str,
    ) -> None:
        self._shelf, self._tvs, self._journal, self._urls = shelf, tvs, journal, urls
        self._media, self._items, self._name = media, Items(shelf, urls), name
        self.revision = 0
        self.update_ids: dict[str, int] = {}

    def changed(self, change: Change) -> None:
        """The library is another."""
        self._shelf.changed()
        self._items.changed(change)
        self.revision = change.revision

    @property
    def system_update_id(self) -> int:
        return self.revision & 0xFFFFFFFF

    async def seen(self, viewer: Viewer) -> None:
        await self._tvs.recognise(viewer)

    async def version(self, viewer: Viewer) -> Hashable:
        tv = self._tvs.known(viewer)
        if tv is None or not self._tvs.may(tv):
            return None
        return (tv.id, tv.folders, tv.user_id, self.revision, self._urls.expiry(), self._shelf.marks())

    async def _item(self, tv: Tv, pk: int, object_id: str, seen_in: str | None) -> Item:
        for one in await self._items.shown(tv, [pk], seen_in):
            return one
        raise NoSuchObject(object_id)

    async def metadata(self, viewer: Viewer, object_id: str) -> Object:
        tv = await self._tvs.recognise(viewer)
        if tv is None or not self._tvs.may(tv):
            return self._asking(tv, object_id)
        prefix, dollar, file_id = object_id.rpartition("$")
        if not dollar:
            return await self._container(tv, object_id)
        row = await self._shelf.row(tv.folders, file_id)
        if row is None:
            raise NoSuchObject(object_id)
        if prefix != ITEM:
            await self._container(tv, prefix)
        return await self._item(tv, row.pk, object_id, None if prefix == ITEM else prefix)

    async def children(
        self, viewer: Viewer, container_id: str, start: int, count: int, sort: tuple[SortKey, ...]
    ) -> Page:
        tv = await self._tvs.recognise(viewer)
        if tv is None or not self._tvs.may(tv):
            if container_id == ROOT:
                return Page((self._asking(tv, ASK),)[start : start + count], 1)
            self._asking(tv, container_id)
            return Page((), 0)
        if "$" in container_id:
            raise NoSuchObject(container_id)
        wanted = tuple((key.property, key.descending) for key in sort)
        containers, pks = await self._contents(tv, container_id, wanted)
        total = len(containers) + len(pks)
        shown: list[Object] = []
        for one in containers[start : start + count]:
            shown.append(one if isinstance(one, Container) else await self._container(tv, one))
        first = max(0, start - len(containers))
        seen_in = None if container_id.startswith("folder/") or container_id == FOLDERS else container_id
        shown.extend(await self._items.shown(tv, pks[first : first + count - len(shown)], seen_in))
        return Page(tuple(shown), total)

    async def search(
        self,
        viewer: Viewer,
        container_id: str,
        criteria: Criteria | None,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        tv = await self._tvs.recognise(viewer)
        if tv is None or not self._tvs.may(tv):
            return Page((), 0)
        await self._container(tv, container_id)
        wanted = tuple((key.property, key.descending) for key in sort)
        shown: list[Object] = []
        containers: list[Container] = []
        if searching.wants_containers(criteria):
            containers = await self._containers_that_fit(tv, container_id, criteria)
            if ("dc:title", True) in wanted:
                containers.reverse()
            shown += containers[start : start + count]
        pks = await self._shelf.keep(
            ("search", tv.folders, container_id, criteria, wanted),
            lambda: self._files_that_fit(tv, container_id, criteria, wanted),
            of_people=container_id in OF_PEOPLE,
        )
        first = max(0, start - len(containers))
        shown += await self._items.shown(tv, pks[first : first + count - len(shown)], None)
        return Page(tuple(shown), len(containers) + len(pks))

    async def open(self, viewer: Viewer, token: str, name: str) -> Opened:
        return await self._media.open(viewer, token)

    async def set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        tv = await self._tvs.recognise(viewer)
        if tv is None or not self._tvs.may(tv):
            raise NotAllowed("This TV is not allowed yet.")
        file_id = object_id.rpartition("$")[2]
        row = await self._shelf.row(tv.folders, file_id)
        if row is None or "$" not in object_id:
            raise NoSuchObject(object_id)
        if row.duration_sec:
            seconds = min(seconds, row.duration_sec)
        user_id = tv.user_id or await self._shelf.whose(file_id) or HOUSEHOLD
        await self._journal.set_position(user_id, file_id, seconds)

    # What a TV sees that is not allowed (yet)

    def _asking(self, tv: Tv | None, object_id: str) -> Container:
        if object_id == ROOT:
            return Container(ROOT, "-1", self._name, 1)
        if object_id != ASK:
            raise NoSuchObject(object_id)
        if tv is None:
            words = "This TV is not recognised; switch it off and on"
        elif tv.state is State.BLOCKED:
            words = "This TV is blocked"
        else:
            words = f"Allow this TV in Mantel with the code {tv.code}"
        return Container(ASK, ROOT, words, 0)

    # Containers

    def _update_id(self, container_id: str) -> int:
        return self.update_ids.get(container_id, self.revision) & 0xFFFFFFFF

    async def _container(self, tv: Tv, container_id: str) -> Container:
        """Raises NoSuchObject."""
        number = self._update_id(container_id)
        if container_id == ROOT:
            return Container(ROOT, "-1", self._name, len(await self._root(tv)), update_id=number)
        if container_id.startswith("folder/"):
            tree = await self._shelf.tree(tv.folders)
            node = tree.node(container_id.removeprefix("folder/"))
            if node is None:
                raise NoSuchObject(container_id)
            lone = len(tree.top) == 1
            parent = FOLDERS if node.parent is None else f"folder/{tree.nodes[node.parent].id}"
            if lone and node.parent == tree.top[0] and not tv.folders:
                parent = FOLDERS
            return Container(container_id, parent, node.name, tree.children(node.pk), update_id=number)
        if container_id in views.TITLES:
            containers, pks = await self._contents(tv, container_id, ())
            parent = views.PARENTS[container_id]
            size = len(containers) + len(pks)
            return Container(
                container_id, parent, views.TITLES[container_id], size, "object.container", number
            )
        view = next((v for v in views.GROUPS if container_id.startswith(v + "/")), None)
        if view and (group := (await self._shelf.groups(tv.folders, view)).get(container_id)):
            return searching.group_container(group, view, number)
        if container_id.startswith(PHOTOS_YEARS + "/"):
            photos = await self._shelf.photos(tv.folders)
            when = container_id.removeprefix(PHOTOS_YEARS + "/")
            if when in photos.years:
                return Container(
                    container_id, PHOTOS_YEARS, when, len(photos.years[when]), "object.container", number
                )
            if when in photos.months:
                parent = f"{PHOTOS_YEARS}/{when[:4]}"
                size = len(photos.months[when])
                return Container(
                    container_id, parent, views.month_title(when), size,
                    "object.container.album.photoAlbum", number,
                )  # fmt: skip
        raise NoSuchObject(container_id)

    async def _root(self, tv: Tv) -> list[str]:
        found = []
        for view in views.INSIDE[ROOT]:
            if view not in views.NOT_WHEN_EMPTY or (await self._contents(tv, view, ()))[1]:
                found.append(view)
        return found

    async def _contents(
        self, tv: Tv, container_id: str, sort: Sort
    ) -> tuple[Sequence[Container | str], Sequence[int]]:
        """(containers or their ids, keys of files) directly in it. Raises NoSuchObject."""
        shelf, limit = self._shelf, tv.folders
        if container_id == ROOT:
            return await self._root(tv), ()
        if container_id in views.INSIDE:
            inside = views.INSIDE[container_id]
            return [
                v
                for v in inside
                if v not in views.NOT_WHEN_EMPTY or await shelf.unfinished(limit, tv.user_id)
            ], ()
        if container_id == FOLDERS or container_id.startswith("folder/"):
            return await self._folder(tv, container_id, sort)
        if container_id in WHOLE_KINDS:
            return (), await shelf.listing(limit, Chosen(WHOLE_KINDS[container_id]), sort)
        if container_id in RECENT_KINDS:
            return (), await shelf.newest(limit, RECENT_KINDS[container_id], views.RECENT)
        if container_id == VIDEOS_CONTINUE:
            return (), await shelf.unfinished(limit, tv.user_id)
        if container_id == FAVOURITES:
            return (), await shelf.favourites(limit, tv.user_id)
        if container_id == POPULAR:
            return (), await shelf.popular(limit)
        if container_id == PHOTOS_FOLDERS:
            return await self._folders_with_photos(tv), ()
        if container_id in views.GROUPS:
            groups = list(await shelf.groups(limit, container_id))
            return groups[::-1] if ("dc:title", True) in sort else groups, ()
        if container_id.startswith(PHOTOS_YEARS):
            return await self._photos(tv, container_id)
        view = next((v for v in views.GROUPS if container_id.startswith(v + "/")), None)
        group = (await shelf.groups(limit, view)).get(container_id) if view else None
        if group is None or view is None:
            raise NoSuchObject(container_id)
        what = views.GROUPS[view]
        chosen = Chosen(
            ("audio",),
            artist=group.name if what == "artist" else None,
            album=group.key if what == "album" else None,
            genre=group.name if what == "genre" else None,
        )
        return (), await (shelf.listing(limit, chosen, sort) if sort else shelf.album(limit, chosen))

    async def _folder(self, tv: Tv, container_id: str, sort: Sort) -> tuple[Sequence[str], Sequence[int]]:
        tree = await self._shelf.tree(tv.folders)
        if container_id == FOLDERS:
            if len(tree.top) != 1 or tv.folders:
                return [f"folder/{tree.nodes[pk].id}" for pk in tree.top], ()
            pk = tree.top[0]  # one root: its contents at once
        else:
            node = tree.node(container_id.removeprefix("folder/"))
            if node is None:
                raise NoSuchObject(container_id)
            pk = node.pk
        folders = [f"folder/{node.id}" for node in tree.inside(pk)]
        if ("dc:title", True) in sort:
            folders.reverse()
        return folders, await self._shelf.listing(tv.folders, Chosen(folder_pk=pk), sort)

    async def _folders_with_photos(self, tv: Tv) -> list[str]:
        tree = await self._shelf.tree(tv.folders)
        return [f"folder/{tree.nodes[pk].id}" for pk in tree.with_kind("image")]

    async def _photos(self, tv: Tv, container_id: str) -> tuple[Sequence[str], Sequence[int]]:
        photos = await self._shelf.photos(tv.folders)
        if container_id == PHOTOS_YEARS:
            return [f"{PHOTOS_YEARS}/{year}" for year in photos.years], ()
        when = container_id.removeprefix(PHOTOS_YEARS + "/")
        if when in photos.years:
            return [f"{PHOTOS_YEARS}/{month}" for month in photos.years[when]], ()
        if when in photos.months:
            return (), photos.months[when]
        raise NoSuchObject(container_id)

    # Search

    async def _files_that_fit(
        self, tv: Tv, container_id: str, criteria: Criteria | None, sort: Sort
    ) -> Sequence[int]:
        kinds, folders = searching.kinds_of(criteria), None
        decided = searching.is_only_class(criteria)
        if container_id.startswith("folder/"):
            tree = await self._shelf.tree(tv.folders)
            node = tree.node(container_id.removeprefix("folder/"))
            folders = tree.below(node.pk) if node else frozenset()
        else:
            kinds = tuple(kind for kind in kinds if kind in views.KINDS.get(container_id, MEDIA))
        if not kinds:
            return ()
        if container_id in views.WHOLE or folders is not None:
            pks = await self._shelf.listing(tv.folders, Chosen(kinds, criteria=None if decided else criteria))
        else:
            pks, decided = array("q", await self._below(tv, container_id)), False
        if not decided or folders is not None:
            found: list[int] = []
            for start in range(0, len(pks), AT_ONCE):
                rows = await self._shelf.rows(pks[start : start + AT_ONCE])
                found += await asyncio.to_thread(searching.those_that_fit, criteria, rows, folders)
            pks = array("q", found)
        return await self._shelf.sorted(pks, sort) if sort else pks

    async def _below(self, tv: Tv, container_id: str) -> list[int]:
        """Keys of the files in a view, and in the views in it."""
        containers, pks = await self._contents(tv, container_id, ())
        found = list(pks)
        for one in containers:
            found += await self._below(tv, one if isinstance(one, str) else one.id)
        return list(dict.fromkeys(found))

    async def _containers_that_fit(
        self, tv: Tv, container_id: str, criteria: Criteria | None
    ) -> list[Container]:
        """Artists, albums, genres and folders below a container."""
        found = []
        for view in views.GROUPS:
            if container_id in (ROOT, view, views.PARENTS[view]):
                for group in (await self._shelf.groups(tv.folders, view)).values():
                    found.append(searching.group_container(group, view, self._update_id(group.id)))
        if container_id in (ROOT, FOLDERS) or container_id.startswith("folder/"):
            tree = await self._shelf.tree(tv.folders)
            top = tree.node(container_id.removeprefix("folder/"))
            for pk in tree.nodes if top is None else tree.below(top.pk):
                if top is None or pk != top.pk:
                    found.append(await self._container(tv, f"folder/{tree.nodes[pk].id}"))
        fitting = [one for one in found if matches(criteria, searching.values_of(one))]
        return sorted(fitting, key=lambda one: sort_key(one.title))
