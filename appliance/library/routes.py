"""/files, /folders and /trash: what there is, and changing its name, tags and place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, jsonify, request
from quart_schema import validate_querystring, validate_request

from appliance.accounts.caller import Audience, Caller, Role, calling
from appliance.errors import Forbidden, Invalid, NotFound
from appliance.journal.entry import Action, Entry
from appliance.journal.journal import Journal
from appliance.library import group_routes
from appliance.library.groups import Groups
from appliance.library.items import File, Folder, Room
from appliance.library.library import Library
from appliance.library.query import read_query
from appliance.library.store import now_ms
from appliance.library.thumbnails import read_size
from appliance.library.trash import Trashed
from appliance.units import HOURS, iso

UNDO = 12 * HOURS
"""How long an editor may take back an own upload."""


@dataclass
class FilesQuery:
    query: str | None = None
    type: str | None = None
    since: str | None = None
    min_size: str | None = None
    max_size: str | None = None
    uploader: str | None = None
    tag: str | None = None
    folder: str | None = None
    artist: str | None = None
    album: str | None = None
    sort: str | None = None
    page: str | None = None
    page_size: str | None = None


@dataclass
class FoldersQuery:
    path: str | None = None
    parent: str | None = None


@dataclass
class ThumbnailQuery:
    size: str | None = None


@dataclass
class FileChange:
    name: str | None = None
    folder: str | None = None
    tags: list[str] | None = None


@dataclass
class FolderChange:
    audience: str | None


Marks = tuple[Mapping[str, float], Collection[str]]
"""A person's own: file → seconds where they stopped, and favourites. Of Journal.marks_on."""


def file_json(file: File, caller: Caller, marks: Marks = ({}, ())) -> dict[str, Any]:
    """A file as the API shows it to this caller: guests learn nothing of who, when and checksum."""
    known = caller.may(Role.VIEWER)
    path = f"/files/{quote(file.id)}"
    urls = {"stream": f"{path}/stream", "thumbnail": f"{path}/thumbnail"}
    if known:
        urls["download"] = f"{path}/download"
    shown: dict[str, Any] = {
        "id": file.id,
        "name": file.name,
        "folder": file.folder,
        "folder_id": file.folder_id,
        "type": file.kind.value,
        "mime_type": file.mime_type,
        "size_bytes": file.size_bytes,
        "duration_sec": file.duration_sec,
        "resolution": file.resolution,
        "tags": list(file.tags),
        "created_at": iso(file.created_at),
        "last_indexed_at": iso(file.last_indexed_at),
        "artist": file.artist,
        "album": file.album,
        "title": file.title,
        "facts": file.facts,
        "urls": urls,
    }
    if known:
        shown["sha256"] = file.sha256
        shown["uploaded_by"] = file.uploaded_by
        own = file.uploaded_by is not None and file.uploaded_by == caller.user_id
        shown["uploader"] = caller.name if own else file.uploader_name
        shown["last_accessed_at"] = iso(file.last_accessed_at) if file.last_accessed_at else None
        shown["position"] = marks[0].get(file.id)
        shown["favourite"] = file.id in marks[1]
    return shown


def folder_json(folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "parent_id": folder.parent_id,
        "name": folder.name,
        "path": folder.path,
        "audience": folder.audience.value,
        "audience_rule": folder.audience_rule.value if folder.audience_rule else None,
        "files": folder.files,
        "folders": folder.folders,
    }


def root_json(room: Room) -> dict[str, Any]:
    return {
        "folder_id": room.folder_id,
        "name": room.name,
        "online": room.online,
        "writable": room.writable,
        "free_bytes": room.free_bytes,
        "total_bytes": room.total_bytes,
    }


def trashed_json(one: Trashed, caller: Caller) -> dict[str, Any]:
    return file_json(one.file, caller) | {"trashed_at": iso(one.trashed_at), "trashed_by": one.trashed_by}


async def described(
    library: Library, journal: Journal, ids: Sequence[str], caller: Caller
) -> dict[str, dict[str, Any]]:
    """id → file_json of those that this caller may know of; the others are left out."""
    files = await library.files(ids, caller.sees)
    return dict(zip((file.id for file in files), await marked(journal, files, caller), strict=True))


async def marked(journal: Journal, files: Sequence[File], caller: Caller) -> list[dict[str, Any]]:
    """file_json of these files with the caller's own marks, which are one query for all."""
    marks = await journal.marks_on(caller.user_id, [file.id for file in files])
    return [file_json(file, caller, marks) for file in files]


