"""tus 1.0 at /files/tus: core, creation, expiration, termination, checksum.

Beyond the protocol: the PATCH that completes an upload publishes it and answers `Mantel-File: <id>` (and
`Mantel-Duplicate: true` where the content was here already). An upload that is complete is published before
HEAD says so; an upload that was published answers HEAD for a day more.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from quart import Blueprint, Response, jsonify, request

from appliance.accounts.caller import Caller, calling
from appliance.errors import Invalid
from appliance.uploads import tus
from appliance.uploads.back_pressure import chunks, hang_up_of
from appliance.uploads.receiving import ChecksumMismatch
from appliance.uploads.store import State, Upload
from appliance.uploads.uploads import Uploads

_PATH = "/files/tus"


def add_to(routes: Blueprint, uploads: Uploads, idle: float) -> None:
    @routes.route(_PATH, methods=["OPTIONS"])
    async def what_we_speak() -> Response:
        headers = {
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
        if uploads.limit is not None:
            headers["Tus-Max-Size"] = str(uploads.limit)
        return Response(status=204, headers=headers)

    @routes.post(_PATH)
    async def create() -> Response:
        caller = calling()
        if refused := _other_version():
            return refused
        length = tus.number("Upload-Length", request.headers.get("Upload-Length"))
        said = tus.metadata(request.headers.get("Upload-Metadata"))
        upload = await uploads.begin(
            caller, said.name, said.folder, length, resumable=True, modified_at=said.modified
        )
        headers = {"Location": f"{_PATH}/{upload.id}", **_times(upload)}
        if length == 0:
            headers |= await _finished(upload, caller)
        return Response(status=201, headers=headers)

    @routes.get(f"{_PATH}/<upload_id>")
    async def state(upload_id: str) -> Response:
        """How far it is; HEAD is the protocol's."""
        caller = calling()
        if refused := _other_version():
            return refused
        upload = await uploads.settled(upload_id, caller)
        headers = _times(upload)
        if upload.whole:
            headers |= await _finished(upload, caller)
        told = {"offset": upload.received, "length": upload.length, "fileId": headers.get("Mantel-File")}
        answer = jsonify(told)
        answer.headers.update({"Upload-Offset": str(upload.received), "Cache-Control": "no-store", **headers})
        if upload.length is not None:
            answer.headers["Upload-Length"] = str(upload.length)
        return answer

    @routes.patch(f"{_PATH}/<upload_id>")
    async def append(upload_id: str) -> Response:
        caller = calling()
        if refused := _other_version():
            return refused
        offset = tus.number("Upload-Offset", request.headers.get("Upload-Offset"))
        checksum = tus.checksum(request.headers.get("Upload-Checksum"))
        try:
            pieces = chunks(request.body, request.scope, idle)
            hang_up = hang_up_of(request.scope)
            upload = await uploads.append(upload_id, caller, offset, pieces, checksum, hang_up)
        except ChecksumMismatch as error:
            return Response(str(error), tus.CHECKSUM_MISMATCH, content_type="text/plain; charset=utf-8")
        headers = {"Upload-Offset": str(upload.received), **_times(upload)}
        if upload.whole:
            headers |= await _finished(upload, caller)
        return Response(status=204, headers=headers)

    @routes.delete(f"{_PATH}/<upload_id>")
    async def terminate(upload_id: str) -> Response:
        if refused := _other_version():
            return refused
        await uploads.cancel(upload_id, calling())
        return Response(status=204)

    @routes.post(f"{_PATH}/<upload_id>")
    async def override(upload_id: str) -> Response:
        """For clients in networks that let no PATCH or DELETE pass (section X-HTTP-Method-Override)."""
        method = request.headers.get("X-HTTP-Method-Override", "")
        if method == "PATCH":
            return await append(upload_id)
        if method == "DELETE":
            return await terminate(upload_id)
        raise Invalid("X-HTTP-Method-Override", method, "PATCH or DELETE is allowed")

    async def _finished(upload: Upload, caller: Caller) -> dict[str, str]:
        done = await uploads.finish(upload.id, caller)
        return {"Mantel-File": done.file.id} | ({"Mantel-Duplicate": "true"} if done.duplicate else {})

    def _times(upload: Upload) -> dict[str, str]:
        if upload.state is State.PUBLISHED:
            return {}
        return {"Upload-Expires": formatdate(uploads.expires_at(upload) / 1000, usegmt=True)}

    @routes.after_request
    async def say_version(response: Any) -> Any:
        if request.path.startswith(_PATH):
            response.headers["Tus-Resumable"] = tus.VERSION
        return response


def _other_version() -> Response | None:
    if request.headers.get("Tus-Resumable") == tus.VERSION:
        return None
    return Response(status=412, headers={"Tus-Version": tus.VERSION})
