"""A shelf with the root alone: what TVs browse while nothing is shared with them."""

from __future__ import annotations

from dlna.catalog import ROOT, Container, NoSuchObject, Object, Opened, Page, SortKey, Viewer
from dlna.search_criteria import Criteria


class BareShelf:
    """A `Catalog`."""

    system_update_id = 1

    def __init__(self, name: str) -> None:
        self._root = Container(ROOT, "-1", name, child_count=0)

    async def seen(self, viewer: Viewer) -> None:
        pass

    async def metadata(self, viewer: Viewer, object_id: str) -> Object:
        if object_id != ROOT:
            raise NoSuchObject(object_id)
        return self._root

    async def children(
        self, viewer: Viewer, container_id: str, start: int, count: int, sort: tuple[SortKey, ...]
    ) -> Page:
        await self.metadata(viewer, container_id)
        return Page((), 0)

    async def search(
        self,
        viewer: Viewer,
        container_id: str,
        criteria: Criteria | None,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        return await self.children(viewer, container_id, start, count, sort)

    async def open(self, viewer: Viewer, token: str, name: str) -> Opened:
        raise NoSuchObject(token)

    async def set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        raise NoSuchObject(object_id)
