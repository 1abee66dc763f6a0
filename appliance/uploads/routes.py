"""`POST /files/upload`, a form as browsers and curl send it, and `POST /uploads/known`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from quart import Blueprint, Response, jsonify, request

from appliance.accounts.caller import Caller, calling
from appliance.errors import Invalid
from appliance.library.routes import file_json
from appliance.uploads import form, tus_routes
from appliance.uploads.back_pressure import IDLE, chunks
from appliance.uploads.known import Known
from appliance.uploads.uploads import Published, Uploads


def blueprint(uploads: Uploads, known: Known, idle: float = IDLE) -> Blueprint:
    """`idle`: seconds without a byte that end a request."""
    routes = Blueprint("uploads", __name__)
    tus_routes.add_to(routes, uploads, idle)

    @routes.post("/files/upload")
    async def upload() -> tuple[Response, int]:
        """201 with the files; 200 when all of them were here already."""
        caller = calling()
        folder, published = "", list[Published]()
        body = chunks(request.body, request.scope, idle)
        async with aclosing(form.parts(request.headers.get("Content-Type", ""), body)) as parts:  # type: ignore[type-var]
            async for part in parts:
                if isinstance(part, form.FilePart) and part.name == "file":
                    published.append(await take(caller, part.filename, folder, part.content))
                elif part.name == "folder" and isinstance(part, form.Field):
                    if published:
                        raise Invalid("folder", part.value, "the folder must come before the files")
                    folder = part.value
                else:
                    raise Invalid(
                        part.name or "name", "", "parts named `file`, and before them `folder`, are allowed"
                    )
        if not published:
            raise Invalid("file", "", "at least one part named `file`, with a file name, is needed")
        all_here = all(one.duplicate for one in published)
        answer = {"files": [published_json(one, caller) for one in published], "duplicate": all_here}
        return jsonify(answer), 200 if all_here else 201

    async def take(caller: Caller, name: str, folder: str, content: AsyncIterator[bytes]) -> Published:
        begun = await uploads.begin(
            caller, name, folder, None, resumable=False, at_most=request.content_length or 0
        )
        try:
            await uploads.append(begun.id, caller, 0, content)
            return await uploads.finish(begun.id, caller)
        except BaseException:
            # Cut off in the middle, or refused: nobody can go on with it.
            await asyncio.shield(uploads.abandon(begun.id))
            raise

    @routes.post("/uploads/known")
    async def which_are_known() -> Response:
        asked = await request.get_json()
        return jsonify({"files": await known.answer(asked, calling())})

    return routes


def published_json(one: Published, caller: Caller) -> dict[str, Any]:
    return file_json(one.file, caller) | {"duplicate": one.duplicate}
