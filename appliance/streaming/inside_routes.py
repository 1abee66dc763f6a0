"""/files/{id}/chapters, /frame and /exif: what is in a file beyond the index."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from quart import Blueprint, Response, request

from appliance.accounts.caller import calling
from appliance.errors import Invalid
from appliance.streaming.inside import Inside


def add_to(routes: Blueprint, inside: Inside) -> None:
    @routes.get("/files/<file_id>/chapters")
    async def chapters(file_id: str) -> dict[str, Any]:
        """Chapters of a film or an audio book, in order; times in seconds."""
        return {"items": [asdict(one) for one in await inside.chapters(file_id, calling().sees)]}

    @routes.get("/files/<file_id>/frame")
    async def frame(file_id: str) -> Response:
        """A small JPEG of the film `at` so many seconds: the key frame before."""
        found = await inside.frame(file_id, calling().sees, _at(request.args.get("at", "0")))
        headers = {"ETag": found.etag, "Cache-Control": "private, max-age=86400"}
        if request.headers.get("If-None-Match") == found.etag:
            return Response(status=304, headers=headers)
        return Response(found.jpeg, 200, headers, content_type="image/jpeg")

    @routes.get("/files/<file_id>/exif")
    async def exif(file_id: str) -> dict[str, Any]:
        """Camera, lens, exposure, aperture, ISO and focal length of a photo, never its place."""
        return dict(await inside.exif(file_id, calling().sees))


def _at(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 1_000_000:
        raise Invalid("at", value, "seconds from 0 on are allowed")
    return seconds
