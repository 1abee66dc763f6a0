"""Who may what: one table for each route and live event. What is not in it is refused.

The caller is found and checked here, before any route runs; a route asks `accounts.caller.calling()`.
A new route needs its line here in the same commit: a test walks both.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from quart import Quart, Response, request
from werkzeug.exceptions import LengthRequired
from werkzeug.exceptions import NotFound as NoRoute

from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Caller, Role, Via, set_calling
from appliance.accounts.client import Client, set_knocking
from appliance.accounts.cookies import names
from appliance.errors import Forbidden, NotFound, NotSignedIn, TooLarge
from appliance.sharing.share import share_id_of
from appliance.sharing.shares import running_as
from appliance.units import MIB
from appliance.web.errors import Unsupported
from appliance.web.page import Page
from appliance.web.peer import SAFE_METHODS, Door, Peer, check_origin
from appliance.web.revoked import belongs_to

log = logging.getLogger(__name__)

PUBLIC: Final = None
"""Nobody need be signed in."""
GUEST, VIEWER, EDITOR, ADMIN = Role.GUEST, Role.VIEWER, Role.EDITOR, Role.ADMIN

ACCESS: dict[tuple[str, str], Role | None] = {
    # web
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/events/live"): GUEST,
    ("GET", "/health"): ADMIN,
    # accounts
    ("POST", "/auth/login"): PUBLIC,
    ("POST", "/auth/refresh"): PUBLIC,
    ("POST", "/auth/setup"): PUBLIC,
    ("GET", "/auth/setup"): PUBLIC,
    ("POST", "/auth/guest"): PUBLIC,
    ("POST", "/auth/logout"): PUBLIC,
    ("GET", "/auth/me"): GUEST,
    ("PATCH", "/auth/me"): VIEWER,
    ("GET", "/sessions"): GUEST,
    ("DELETE", "/sessions/<session_id>"): GUEST,
    ("GET", "/users"): ADMIN,
    ("POST", "/users"): ADMIN,
    ("PATCH", "/users/<user_id>"): ADMIN,
    ("DELETE", "/users/<user_id>"): ADMIN,
    ("POST", "/lockdown"): ADMIN,
    # choices
    ("GET", "/settings"): ADMIN,
    ("PATCH", "/settings"): ADMIN,
    ("POST", "/auth/pair"): VIEWER,
    ("GET", "/auth/pair"): ADMIN,
    ("GET", "/auth/pair/<pairing_id>"): VIEWER,
    ("POST", "/auth/pair/<pairing_id>/confirm"): VIEWER,
    ("DELETE", "/auth/pair/<pairing_id>"): VIEWER,
    ("POST", "/auth/pair/<pairing_id>/claim"): PUBLIC,
    ("POST", "/auth/pair/<pairing_id>/finish"): PUBLIC,
    # library
    ("GET", "/files"): GUEST,
    ("GET", "/files/<file_id>"): GUEST,
    ("PATCH", "/files/<file_id>"): EDITOR,
    ("DELETE", "/files/<file_id>"): EDITOR,
    ("GET", "/files/<file_id>/thumbnail"): GUEST,
    ("GET", "/trash"): EDITOR,
    ("POST", "/files/<file_id>/restore"): EDITOR,
    ("GET", "/folders"): GUEST,
    ("GET", "/folders/<folder_id>"): GUEST,
    ("PATCH", "/folders/<folder_id>"): ADMIN,
    # uploads
    #
    # casting
    ("GET", "/players"): VIEWER,
    ("GET", "/players/<player_id>"): VIEWER,
    ("POST", "/players/search"): VIEWER,
    ("POST", "/players/<player_id>/play"): VIEWER,
    ("POST", "/players/<player_id>/queue"): VIEWER,
    ("POST", "/players/<player_id>/pause"): VIEWER,
    ("POST", "/players/<player_id>/resume"): VIEWER,
    ("POST", "/players/<player_id>/stop"): VIEWER,
    ("POST", "/players/<player_id>/next"): VIEWER,
    ("POST", "/players/<player_id>/previous"): VIEWER,
    ("POST", "/players/<player_id>/seek"): VIEWER,
    ("POST", "/players/<player_id>/volume"): VIEWER,
    ("POST", "/players/<player_id>/repeat"): VIEWER,
    ("PATCH", "/players/<player_id>"): ADMIN,
    ("DELETE", "/players/<player_id>"): ADMIN,
    # power
    ("GET", "/devices"): VIEWER,
    ("GET", "/devices/seen"): ADMIN,
    ("POST", "/devices"): ADMIN,
    ("PATCH", "/devices/<device_id>"): ADMIN,
    ("DELETE", "/devices/<device_id>"): ADMIN,
    ("POST", "/devices/<device_id>/wake"): VIEWER,
    # lan
    ("GET", "/tvs"): ADMIN,
    ("POST", "/tvs/allow"): ADMIN,
    ("PATCH", "/tvs/<tv_id>"): ADMIN,
    ("DELETE", "/tvs/<tv_id>"): ADMIN,
    #
    # sharing; /s is for whoever holds a link and has opened it: the routes ask for that themselves
    ("POST", "/shares"): EDITOR,
    ("GET", "/shares"): EDITOR,
    ("GET", "/shares/<share_id>"): EDITOR,
    ("DELETE", "/shares/<share_id>"): EDITOR,
    ("GET", "/s/<token>/about"): PUBLIC,
    ("POST", "/s/<token>/open"): PUBLIC,
    ("GET", "/s/<token>/files"): PUBLIC,
    ("GET", "/s/<token>/files/<file_id>/stream"): PUBLIC,
    ("GET", "/s/<token>/files/<file_id>/download"): PUBLIC,
    ("GET", "/s/<token>/files/<file_id>/thumbnail"): PUBLIC,
    ("GET", "/s/<token>/zip"): PUBLIC,
    #
    # streaming
    ("GET", "/files/<file_id>/stream"): GUEST,
    ("GET", "/files/<file_id>/download"): VIEWER,
    ("GET", "/files/<file_id>/remux"): GUEST,
    ("GET", "/files/<file_id>/subtitles"): GUEST,
    ("GET", "/files/<file_id>/subtitles/<int:number>.vtt"): GUEST,
    # uploads
    ("POST", "/files/upload"): EDITOR,
    ("POST", "/uploads/known"): EDITOR,
    ("OPTIONS", "/files/tus"): EDITOR,
    ("POST", "/files/tus"): EDITOR,
    ("GET", "/files/tus/<upload_id>"): EDITOR,
    ("PATCH", "/files/tus/<upload_id>"): EDITOR,
    ("DELETE", "/files/tus/<upload_id>"): EDITOR,
    ("POST", "/files/tus/<upload_id>"): EDITOR,
    # journal
    ("POST", "/events"): GUEST,
    ("PUT", "/files/<file_id>/position"): VIEWER,
    ("GET", "/files/<file_id>/position"): VIEWER,
    ("PUT", "/files/<file_id>/favourite"): VIEWER,
    ("GET", "/log"): ADMIN,
    ("GET", "/playing"): ADMIN,
    ("GET", "/me/log"): VIEWER,
    ("GET", "/me/continue"): VIEWER,
    ("GET", "/me/favourites"): VIEWER,
    # dashboard
    ("GET", "/api/analytics/popular"): GUEST,
    ("GET", "/api/analytics/heatmap"): GUEST,
    ("GET", "/api/analytics/users/engagement"): VIEWER,
    ("GET", "/api/analytics/storage/summary"): ADMIN,
    ("GET", "/api/analytics/search-insights"): ADMIN,
    ("GET", "/api/stats"): ADMIN,
}
"""(method, rule as the route states it) → least role. HEAD goes with GET."""

JSON: Final = "application/json"
ANY: Final = "*/*"
"""No body is expected; some HTTP clients name a type all the same."""
LARGEST_JSON = 1 * MIB
"""Bytes of a JSON body; who takes other bodies limits them."""

BODIES: dict[tuple[str, str], str] = {
    ("POST", "/files/upload"): "multipart/form-data",
    ("POST", "/files/tus"): ANY,
    ("PATCH", "/files/tus/<upload_id>"): "application/offset+octet-stream",
    ("POST", "/files/tus/<upload_id>"): "application/offset+octet-stream",
}
"""Routes that take another body than application/json: (method, rule) → its media type."""

EVENTS: dict[str, Role] = {
    "library": GUEST,
    "scan": VIEWER,
    "upload": EDITOR,
    "player": VIEWER,
    "device": VIEWER,
    "playing": ADMIN,
    "tv": ADMIN,
    "door": ADMIN,
    "pairing": VIEWER,
    "health": ADMIN,
}
"""Live event → least role; whoever publishes may ask for more."""


def guard(app: Quart, door: Door, accounts: Accounts, page: Page) -> None:
    """Check every request of `app` by the table, and hand what is no route to the page."""

    async def check() -> Response | None:
        set_calling(None)
        peer = door.peer(
            request.scheme,
            request.remote_addr or "",
            _our_end(request.scope.get("server")),
            request.headers.get("Host"),
            (request.headers.get("X-Forwarded-For", ""), request.headers.get("X-Forwarded-Proto", "")),
        )
        if request.url_rule is None:
            if request.method in SAFE_METHODS and isinstance(request.routing_exception, NoRoute):
                return page.answer(request.path, request.headers.get("Accept", ""))
            return None
        route = ("GET" if request.method == "HEAD" else request.method, request.url_rule.rule)
        if route not in ACCESS:
            log.error("%s %s stands in no table; refused", *route)
            raise NotFound("page", request.url_rule.rule)
        check_origin(
            request.method,
            request.headers.get("Origin"),
            request.headers.get("Sec-Fetch-Site"),
            "Cookie" in request.headers,
            peer.origin,
        )
        _check_body(BODIES.get(route, JSON))
        client = _client(peer)
        set_knocking(client)
        least, caller = ACCESS[route], await _caller(accounts, client)
        set_calling(caller)
        if route[1].startswith("/s/<token>/"):
            # Whoever comes by a link goes when the link does.
            belongs_to(request.scope, running_as(share_id_of((request.view_args or {})["token"])))
        elif caller:
            belongs_to(request.scope, caller.session_id)
        if least is None:
            return None
        if caller is None:
            raise NotSignedIn()
        if not caller.may(least):
            raise Forbidden(f"This needs the role {least.name.lower()}.")
        return None

    app.before_request(check)


def _our_end(server: Any) -> tuple[str, int]:
    """ASGI gives (address, port), (path of a socket, None), or nothing."""
    address, port = server or ("", 0)
    return str(address), int(port or 0)


def _client(peer: Peer) -> Client:
    return Client(
        address=peer.address,
        user_agent=request.headers.get("User-Agent", "")[:200],
        channel=peer.channel,
        device_token=request.cookies.get(names(peer.channel).device),
        base=peer.base,
    )


def _check_body(takes: str) -> None:
    if request.method in SAFE_METHODS or takes == ANY:
        return
    empty = request.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in request.headers
    if request.mimetype != takes and (request.mimetype or not empty):
        raise Unsupported(request.mimetype, takes)
    if takes == JSON:
        if "Transfer-Encoding" in request.headers:
            raise LengthRequired()
        if (request.content_length or 0) > LARGEST_JSON:
            raise TooLarge("The request", LARGEST_JSON)


async def _caller(accounts: Accounts, client: Client) -> Caller | None:
    """Who calls, by bearer or by the cookie of this channel; None when nobody does."""
    header = request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        caller = await accounts.sessions.caller(header[7:].strip(), Via.BEARER, client)
        if caller is None:
            raise NotSignedIn("This token is not good, or not any more.")
        return caller
    cookie = request.cookies.get(names(client.channel).access)
    return await accounts.sessions.caller(cookie, Via.COOKIE, client) if cookie else None
