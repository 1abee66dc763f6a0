"""The port: what a media server shows, searches and opens, and what it learns from TVs.

The wire asks; whoever owns the library answers. Everything that crosses is one of the values below.
Sizes are bytes, times are seconds, dates are ISO 8601.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from aiohttp import web

    from dlna.clients.client import Client
    from dlna.search_criteria import Criteria

ROOT = "0"
"""ContentDirectory:1 §2.7.1: the root container is "0", its parent "-1"."""

FOLDERS = "folders"
VIDEOS, VIDEOS_ALL, VIDEOS_RECENT = "videos", "videos/all", "videos/recent"
VIDEOS_CONTINUE = "videos/continue"
MUSIC, MUSIC_ALL, MUSIC_RECENT = "music", "music/all", "music/recent"
MUSIC_ARTISTS, MUSIC_ALBUMS, MUSIC_GENRES = "music/artists", "music/albums", "music/genres"
PHOTOS, PHOTOS_ALL, PHOTOS_RECENT = "photos", "photos/all", "photos/recent"
PHOTOS_YEARS, PHOTOS_FOLDERS = "photos/years", "photos/folders"
FAVOURITES, POPULAR = "favourites", "popular"
"""Ids of the views. Some families ask for one by a number of their own (clients/)."""


class NoSuchObject(Exception):
    """The object id is unknown, or not for this viewer: the same answer."""

    def __init__(self, object_id: str) -> None:
        super().__init__(f"no object {object_id[:80]!r}")
        self.object_id = object_id


class NotAllowed(Exception):
    """This viewer may not fetch that; `why` is fit to be shown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Away(Exception):
    """The item is known, and its disk is not there now."""


class MediaKind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"


@dataclass(frozen=True)
class Viewer:
    """The device behind one request. Its family and name choose quirks, never permission."""

    address: str
    """Numeric address of the peer."""
    interface: str
    """Name of the interface that it came in by."""
    client: Client
    user_agent: str = ""
    name: str = ""
    """What the device calls itself, where known; cleaned and cut by whoever shows it."""
    host: str = ""
    """Our own `address:port` as this peer reaches it."""


@dataclass(frozen=True)
class Resource:
    """One way to fetch an item: a `res` element."""

    path: str
    """Absolute path on this listener; its last part ends in a real extension, no query."""
    mime_type: str
    size: int | None = None
    duration: float | None = None
    resolution: str | None = None
    """`1920x1080`"""
    bitrate: int | None = None
    """Bytes per second (ContentDirectory:1 §B.2.1: res@bitrate is bytes, not bits)."""
    sample_rate: int | None = None
    channels: int | None = None
    profile: str | None = None
    """DLNA.ORG_PN, only where certain."""
    codecs: str = ""
    """Of picture and sound, as ffprobe calls them: `h264+ac3`; empty where not known."""
    converted: bool = False
    """CI=1: not the original bytes."""
    kind: MediaKind = MediaKind.VIDEO


@dataclass(frozen=True)
class Caption:
    """A text track beside a video, served in UTF-8."""

    path: str
    kind: str
    """`srt`, `smi` or `vtt`"""
    language: str | None = None


@dataclass(frozen=True)
class Picture:
    """Album art or a thumbnail."""

    path: str
    mime_type: str
    profile: str
    """JPEG_TN (at most 160x160), JPEG_SM (640x480) or JPEG_MED (1024x768)."""
    resolution: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Item:
    id: str
    parent_id: str
    title: str
    kind: MediaKind
    resources: tuple[Resource, ...]
    ref_id: str | None = None
    """Id of the same item in its folder, when this one is seen through a view."""
    date: str | None = None
    """`2026-11-22`, or `2026-11-22T18:04:05Z`; never 19 characters without a zone (Kodi shows 1905)."""
    artist: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    album: str | None = None
    genre: str | None = None
    track: int | None = None
    disc: int | None = None
    description: str | None = None
    rating: str | None = None
    pictures: tuple[Picture, ...] = ()
    captions: tuple[Caption, ...] = ()
    position: float | None = None
    """Where this household stopped, in seconds."""
    play_count: int | None = None
    update_id: int = 0
    music_class: str = "object.item.audioItem.musicTrack"
    told: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)
    """How it was written to whom (didl): an item that is kept is written once."""

    @property
    def upnp_class(self) -> str:
        return {
            MediaKind.VIDEO: "object.item.videoItem",
            MediaKind.AUDIO: self.music_class,
            MediaKind.IMAGE: "object.item.imageItem.photo",
        }[self.kind]


@dataclass(frozen=True)
class Container:
    id: str
    parent_id: str
    title: str
    child_count: int
    """True, always: Samsung TVs show an empty folder where it is wrong or missing."""
    upnp_class: str = "object.container.storageFolder"
    update_id: int = 0
    artist: str | None = None
    genre: str | None = None
    pictures: tuple[Picture, ...] = ()
    searchable: bool = True


Object = Container | Item


@dataclass(frozen=True)
class Page:
    """Objects from `start` on, and how many there are in all."""

    objects: tuple[Object, ...]
    total: int


@dataclass(frozen=True)
class SortKey:
    """One property of SortCriteria."""

    property: str
    descending: bool = False


class Opened(Protocol):
    """What a media path leads to, ready to be sent. Always `close()`d by whoever asked."""

    resource: Resource
    caption_path: str | None
    """Path of the item's first SRT track, for CaptionInfo.sec."""
    cross_origin: bool
    """Whether a web page (a Cast receiver) may fetch it."""

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Send the whole or the asked range, with `headers` on top. HEAD sends the same headers alone."""
        ...

    def close(self) -> None: ...


class Catalog(Protocol):
    """What may be browsed, searched and opened, as one viewer sees it.

    NoSuchObject wherever an id is unknown to that viewer.
    """

    @property
    def system_update_id(self) -> int:
        """Grows by every change of anything shown; survives a restart (ui4, wraps)."""
        ...

    async def seen(self, viewer: Viewer) -> None:
        """A device asked for something. Called for every SOAP request: cheap."""
        ...

    async def version(self, viewer: Viewer) -> Hashable:
        """What the answers to this viewer depend on: while it is the same, so is the answer to the same call.

        None: nothing may be kept for it.
        """
        ...

    async def metadata(self, viewer: Viewer, object_id: str) -> Object: ...

    async def children(
        self, viewer: Viewer, container_id: str, start: int, count: int, sort: tuple[SortKey, ...]
    ) -> Page:
        """`count` objects from `start` on. Raises NoSuchObject also when the id is an item's."""
        ...

    async def search(
        self,
        viewer: Viewer,
        container_id: str,
        criteria: Criteria | None,
        start: int,
        count: int,
        sort: tuple[SortKey, ...],
    ) -> Page:
        """Objects anywhere below the container; `criteria` None is `*`: all items."""
        ...

    async def open(self, viewer: Viewer, token: str, name: str) -> Opened:
        """What `/m/<token>/<name>` leads to. Raises NoSuchObject, NotAllowed, Away."""
        ...

    async def set_position(self, viewer: Viewer, object_id: str, seconds: float) -> None:
        """A TV says where it stopped. Raises NoSuchObject, NotAllowed."""
        ...


@dataclass
class Changed:
    """What changed since the last event: container id → its new update id."""

    system_update_id: int = 0
    containers: dict[str, int] = field(default_factory=dict)
