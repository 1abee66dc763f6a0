"""The house's players, and what plays on them.

GET    /players[?fileId=]             {items: [player]}; with a file each says whether it takes it
GET    /players/{id}[?fileId=]        player
POST   /players/search                202: look for players now
POST   /players/{id}/play             {fileId | fileIds | folderId, place?, position?, repeat?} → 202 player
POST   /players/{id}/queue            {fileIds} → player: added to the end
POST   /players/{id}/pause, /resume, /stop, /next, /previous → player
POST   /players/{id}/seek             {position} → player
POST   /players/{id}/volume           {level?: 0..1, muted?} → player
POST   /players/{id}/repeat           {repeat: off | one | all} → player
PATCH  /players/{id}                  {name?, hidden?, state?: allowed | blocked, leastRole?} → player
DELETE /players/{id}                  204: forgotten; it is new when it is seen next

A player: {id, name, own_name, kind: dlna | cast, maker, model, state, can_video, hidden, least_role,
volume, muted, error, showing, takes?: {ok, why}}.
`state`: ready; asleep (away, and can be woken: `play` does so); away; new (an admin must allow it); blocked.
`error`: why the last thing did not play, until the next begins.
A showing: {id, file_id, title, kind, by, mine, position, at, duration, can_pause, can_seek, place, files,
has_next, repeat, state: waking | starting | buffering | playing | paused | lost}.
`position` was true at `at`.

`folderId`: the videos, songs or photos directly in that folder, by name, of the kind of the first.
`position` left out: where this person stopped. 409: the player does not take the file, and why; 403: it is
new or not for this role; 503: it does not do what was asked.
The live event `player` {id} says: ask again.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from quart import Blueprint, Response, request

from appliance.accounts.caller import Caller, Role, calling
from appliance.casting.casting import Casting
from appliance.casting.media import why_not
from appliance.casting.player import LONGEST_NAME, Player, Standing, clean_name
from appliance.casting.queue import Repeat
from appliance.casting.showing import Showing, Stage
from appliance.errors import Invalid
from appliance.journal.entry import now_ms
from appliance.library.items import File, FileQuery, Sort
from appliance.library.items import Kind as FileKind
from appliance.library.library import Library
from appliance.units import iso
from dlna.casting.playback import Transport

MOST_FILES = 500
"""In one queue."""
LONGEST_POSITION = 1_000 * 3_600
"""Seconds."""
WORDS = ("pause", "resume", "stop")


def blueprint(casting: Casting, library: Library) -> Blueprint:
    routes = Blueprint("casting", __name__)

    @routes.get("/players")
    async def players() -> dict[str, Any]:
        caller, file = calling(), await asked_file()
        seen = [p for p in casting.house.all() if _may_see(caller, p)]
        return {"items": [shown(casting, caller, player, file) for player in seen]}

    @routes.get("/players/<player_id>")
    async def player(player_id: str) -> dict[str, Any]:
        return shown(casting, calling(), casting.house.player(player_id), await asked_file())

    @routes.post("/players/search")
    async def search() -> Response:
        casting.house.search_now()
        return Response(status=202)

    @routes.post("/players/<player_id>/play")
    async def play(player_id: str) -> tuple[dict[str, Any], int]:
        caller, body = calling(), await _body()
        file_ids = await which(caller, body)
        place = _number(body, "place", 0, len(file_ids) - 1, whole=True) or 0
        found = await casting.play(
            caller,
            player_id,
            file_ids,
            place=int(place),
            position=_number(body, "position", 0, LONGEST_POSITION),
            repeat=_repeat(body.get("repeat", "off")),
        )
        return shown(casting, caller, found), 202

    @routes.post("/players/<player_id>/queue")
    async def queue(player_id: str) -> dict[str, Any]:
        caller, body = calling(), await _body()
        return shown(casting, caller, await casting.enqueue(caller, player_id, await which(caller, body)))

    def commanding(word: str) -> None:
        async def command(player_id: str) -> dict[str, Any]:
            caller = calling()
            return shown(casting, caller, await casting.command(caller, player_id, word))

        routes.add_url_rule(f"/players/<player_id>/{word}", word, command, methods=["POST"])

    for word in WORDS:
        commanding(word)

    @routes.post("/players/<player_id>/next")
    async def next_file(player_id: str) -> dict[str, Any]:
        return shown(casting, calling(), await casting.turn(calling(), player_id))

    @routes.post("/players/<player_id>/previous")
    async def previous_file(player_id: str) -> dict[str, Any]:
        return shown(casting, calling(), await casting.turn(calling(), player_id, back=True))

    @routes.post("/players/<player_id>/seek")
    async def seek(player_id: str) -> dict[str, Any]:
        caller, position = calling(), _number(await _body(), "position", 0, LONGEST_POSITION)
        if position is None:
            raise Invalid("position", None, "seconds from the beginning are needed")
        return shown(casting, caller, await casting.command(caller, player_id, "seek", position))

    @routes.post("/players/<player_id>/volume")
    async def volume(player_id: str) -> dict[str, Any]:
        caller, body = calling(), await _body()
        level, muted = _number(body, "level", 0, 1), body.get("muted")
        if muted is not None and not isinstance(muted, bool):
            raise Invalid("muted", muted, "true or false is allowed")
        if level is None and muted is None:
            raise Invalid("level", None, "a level from 0 to 1, or muted, is needed")
        return shown(casting, caller, await casting.sound(caller, player_id, level, muted))

    @routes.post("/players/<player_id>/repeat")
    async def repeat(player_id: str) -> dict[str, Any]:
        caller, mode = calling(), _repeat((await _body()).get("repeat"))
        return shown(casting, caller, await casting.set_repeat(caller, player_id, mode))

    @routes.patch("/players/<player_id>")
    async def change(player_id: str) -> dict[str, Any]:
        changes = read_changes(await _body())
        return shown(casting, calling(), await casting.change(player_id, changes))

    @routes.delete("/players/<player_id>")
    async def forget(player_id: str) -> Response:
        await casting.forget(player_id)
        return Response(status=204)

    async def asked_file() -> File | None:
        file_id = request.args.get("fileId")
        return await library.file(file_id, calling().sees) if file_id else None

    async def which(caller: Caller, body: dict[str, Any]) -> tuple[str, ...]:
        given = [key for key in ("fileId", "fileIds", "folderId") if key in body]
        if len(given) != 1:
            raise Invalid("fileId", given, "one of fileId, fileIds and folderId is needed")
        if given == ["folderId"]:
            return await files_of(caller, body["folderId"])
        ids = [body["fileId"]] if given == ["fileId"] else body["fileIds"]
        if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_FILES:
            raise Invalid(given[0], ids, f"1 to {MOST_FILES} file ids are allowed")
        if not all(isinstance(file_id, str) and 0 < len(file_id) <= 64 for file_id in ids):
            raise Invalid(given[0], ids, "file ids are texts")
        return tuple(ids)

    async def files_of(caller: Caller, folder_id: Any) -> tuple[str, ...]:
        if not isinstance(folder_id, str) or len(folder_id) > 64:
            raise Invalid("folderId", folder_id, "a folder's id is allowed")
        await library.folder(folder_id, caller.sees)
        playable = frozenset({FileKind.VIDEO, FileKind.AUDIO, FileKind.IMAGE})
        query = FileQuery(folder_id=folder_id, kinds=playable, sort=Sort.NAME, limit=MOST_FILES)
        page = await library.page(query, caller.sees)
        if not page.items:
            raise Invalid("folderId", folder_id, "a folder with videos, music or photos is needed")
        first = page.items[0].kind
        return tuple(file.id for file in page.items if file.kind is first)

    return routes


def shown(casting: Casting, caller: Caller, player: Player, file: File | None = None) -> dict[str, Any]:
    """A player as JSON, for this caller."""
    showing, connection = casting.showing(player.id), casting.house.connection(player)
    playback = connection.playback if connection else None
    told: dict[str, Any] = {
        "id": player.id,
        "name": player.shown_name,
        "own_name": player.name,
        "kind": player.kind.value,
        "maker": player.maker,
        "model": player.model,
        "state": _state(casting, player),
        "can_video": player.can_video,
        "hidden": player.hidden,
        "least_role": player.least_role.name.lower(),
        "volume": round(playback.volume, 2) if playback and playback.volume is not None else None,
        "muted": playback.muted if playback else None,
        "error": casting.error(player.id),
        "showing": _showing(showing, caller) if showing else None,
    }
    if file is not None:
        why = why_not(player, file)
        told["takes"] = {"ok": why is None, "why": why}
    return told


def _state(casting: Casting, player: Player) -> str:
    if player.standing is not Standing.ALLOWED:
        return player.standing.value
    if casting.house.is_present(player):
        return "ready"
    return "asleep" if player.mac else "away"


def _showing(showing: Showing, caller: Caller) -> dict[str, Any]:
    file, playback, queue = showing.file, showing.playback, showing.queue
    state = showing.stage.value
    if showing.stage is Stage.SHOWING:
        state = "paused" if showing.paused else playback.transport.value
        if playback.transport is Transport.IDLE:
            state = "paused" if showing.paused else "playing"  # a photo: the renderer is done with it
    return {
        "id": showing.id,
        "file_id": queue.current,
        "title": (file.title or PurePath(file.name).stem) if file else None,
        "kind": file.kind.value if file else None,
        "by": showing.row.user_name,
        "mine": caller.user_id is not None and caller.user_id == showing.row.user_id,
        "state": state,
        "position": round(showing.position, 1),
        "at": iso(now_ms()),
        "duration": playback.duration or (file.duration_sec if file else None),
        "volume": playback.volume,
        "muted": playback.muted,
        "can_pause": playback.can_pause,
        "can_seek": playback.can_seek,
        "place": queue.place,
        "files": len(queue.files),
        "has_next": queue.next() is not None,
        "repeat": queue.repeat.value,
    }


def _may_see(caller: Caller, player: Player) -> bool:
    if caller.may(Role.ADMIN):
        return True
    return not player.hidden and player.standing is not Standing.BLOCKED and caller.may(player.least_role)


def read_changes(body: dict[str, Any]) -> dict[str, Any]:
    """Fields of a Player from the JSON of a request. Raises Invalid, naming the field."""
    changes: dict[str, Any] = {}
    for key, value in body.items():
        if key == "name":
            if value is not None and (not isinstance(value, str) or len(value) > LONGEST_NAME):
                raise Invalid("name", value, f"at most {LONGEST_NAME} characters are allowed")
            changes["given_name"] = clean_name(value, "") or None if value else None
        elif key == "hidden":
            if not isinstance(value, bool):
                raise Invalid("hidden", value, "true or false is allowed")
            changes["hidden"] = value
        elif key == "state":
            if value not in ("allowed", "blocked"):
                raise Invalid("state", value, "allowed or blocked is allowed")
            changes["standing"] = Standing(value)
        elif key == "leastRole":
            if value not in ("viewer", "editor", "admin"):
                raise Invalid("leastRole", value, "viewer, editor or admin is allowed")
            changes["least_role"] = Role[value.upper()]
        else:
            raise Invalid(key, value, "known are name, hidden, state and leastRole")
    return changes


async def _body() -> dict[str, Any]:
    body = await request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("body", body, "a JSON object is allowed")
    return body


def _number(body: dict[str, Any], key: str, low: float, high: float, *, whole: bool = False) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    good = isinstance(value, int) or (isinstance(value, float) and not whole)
    if not good or isinstance(value, bool) or not low <= value <= high:
        raise Invalid(key, value, f"a {'whole ' if whole else ''}number from {low} to {high} is allowed")
    return float(value)


def _repeat(value: Any) -> Repeat:
    try:
        return Repeat(value)
    except ValueError:
        raise Invalid("repeat", value, "off, one or all is allowed") from None
