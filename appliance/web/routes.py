"""What belongs to no feature: /healthz and the live events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from quart import Blueprint, Response

from appliance.accounts.caller import calling
from appliance.accounts.running import Running
from appliance.web.live import Live


def blueprint(live: Live, running: Running) -> Blueprint:
    routes = Blueprint("web", __name__)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether Mantel serves."""
        return {"status": "ok"}

    @routes.get("/events/live")
    async def events_live() -> Response:
        """What happens from now on, as server-sent events; each with its least role."""
        caller = calling()
        stream = live.listen(caller.role)

        async def body() -> AsyncIterator[bytes]:
            task = asyncio.current_task()
            assert task is not None
            with running.register(caller.session_id, task.cancel):
                async for message in stream:
                    yield message

        response = Response(body(), content_type="text/event-stream")
        response.timeout = None
        # A proxy that collects an answer before it passes it on would hold events back.
        response.headers["X-Accel-Buffering"] = "no"
        return response

    return routes
