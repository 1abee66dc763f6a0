"""What one family of TVs needs beyond the standard, as a value. The default needs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlna.catalog import Resource


class Captions(Flag):
    """Ways to tell of subtitles."""

    SEC = auto()
    """`sec:CaptionInfoEx` and `sec:CaptionInfo` elements."""
    PV = auto()
    """`pv:subtitleFileType` and `pv:subtitleFileUri` on the video's res."""
    RESOURCE = auto()
    """A `res` of its own for each track."""
    HEADER = auto()
    """The CaptionInfo.sec header on the media's reply."""
    ALL = SEC | PV | RESOURCE | HEADER


class Bookmarks(Enum):
    """How a client is told where the household stopped, and what its own numbers mean."""

    NONE = "none"
    SAMSUNG_SECONDS = "samsung seconds"
    SAMSUNG_MILLISECONDS = "samsung milliseconds"
    KODI = "kodi"


@dataclass(frozen=True)
class Hints:
    """What a request, or the device's own description, tells of the device. Header names in lower case."""

    headers: Mapping[str, str]
    description: str = ""
    """`manufacturer / modelName / modelDescription` of its UPnP description, where it was read."""


@dataclass(frozen=True, eq=False)
class Client:
    """One family; there is one object of each.

    `signs` are (header or "description", pattern); one that is found decides.
    """

    family: str
    signs: tuple[tuple[str, str], ...] = ()
    mime_types: Mapping[str, str] = field(default_factory=dict)
    """Our type → the one that it plays."""
    nameless: frozenset[str] = frozenset()
    """Types for which DLNA.ORG_PN is withheld."""
    profile_names: bool = True
    renamed: Callable[[Resource], tuple[str, str] | None] = lambda resource: None
    """(type, profile name) of a file that this family plays under another name than its own."""
    av_flags: str = "01700000"
    """Streaming, background, connection stall, DLNA 1.5."""
    org_flags: bool = True
    captions: Captions = Captions.ALL
    caption_kinds: tuple[str, ...] = ("srt", "smi")
    """Of the same track, as what it is offered; a player that shows every track is offered one of each."""
    bookmarks: Bookmarks = Bookmarks.NONE
    versioned_ids: bool = False
    """Ids carry the update id, for TVs that cache what they once saw."""
    samsung_capabilities: bool = False
    windows_media: bool = False
    """It talks to Windows Media Player alone: we say that we are one."""
    dates: bool = True
    simple_dates: bool = False
    """Days alone, no time of day."""
    dotted_titles: bool = False
    """It shows captions only for titles with a dot in them."""
    xml_declaration: bool = True
    """False: it cannot read an answer that begins with `<?xml`."""
    ascii_xml: bool = False
    """It reads ASCII alone, with numeric entities for the rest."""
    longest_title: int | None = None
    forced_sort: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Object ids that it asks for by heart → ours."""
    interactive_av: bool = False
    """It asks for Interactive transfer of films, and means it."""

    def told(self, resource: Resource) -> tuple[str, str | None]:
        """(type, profile name or None) of a resource as this family hears it."""
        if (other := self.renamed(resource)) is not None:
            return other
        named = (self.profile_names and resource.mime_type not in self.nameless) or (
            resource.kind.value == "image"
        )
        return (
            self.mime_types.get(resource.mime_type, resource.mime_type),
            resource.profile if named else None,
        )

    def is_it(self, hints: Hints) -> bool:
        for where, pattern in self.signs:
            text = hints.description if where == "description" else hints.headers.get(where, "")
            if text and re.search(pattern, text[:500]):
                return True
        return False


DEFAULT = Client("default")
