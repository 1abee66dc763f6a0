"""ContentDirectory:1: Browse, Search and their kin, over the Catalog. Nothing here writes to the library."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from dlna import didl, search_criteria
from dlna.catalog import (
    MUSIC,
    PHOTOS,
    ROOT,
    VIDEOS,
    Catalog,
    NoSuchObject,
    NotAllowed,
    Object,
    Page,
    SortKey,
    Viewer,
)
from dlna.clients.client import Bookmarks
from dlna.device import CONTENT_DIRECTORY
from dlna.errors import UpnpError
from dlna.scpd import load

LARGEST_PAGE = 500
"""Objects in one answer, whatever was asked for; NumberReturned says so and the client goes on."""
LONGEST_BOOKMARK = 7 * 24 * 3600
"""Seconds; more is nonsense."""

SORTABLE = (
    "dc:title",
    "dc:date",
    "dc:creator",
    "upnp:class",
    "upnp:artist",
    "upnp:album",
    "upnp:genre",
    "upnp:originalTrackNumber",
    "upnp:originalDiscNumber",
    "res@size",
    "res@duration",
)
SEARCHABLE = (
    *("@id", "@parentID", "@refID", "dc:title", "dc:creator", "dc:date", "dc:description"),
    *("upnp:class", "upnp:artist", "upnp:album", "upnp:genre"),
    *("upnp:originalTrackNumber", "upnp:originalDiscNumber", "upnp:albumArtURI"),
    *("res", "res@size", "res@duration", "res@resolution", "res@protocolInfo"),
)
"""Properties that may stand in SearchCriteria."""

_WRITABLE = ("upnp:lastPlaybackPosition", "upnp:playCount", "upnp:playbackCount", "xbmc:lastPlayerState")
"""What UpdateObject may name; all but the position is taken note of and dropped."""

Values = dict[str, object]


class ContentDirectory:
    """One action a method; arguments come checked by the SCPD, answers by name."""

    service_type = CONTENT_DIRECTORY
    scpd = load("ContentDirectory")

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.actions: dict[str, Callable[[Viewer, dict[str, str]], Awaitable[Values]]] = {
            "Browse": self.browse,
            "Search": self.search,
            "UpdateObject": self.update_object,
            "X_SetBookmark": self.set_bookmark,
            "GetSearchCapabilities": _always(SearchCaps=",".join(SEARCHABLE)),
            "GetSortCapabilities": _always(SortCaps=",".join(SORTABLE)),
            "GetSortExtensionCapabilities": _always(SortExtensionCaps="+,-"),
            "GetFeatureList": _always(FeatureList=_features(samsung=False)),
            "X_GetFeatureList": _always(FeatureList=_features(samsung=True)),
            "GetSystemUpdateID": self.get_system_update_id,
        }

    def evented(self) -> dict[str, str]:
        """The variables of the initial event."""
        return {
            "TransferIDs": "",
            "SystemUpdateID": str(self._catalog.system_update_id),
            "ContainerUpdateIDs": "",
        }

    async def browse(self, viewer: Viewer, given: dict[str, str]) -> Values:
        object_id = plain_id(given["ObjectID"], viewer)
        start, count = int(given["StartingIndex"]), int(given["RequestedCount"])
        sort = sort_keys(given["SortCriteria"], viewer)
        if given["BrowseFlag"] == "BrowseMetadata":
            if start:
                raise UpnpError(402, "StartingIndex of BrowseMetadata is 0")
            one = await self._find(viewer, object_id)
            return self._answer(viewer, given["Filter"], Page((one,), 1), one.update_id)
        try:
            page = await self._catalog.children(viewer, object_id, start, _page(count), sort)
        except NoSuchObject as error:
            raise UpnpError(701, error.object_id[:40]) from None
        return self._answer(viewer, given["Filter"], page)

    async def search(self, viewer: Viewer, given: dict[str, str]) -> Values:
        try:
            criteria = search_criteria.parse(given["SearchCriteria"])
        except search_criteria.BadCriteria as error:
            raise UpnpError(708, str(error)) from None
        if unknown := search_criteria.properties(criteria) - set(SEARCHABLE):
            raise UpnpError(708, f"{min(unknown)[:40]} cannot be searched")
        try:
            page = await self._catalog.search(
                viewer,
                plain_id(given["ContainerID"], viewer),
                criteria,
                int(given["StartingIndex"]),
                _page(int(given["RequestedCount"])),
                sort_keys(given["SortCriteria"], viewer),
            )
        except NoSuchObject as error:
            raise UpnpError(710, error.object_id[:40]) from None
        return self._answer(viewer, given["Filter"], page)

    async def get_system_update_id(self, viewer: Viewer, given: dict[str, str]) -> Values:
        return {"Id": self._catalog.system_update_id}

    async def set_bookmark(self, viewer: Viewer, given: dict[str, str]) -> Values:
        """Samsung: PosSecond is seconds, and milliseconds from 2017's models on."""
        position = float(given["PosSecond"])
        if viewer.client.bookmarks is Bookmarks.SAMSUNG_MILLISECONDS:
            position /= 1000
        await self._set_position(viewer, given["ObjectID"], position)
        return {}

    async def update_object(self, viewer: Viewer, given: dict[str, str]) -> Values:
        """Kodi tells its position this way; nothing else of an object may be written.

        Kodi 20 puts `<xbmc:lastPlayerState>` beside the position, and its ObjectID is the last part of its
        own URL, percent-encoded and with a slash behind it.
        """
        given = {**given, "ObjectID": unquote(given["ObjectID"]).rstrip("/")}
        tags = re.findall(r"<\s*([\w:]{1,60})[^<>]*>([^<>]*)</\s*\1\s*>", given["NewTagValue"][:4096])
        if not tags:
            raise UpnpError(703)
        positions = [value for name, value in tags if name == "upnp:lastPlaybackPosition"]
        for name, _ in tags:
            if name not in _WRITABLE:
                raise UpnpError(705, name)
        await self._find(viewer, plain_id(given["ObjectID"], viewer))
        if positions:
            if not re.fullmatch(r"\s*\d{1,9}(\.\d{1,6})?\s*", positions[0]):
                raise UpnpError(703, "upnp:lastPlaybackPosition is no number of seconds")
            await self._set_position(viewer, given["ObjectID"], float(positions[0]))
        return {}

    async def _find(self, viewer: Viewer, object_id: str) -> Object:
        try:
            return await self._catalog.metadata(viewer, object_id)
        except NoSuchObject as error:
            raise UpnpError(701, error.object_id[:40]) from None

    async def _set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        if seconds > LONGEST_BOOKMARK:
            raise UpnpError(601, "the position is not in this film")
        try:
            await self._catalog.set_position(viewer, plain_id(object_id, viewer), seconds)
        except NoSuchObject as error:
            raise UpnpError(701, error.object_id[:40]) from None
        except NotAllowed as error:
            raise UpnpError(606, error.why) from None

    def _answer(self, viewer: Viewer, wanted: str, page: Page, update_id: int | None = None) -> Values:
        return {
            "Result": didl.escaped_document(page.objects, viewer, didl.Filter.read(wanted)),
            "NumberReturned": len(page.objects),
            "TotalMatches": page.total,
            "UpdateID": self._catalog.system_update_id if update_id is None else update_id,
        }


