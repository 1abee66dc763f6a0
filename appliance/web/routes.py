"""What belongs to no feature: /healthz and the live events."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from appliance.accounts.caller import calling
from appliance.errors import Unavailable
from appliance.web.health import Health
from appliance.web.listen import drop_silent_peer
from appliance.web.live import Live


def blueprint(live: Live, health: Health | None = None) -> Blueprint:
    routes = Blueprint("web", __name__)

    @routes.get("/healthz")
    async def healthz() -> tuple[dict[str, str], dict[str, str]]:
        """Whether Mantel serves."""
        # The page on the plain port asks over TLS, another origin, to see whether this device trusts us.
        return {"status": "ok"}, {"Cross-Origin-Resource-Policy": "cross-origin"}

    @routes.get("/health")
    async def box_health() -> dict[str, Any]:
        """How the box is: faults with what to do, disks, addresses, versions, the daemon, the scan."""
        if health is None:
            raise Unavailable("The box's health", "nobody looks after it")
        return await health.report()

    @routes.get("/events/live")
    async def events_live() -> Response:
        """What happens from now on, as server-sent events; each with its least role.

        With `Last-Event-ID` what was missed comes first, or `gap` where that is not known any more.
        """
        drop_silent_peer(request.scope)
        told = live.listen(calling().role, request.headers.get("Last-Event-ID"))
        response = Response(told, content_type="text/event-stream")
        response.timeout = None
        # A proxy that collects an answer before it passes it on would hold events back.
        response.headers["X-Accel-Buffering"] = "no"
        return response

    return routes
