"""The reports on the page: each without what the caller may not see.

The daemon knows file ids and user ids; names come from here, so that a renamed file or person
reads right and a guest never meets the name of a household file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, request

from appliance.accounts.caller import Caller, Role, calling
from appliance.dashboard.reports import Reports, checked_range
from appliance.errors import Forbidden, Invalid, NotFound

POPULAR_LIMIT = 20
MOST_POPULAR = 100
SEGMENTS = 100
LONGEST_QUERY = 200


def blueprint(
    reports: Reports,
    describe: Callable[[list[str], Caller], Awaitable[dict[str, dict[str, Any]]]],
    check_file: Callable[[str, Caller], Awaitable[Any]],
) -> Blueprint:
    """`describe(ids, caller)` gives {id: file as JSON} for those the caller may see."""
    routes = Blueprint("dashboard", __name__)

    @routes.get("/api/analytics/popular")
    async def popular() -> dict[str, Any]:
        caller = calling()
        limit = _limit(request.args.get("limit"))
        span = checked_range(request.args.get("range"), "7d")
        # Asked for more than wanted, since some may be hidden from this caller.
        report = await reports.get("/api/analytics/popular", range=span, limit=MOST_POPULAR)
        items = report.get("items", [])
        known = await describe([item["fileId"] for item in items], caller)
        return {
            "range": span,
            "items": [
                item | {"name": known[item["fileId"]]["name"], "file": known[item["fileId"]]}
                for item in items
                if item["fileId"] in known
            ][:limit],
        }

    @routes.get("/api/analytics/heatmap")
    async def heatmap() -> Any:
        caller = calling()
        file_id = request.args.get("fileId", "")
        await check_file(file_id, caller)
        try:
            return await reports.get("/api/analytics/heatmap", fileId=file_id)
        except NotFound:
            # The daemon has not met this file yet.
            nothing = [0] * SEGMENTS
            return {"fileId": file_id, "segments": nothing, "enoughData": False, "precision": "estimated"}

    @routes.get("/api/analytics/users/engagement")
    async def engagement() -> Any:
        caller = calling()
        user = request.args.get("user")
        if user != "me" and not caller.may(Role.ADMIN):
            raise Forbidden("Only an admin sees the whole household; ask with user=me.")
        parameters = {"range": checked_range(request.args.get("range"), "30d")}
        if user == "me" and caller.user_id:
            parameters["userId"] = caller.user_id
        return await reports.get("/api/analytics/users/engagement", **parameters)

    @routes.get("/api/analytics/storage/summary")
    async def storage() -> Any:
        return await reports.get("/api/analytics/storage/summary")

    @routes.get("/api/analytics/search-insights")
    async def searches() -> Any:
        query = request.args.get("query")
        if query is None:
            return await reports.get("/api/analytics/search-insights")
        if len(query) > LONGEST_QUERY:
            raise Invalid("query", query, f"at most {LONGEST_QUERY} characters are allowed")
        return await reports.get("/api/analytics/search-insights", query=query)

    @routes.get("/api/analytics/insights")
    async def insights() -> Any:
        """Files that lie twice, are cold, changed by themselves or cannot be read; `files` names them."""
        report = await reports.get("/api/analytics/insights")
        ids = [file_id for twice in report["duplicates"] for file_id in twice["fileIds"]]
        ids += [one["fileId"] for part in ("cold", "bitRot", "unreadable") for one in report[part]]
        return report | {"files": await describe(sorted(set(ids)), calling())}

    @routes.get("/api/analytics/most-replayed")
    async def most_replayed() -> Any:
        """The moments that people go back to, in seconds of the medium; `files` names their files."""
        report = await reports.get("/api/analytics/most-replayed")
        ids = {moment["fileId"] for moment in report["moments"]}
        return report | {"files": await describe(sorted(ids), calling())}

    @routes.get("/api/analytics/jobs")
    async def jobs() -> Any:
        """What the daemon did lately, and how many files wait to be read."""
        return await reports.get("/api/analytics/jobs")

    @routes.get("/api/stats")
    async def stats() -> Any:
        return await reports.get("/api/stats")

    return routes


def _limit(value: str | None) -> int:
    if value is None:
        return POPULAR_LIMIT
    if not value.isdigit() or not 1 <= int(value) <= MOST_POPULAR:
        raise Invalid("limit", value, f"a whole number from 1 to {MOST_POPULAR} is allowed")
    return int(value)
