"""Search over the shelf: which rows and groups fit a tree of criteria. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from appliance.lan.shelf import views
from appliance.lan.shelf.objects import CLASSES, item
from dlna import didl
from dlna.catalog import Container, Item, MediaKind, Object
from dlna.search_criteria import And, Criteria, Relation, matches


def kinds_of(criteria: Criteria | None) -> tuple[str, ...]:
    """Kinds of files that may fit at all, by the classes that are asked for with "and"."""
    left = list(CLASSES)
    for part in criteria.parts if isinstance(criteria, And) else (criteria,):
        if isinstance(part, Relation) and part.property == "upnp:class":
            left = [
                kind
                for kind in left
                if matches(part, lambda _, kind=kind: [CLASSES[kind]])  # type: ignore[misc]
            ]
    return tuple(left)


def wants_containers(criteria: Criteria | None) -> bool:
    """Only whoever asks for a container class gets containers; `*` means what can be played."""
    if isinstance(criteria, Relation):
        return criteria.property == "upnp:class" and criteria.value.lower().startswith("object.container")
    return any(wants_containers(part) for part in getattr(criteria, "parts", ()))


def is_only_class(criteria: Criteria | None) -> bool:
    """Whether `kinds_of` has said everything already."""
    if criteria is None:
        return True
    if not isinstance(criteria, Relation) or criteria.property != "upnp:class":
        return False
    return criteria.operator in ("derivedfrom", "=")


def fits(criteria: Criteria | None, row: Any) -> bool:
    """Whether a file fits; as the item is told, but for its signed paths."""
    one = item(row, lambda rendition, extension: "")
    return matches(criteria, values_of(one))


def those_that_fit(
    criteria: Criteria | None, rows: Sequence[Any], folder_pks: frozenset[int] | None
) -> list[int]:
    """Keys of the files that fit and lie in these folders (None: anywhere)."""
    return [
        row.pk for row in rows if (folder_pks is None or row.folder_pk in folder_pks) and fits(criteria, row)
    ]


def values_of(one: Object) -> Callable[[str], Sequence[str]]:
    """A property's values, for `search_criteria.matches`."""
    values: dict[str, Any] = {
        "@id": one.id,
        "@parentID": one.parent_id,
        "dc:title": one.title,
        "upnp:class": one.upnp_class,
    }
    if isinstance(one, Item):
        original = one.resources[0]
        values |= {
            "@refID": one.ref_id,
            "dc:creator": one.artist or one.album_artist,
            "upnp:artist": [one.artist, one.album_artist, one.composer],
            "upnp:album": one.album,
            "upnp:genre": one.genre,
            "upnp:originalTrackNumber": one.track,
            "upnp:originalDiscNumber": one.disc,
            "dc:date": one.date,
            "dc:description": one.description,
            "res": "http",
            "res@size": original.size,
            "res@duration": original.duration and didl.duration(original.duration),
            "res@resolution": original.resolution if one.kind is not MediaKind.AUDIO else None,
            "upnp:albumArtURI": "http" if one.pictures else None,
            "res@protocolInfo": f"http-get:*:{original.mime_type}:*",
        }
    else:
        values |= {"dc:creator": one.artist, "upnp:artist": one.artist, "upnp:genre": one.genre}

    def lookup(name: str) -> Sequence[str]:
        value = values.get(name)
        every = value if isinstance(value, list) else [value]
        return [str(each) for each in every if each is not None and each != ""]

    return lookup


def group_container(group: views.Group, view: str, update_id: int) -> Container:
    what = views.GROUPS[view]
    return Container(
        group.id,
        view,
        group.name,
        group.songs,
        views.CLASSES[what],
        update_id,
        artist=group.artist if what == "album" else group.name if what == "artist" else None,
        genre=group.name if what == "genre" else None,
    )