def blueprint(library: Library, journal: Journal, groups: Groups | None = None) -> Blueprint:
    routes = Blueprint("library", __name__)
    if groups is not None:
        group_routes.add_to(routes, groups)

    def entry(action: Action, caller: Caller, file_id: str | None, payload: dict[str, Any]) -> Entry:
        return Entry(
            action,
            user_id=caller.user_id,
            device=caller.device,
            file_id=file_id,
            ip=caller.address,
            user_agent=caller.user_agent,
            payload=payload,
        )

    @routes.get("/files")
    @validate_querystring(FilesQuery)
    async def files(query_args: FilesQuery) -> Response:
        caller = calling()
        _check_names(FilesQuery)
        wanted, number, size = read_query(request.args, caller.user_id, now_ms())
        if wanted.uploader and not caller.may(Role.VIEWER):
            raise Forbidden("Guests do not learn who uploaded a file.")
        found = await library.page(wanted, caller.sees)
        if wanted.query.strip() and number == 1:
            words = {"query": wanted.query.strip(), "results": found.total}
            await journal.note(entry(Action.SEARCH, caller, None, words))
        items = await marked(journal, found.items, caller)
        return jsonify({"items": items, "total": found.total, "page": number, "page_size": size})

    @routes.get("/files/<file_id>")
    async def file(file_id: str) -> Response:
        caller = calling()
        found = await library.file(file_id, caller.sees)
        await journal.note(entry(Action.VIEW, caller, file_id, {}))
        return jsonify((await marked(journal, [found], caller))[0])

    @routes.get("/files/<file_id>/thumbnail")
    @validate_querystring(ThumbnailQuery)
    async def thumbnail(file_id: str, query_args: ThumbnailQuery) -> Response:
        _check_names(ThumbnailQuery)
        found = await library.thumbnail(file_id, read_size(query_args.size), calling().sees)
        answer = Response(found.jpeg, mimetype="image/jpeg")
        answer.headers["ETag"] = found.etag
        answer.headers["Cache-Control"] = "private, max-age=86400"
        if found.etag in request.headers.get("If-None-Match", ""):
            answer.status_code = 304
            answer.set_data(b"")
        return answer

    @routes.patch("/files/<file_id>")
    @validate_request(FileChange)
    async def change(file_id: str, data: FileChange) -> Response:
        caller = calling()
        changed = await library.change(
            file_id, caller.sees, name=data.name, folder=data.folder, tags=data.tags
        )
        return jsonify((await marked(journal, [changed], caller))[0])

    @routes.delete("/files/<file_id>")
    async def delete(file_id: str) -> Response:
        caller = calling()
        found = await library.file(file_id, caller.sees)
        own = found.uploaded_by is not None and found.uploaded_by == caller.user_id
        if not caller.may(Role.ADMIN) and not (own and now_ms() - found.created_at < UNDO * 1000):
            raise Forbidden("Only an admin deletes this; an own upload can be taken back for 12 hours.")
        await library.delete(file_id, caller.sees, caller.user_id, entry(Action.DELETE, caller, file_id, {}))
        return Response(status=204)

    @routes.get("/trash")
    async def trash() -> Response:
        caller = calling()
        return jsonify({"items": [trashed_json(one, caller) for one in await reachable(caller)]})

    @routes.post("/files/<file_id>/restore")
    async def restore(file_id: str) -> Response:
        caller = calling()
        if file_id not in {one.file.id for one in await reachable(caller)}:
            raise NotFound("file", file_id)
        return jsonify((await marked(journal, [await library.restore(file_id)], caller))[0])

    async def reachable(caller: Caller) -> list[Trashed]:
        """What in the trash is this caller's to take back: all for admins, for others what they put there."""
        every = await library.trashed()
        return [one for one in every if caller.may(Role.ADMIN) or one.trashed_by == caller.user_id]

    @routes.get("/roots")
    async def roots() -> Response:
        """The folders that the household gave: whether each is there, may be written to, and has room."""
        return jsonify({"items": [root_json(one) for one in await library.room()]})

    @routes.get("/folders")
    @validate_querystring(FoldersQuery)
    async def folders(query_args: FoldersQuery) -> Response:
        _check_names(FoldersQuery)
        caller = calling()
        if query_args.path is not None:
            found = await library.folders_at(query_args.path, caller.sees)
        else:
            if query_args.parent is not None:
                await library.folder(query_args.parent, caller.sees)
            found = await library.folders(query_args.parent, caller.sees)
        return jsonify({"items": [folder_json(folder) for folder in found]})

    @routes.get("/folders/<folder_id>")
    async def folder(folder_id: str) -> Response:
        return jsonify(folder_json(await library.folder(folder_id, calling().sees)))

    @routes.patch("/folders/<folder_id>")
    @validate_request(FolderChange)
    async def change_folder(folder_id: str, data: FolderChange) -> Response:
        if data.audience is not None and data.audience not in Audience.__members__.values():
            raise Invalid("audience", data.audience, "everyone, household or null (by kind) is allowed")
        await library.set_audience(folder_id, Audience(data.audience) if data.audience else None)
        return jsonify(folder_json(await library.folder(folder_id, calling().sees)))

    return routes


def _check_names(known: type) -> None:
    """A parameter that no one knows is most likely a mistyped one."""
    allowed = known.__dataclass_fields__  # type: ignore[attr-defined]
    for name in request.args:
        if name not in allowed:
            raise Invalid(
                re.sub(r"\W", "_", name)[:40], request.args[name], f"known are {', '.join(allowed)}"
            )
