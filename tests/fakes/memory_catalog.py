"""A catalog of a few objects in memory: what the wire needs to be tested without a library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from dlna.catalog import ROOT, Container, Item, NoSuchObject, Object, Page, Resource, SortKey, Viewer
from dlna.search_criteria import Criteria, matches


@dataclass
class MemoryOpened:
    resource: Resource
    path: Path
    caption_path: str | None = None
    cross_origin: bool = False

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        return web.FileResponse(self.path, headers={**headers, "Content-Type": self.resource.mime_type})

    def close(self) -> None:
        pass


@dataclass
class MemoryCatalog:
    """`objects` in order; `files` by path of their resource."""

    objects: list[Object]
    files: dict[str, Path] = field(default_factory=dict)
    system_update_id: int = 1
    viewers: list[Viewer] = field(default_factory=list)
    positions: dict[str, float] = field(default_factory=dict)

    async def seen(self, viewer: Viewer) -> None:
        self.viewers.append(viewer)

    async def version(self, viewer: Viewer) -> None:
        """Nothing is kept: what a test adds is there at once."""

    async def metadata(self, viewer: Viewer, object_id: str) -> Object:
        for one in self.objects:
            if one.id == object_id:
                return one
        raise NoSuchObject(object_id)

    async def children(
        self, viewer: Viewer, container_id: str, start: int, count: int, sort: tuple[SortKey, ...]
    ) -> Page:
        if not isinstance(await self.metadata(viewer, container_id), Container):
            raise NoSuchObject(container_id)
        found = [one for one in self.objects if one.parent_id == container_id]
        for key in reversed(sort):
            found.sort(key=lambda one: _values(one, key.property), reverse=key.descending)
        return Page(tuple(found[start : start + count]), len(found))

    async def search(
        self,
        viewer: Viewer,
        container_id: str,
        criteria: Criteria | None,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        await self.metadata(viewer, container_id)
        found = [
            one
            for one in self.objects
            if one.id != ROOT and matches(criteria, lambda name, one=one: _values(one, name))
        ]
        return Page(tuple(found[start : start + count]), len(found))

    async def open(self, viewer: Viewer, token: str, name: str) -> MemoryOpened:
        path = f"/m/{token}/{name}"
        for one in self.objects:
            for resource in one.resources if isinstance(one, Item) else ():
                if resource.path == path and path in self.files:
                    caption = one.captions[0].path if one.captions else None
                    return MemoryOpened(resource, self.files[path], caption)
        raise NoSuchObject(token)

    async def set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        await self.metadata(viewer, object_id)
        self.positions[object_id] = seconds


def _values(one: Object, name: str) -> list[str]:
    value = {"dc:title": one.title, "upnp:class": one.upnp_class, "@id": one.id}.get(name)
    return [value] if value else []
