"""Files that lie beside a film under its name, such as its subtitles: `film.srt`, `film.en.srt`."""

from __future__ import annotations

import os

from appliance.library.roots import Root
from appliance.library.tree import open_file, opened

MOST = 50


def names_beside(root: Root, path: bytes, extensions: frozenset[str]) -> tuple[bytes, ...]:
    """Names in the folder of `path` (root-relative) with its stem and such an ending, sorted."""
    folder, _, name = path.rpartition(b"/")
    stem = name.rpartition(b".")[0].lower() + b"."
    with opened(root.require().fd, folder, os.O_RDONLY | os.O_DIRECTORY) as fd:
        every = (os.fsencode(found) for found in os.listdir(fd))
        alike = (
            one
            for one in every
            if one.lower().startswith(stem)
            and one.rpartition(b".")[2].lower().decode("ascii", "ignore") in extensions
        )
        return tuple(sorted(alike))[:MOST]


def open_beside(root: Root, path: bytes, name: bytes) -> int:
    """A file beside `path`, for reading; the caller closes it. Raises OSError."""
    folder, _, _ = path.rpartition(b"/")
    return open_file(root.require().fd, folder + b"/" + name if folder else name)
