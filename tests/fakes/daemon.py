"""The analytics daemon as the feed meets it: the same routes, tokens and JSON, and its cursor."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class FakeDaemon:
    """Stores events by id (the highest version counts) and a cursor per epoch."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.events: dict[str, dict[str, Any]] = {}
        self.cursors: dict[str, int] = {}
        self.batches: list[dict[str, Any]] = []
        self.refuse_with: int | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/analytics/ingest/cursor", self._cursor)
        app.router.add_post("/api/analytics/ingest", self._ingest)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner
        await self._runner.cleanup()

    def _check(self, request: web.Request) -> None:
        if self.refuse_with:
            raise (
                web.HTTPException(text="refused") if self.refuse_with == 500 else web.HTTPServiceUnavailable()
            )
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized()

    async def _cursor(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"through": self.cursors.get(request.query["epoch"], 0)})

    async def _ingest(self, request: web.Request) -> web.Response:
        self._check(request)
        batch = await request.json()
        self.batches.append(batch)
        accepted = 0
        for event in batch["events"]:
            known = self.events.get(event["eventId"])
            if known is None or known["version"] < event["version"]:
                self.events[event["eventId"]] = event
                accepted += 1
        self.cursors[batch["epoch"]] = max(self.cursors.get(batch["epoch"], 0), batch["to"])
        answer = {
            "through": self.cursors[batch["epoch"]],
            "accepted": accepted,
            "duplicates": len(batch["events"]) - accepted,
            "rejected": [],
        }
        return web.json_response(answer, status=202)