def plain_id(object_id: str, viewer: Viewer) -> str:
    """Our id of what the client named: an empty one is the root, a version is dropped, aliases resolved."""
    plain = object_id.strip().partition("#")[0] or ROOT
    return viewer.client.aliases.get(plain, plain)


def sort_keys(text: str, viewer: Viewer) -> tuple[SortKey, ...]:
    """SortCriteria (§2.5.8): `+dc:title,-dc:date`. Raises UpnpError 709."""
    keys = []
    for part in (viewer.client.forced_sort or text).split(","):
        part = part.strip()
        if not part:
            continue
        # Sony and old Xbox leave the sign away; it means ascending.
        name = part.lstrip("+-")
        if name not in SORTABLE or len(part) - len(name) > 1:
            raise UpnpError(709, part[:40])
        keys.append(SortKey(name, part.startswith("-")))
    return tuple(keys)


def _page(count: int) -> int:
    """RequestedCount 0 asks for all."""
    return min(count or LARGEST_PAGE, LARGEST_PAGE)


def _always(**values: object) -> Callable[[Viewer, dict[str, str]], Awaitable[Values]]:
    async def answer(viewer: Viewer, given: dict[str, str]) -> Values:
        return dict(values)

    return answer


def _features(*, samsung: bool) -> str:
    """Samsung's BASICVIEW: where its music, film and photo pages begin."""
    views = (("audioItem", MUSIC), ("videoItem", VIDEOS), ("imageItem", PHOTOS)) if samsung else ()
    containers = "".join(f'<container id="{view}" type="object.item.{kind}"/>' for kind, view in views)
    feature = f'<Feature name="samsung.com_BASICVIEW" version="1">{containers}</Feature>' if views else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<Features xmlns="urn:schemas-upnp-org:av:avs"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:schemaLocation="urn:schemas-upnp-org:av:avs http://www.upnp.org/schemas/av/avs.xsd">'
        f"{feature}</Features>"
    )
