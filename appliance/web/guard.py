"""Finds the caller of each request on port 8000 and checks it by the table, before any route runs.

The table is `access.py`. A route asks `accounts.caller.calling()`.
"""

from __future__ import annotations

import logging
from typing import Any

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
from appliance.web.access import ACCESS, ANY, BODIES, JSON, LARGEST_JSON
from appliance.web.errors import Unsupported
from appliance.web.json_body import check_json_body
from appliance.web.page import Page
from appliance.web.peer import SAFE_METHODS, Door, Peer, check_origin
from appliance.web.revoked import belongs_to

log = logging.getLogger(__name__)


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
        if isinstance(least, Role):
            if caller is None:
                raise NotSignedIn()
            if not caller.may(least):
                raise Forbidden(f"This needs the role {least.name.lower()}.")
        if request.mimetype == JSON and BODIES.get(route, JSON) == JSON:
            await check_json_body()
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
