"""The phone page: the files that Vite built. What is no route is a file of the page, or the page itself."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from quart import Response

from appliance.errors import NotFound
from appliance.web.headers import PAGE_POLICY

STATIC = Path(__file__).parent / "static"
YEAR = 31_536_000
"""Seconds."""
NOT_BUILT = "The page is not built yet: run `make run`.\n"


class Page:
    """Answers GET and HEAD for paths that are no route."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()

    def answer(self, path: str, accept: str) -> Response:
        """A built file, else `index.html` for a navigation (Accept: text/html). NotFound else."""
        file = self._file(path)
        if file is None:
            if "text/html" not in accept:
                raise NotFound("page", path)
            file = self._file("/index.html")
            if file is None:
                return Response(NOT_BUILT, 503, content_type="text/plain; charset=utf-8")
        return _send(file, named_by_content=file.parent.name == "assets")

    def _file(self, path: str) -> Path | None:
        if "\0" in path:
            return None
        wanted = (self._folder / path.lstrip("/")).resolve()
        inside = wanted.is_relative_to(self._folder) and wanted.is_file()
        return wanted if inside and not wanted.name.startswith(".") else None


def _send(file: Path, named_by_content: bool) -> Response:
    """Vite names what lies in `assets/` by its content, so it may be kept; the rest is asked for anew."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if file.suffix in (".js", ".mjs"):
        kind = "text/javascript"
    elif file.suffix == ".webmanifest":
        kind = "application/manifest+json"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return Response(
        file.read_bytes(),
        content_type=kind,
        headers={
            "Cache-Control": f"public, max-age={YEAR}, immutable" if named_by_content else "no-cache",
            "Content-Security-Policy": PAGE_POLICY,
        },
    )
