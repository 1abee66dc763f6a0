"""What the page tells of a playing file, and a person's own marks on files.

POST /events {events: [{fileId, type, position, rate, at?}]}      202
PUT  /files/{id}/position {seconds}                               204
PUT  /files/{id}/favourite {on}                                   204
GET  /me/continue                       {items: [{file, seconds}]}, lately played first
GET  /log, /me/log                      the access log: an admin's view, and one's own → {items, next}
GET  /playing                           {items: [who plays what where, now]}
GET  /me/favourites                     {items: [file]}, lately marked first
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from quart import Blueprint, Response, jsonify, request
from quart_schema import validate_querystring

from appliance.accounts.caller import Caller, calling
from appliance.errors import Invalid
from appliance.journal.entry import Action, Entry, now_ms
from appliance.journal.journal import Journal
from appliance.journal.playing import Playing
from appliance.journal.reading import MOST, Person, Wanted, as_csv, read_wanted
from appliance.units import MINUTES, iso

PING_STATES = ("playing", "paused", "seeked", "ended", "hidden")
MOST_EVENTS = 100
MOST_BEGUN = 40
WELL_BEGUN = 2 * MINUTES
"""Seconds into a file; what was left sooner was only looked into (Tautulli ignores such plays too)."""

LONGEST_FILE = 1_000 * 3_600
"""Seconds; a position beyond is nonsense."""


Describe = Callable[[list[str], Caller], Awaitable[dict[str, dict[str, Any]]]]
FindFiles = Callable[[str, Caller], Awaitable[list[str]]]
DeviceNames = Callable[[], Awaitable[Mapping[str, str]]]


@dataclass
class LogQuery:
    """See `reading.Wanted`."""

    user: str | None = None
    action: str | None = None
    file: str | None = None
    device: str | None = None
    since: str | None = None
    until: str | None = None
    q: str | None = None
    before: str | None = None
    limit: str | None = None
    format: str | None = None


async def _no_files(_text: str, _caller: Caller) -> list[str]:
    return []


async def _no_devices() -> dict[str, str]:
    return {}


def blueprint(
    journal: Journal,
    check_file: Callable[[str, Caller], Awaitable[Any]],
    describe: Describe,
    find_files: FindFiles = _no_files,
    device_names: DeviceNames = _no_devices,
) -> Blueprint:
    """`check_file(id, caller)` raises NotFound for a file that this caller may not see;
    `describe(ids, caller)` gives {id: file as JSON} for those that the caller may see;
    `find_files(text, caller)` ids of files that are called so; `device_names()` {device: name} of browsers,
    TVs and links."""
    routes = Blueprint("journal", __name__)

    @routes.post("/events")
    async def events() -> Response:
        caller = calling()
        entries = read_pings(await request.get_json(silent=True), caller)
        for file_id in {entry.file_id for entry in entries if entry.file_id}:
            await check_file(file_id, caller)
        await journal.keep(entries)
        return Response(status=202)

    @routes.get("/log")
    @validate_querystring(LogQuery)
    async def log(query_args: LogQuery) -> Response:
        """The access log, newest first, one page of it, or with `format=csv` all that matches.

        `user` (id or name), `action` (several with commas), `file`, `device` (ids), `since`, `until`
        (24h, 7d, a date, a time), `q` (in the name of a person, a device or a file, in an address),
        `before` (the `next` of the page before), `limit` (up to 500).
        """
        return await entries(read_wanted(request.args, now_ms()), own=False)

    @routes.get("/me/log")
    @validate_querystring(LogQuery)
    async def own_log(query_args: LogQuery) -> Response:
        """What is recorded of oneself; asked as /log."""
        wanted = read_wanted(request.args, now_ms())
        return await entries(replace(wanted, user=None, user_id=calling().user_id), own=True)

    async def entries(wanted: Wanted, own: bool) -> Response:
        caller, names = calling(), await device_names()
        if wanted.text:
            wanted = replace(
                wanted,
                text_files=await find_files(wanted.text, caller),
                text_devices=[d for d, name in names.items() if wanted.text.casefold() in name.casefold()],
            )
        if request.args.get("format") == "csv":
            headers = {"Content-Disposition": 'attachment; filename="access-log.csv"'}
            sheet = as_sheet(wanted, own, caller, names)
            return Response(sheet, content_type="text/csv; charset=utf-8", headers=headers)
        items, following = await page(wanted, own, caller, names)
        return jsonify({"items": items, "next": following})

    async def page(
        wanted: Wanted, own: bool, caller: Caller, names: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Entries with the names of their files and devices, and `before` for the page that follows."""
        found = await journal.read(wanted, own)
        known = await describe([one["file_id"] for one in found if one["file_id"]], caller)
        items = [
            one
            | {
                "file_name": known.get(one["file_id"] or "", {}).get("name"),
                "device_name": names.get(one["device"] or ""),
            }
            for one in found
        ]
        return items, items[-1]["seq"] if len(items) == wanted.limit else None

    async def as_sheet(
        wanted: Wanted, own: bool, caller: Caller, names: Mapping[str, str]
    ) -> AsyncIterator[str]:
        before, head = wanted.before, True
        while head or before is not None:
            part = replace(wanted, before=before, limit=MOST)
            items, before = await page(part, own, caller, names)
            yield as_csv(items, head)
            head = False

    @routes.get("/playing")
    async def playing() -> dict[str, Any]:
        """Who plays what on which device, now; lately begun first."""
        caller, names, found = calling(), await device_names(), await journal.playing()
        known = await describe([one.file_id for one, _ in found], caller)
        return {
            "items": [
                playing_json(one, person, names) | {"file": known[one.file_id]}
                for one, person in found
                if one.file_id in known
            ]
        }

    @routes.put("/files/<file_id>/position")
    async def set_position(file_id: str) -> Response:
        caller = calling()
        await check_file(file_id, caller)
        seconds = _seconds("seconds", (await _body()).get("seconds"))
        if caller.user_id:
            await journal.set_position(caller.user_id, file_id, seconds)
        return Response(status=204)

    @routes.get("/files/<file_id>/position")
    async def position(file_id: str) -> dict[str, Any]:
        caller = calling()
        await check_file(file_id, caller)
        return {"seconds": await journal.position(caller.user_id, file_id) if caller.user_id else None}

    @routes.put("/files/<file_id>/favourite")
    async def set_favourite(file_id: str) -> Response:
        caller = calling()
        await check_file(file_id, caller)
        on = (await _body()).get("on")
        if not isinstance(on, bool):
            raise Invalid("on", on, "true or false is allowed")
        if caller.user_id:
            await journal.set_favourite(caller.user_id, file_id, on)
        return Response(status=204)

    @routes.get("/me/continue")
    async def begun() -> dict[str, Any]:
        caller = calling()
        positions = await journal.recent_positions(caller.user_id, MOST_BEGUN) if caller.user_id else []
        known = await describe([file_id for file_id, _ in positions], caller)
        return {
            "items": [
                {"file": known[file_id], "seconds": seconds}
                for file_id, seconds in positions
                if file_id in known and unfinished(seconds, known[file_id].get("duration_sec"))
            ]
        }

    @routes.get("/me/favourites")
    async def favourites() -> dict[str, Any]:
        caller = calling()
        ids = await journal.favourites(caller.user_id) if caller.user_id else []
        known = await describe(ids, caller)
        return {"items": [known[file_id] for file_id in ids if file_id in known]}

    return routes


def playing_json(one: Playing, person: Person | None, names: Mapping[str, str]) -> dict[str, Any]:
    """`state`: playing, paused, or streaming (bytes leave, and that is all we know)."""
    named = person is None or person.privacy == "full"
    return {
        "user_id": one.user_id if named else None,
        "username": person.username if person and named else None,
        "device_name": names.get(one.device or "") if named else None,
        "player": one.player,
        "address": one.address if named else None,
        "source": one.source,
        "state": one.state,
        "position": one.position,
        "bytes_sent": one.bytes,
        "started_at": iso(one.started_at),
    }


def unfinished(seconds: float, duration: float | None) -> bool:
    """Whether going on there makes sense: well begun, and not seen but for the last twentieth."""
    return seconds >= WELL_BEGUN and (duration is None or seconds < 0.95 * duration)


async def _body() -> dict[str, Any]:
    body = await request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("body", body, "a JSON object is allowed")
    return body


def read_pings(body: Any, caller: Caller) -> list[Entry]:
    """The journal's entries of one POST /events body. Raises Invalid naming the field."""
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Invalid("events", events, f"a list of at most {MOST_EVENTS} events is allowed")
    return [_ping(event, f"events[{n}]", caller) for n, event in enumerate(events)]


def _ping(event: Any, where: str, caller: Caller) -> Entry:
    if not isinstance(event, dict):
        raise Invalid(where, event, "an object is allowed")
    file_id, state = event.get("fileId"), event.get("type")
    if not isinstance(file_id, str) or not 1 <= len(file_id) <= 16:
        raise Invalid(f"{where}.fileId", file_id, "the id of a file is allowed")
    if state not in PING_STATES:
        raise Invalid(f"{where}.type", state, f"one of {', '.join(PING_STATES)} is allowed")
    rate = event.get("rate", 1)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 16:
        raise Invalid(f"{where}.rate", rate, "a number from 0 to 16 is allowed")
    return Entry(
        Action.PING,
        user_id=caller.user_id,
        device=caller.device,
        file_id=file_id,
        ip=caller.address,
        user_agent=caller.user_agent,
        payload={
            "state": state,
            "position": _seconds(f"{where}.position", event.get("position")),
            "rate": float(rate),
        },
        at=_moment(f"{where}.at", event.get("at")),
    )


def _seconds(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_FILE:
        raise Invalid(field, value, f"seconds from 0 to {LONGEST_FILE} are allowed")
    return float(value)


def _moment(field: str, value: Any) -> int:
    """Epoch milliseconds; a phone that was offline sends its own time, never one to come."""
    now = now_ms()
    if value is None:
        return now
    try:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise Invalid(field, value, "a time such as 2026-11-22T18:04:05Z is allowed") from None
    return min(now, int(moment.timestamp() * 1000))
