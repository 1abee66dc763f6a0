"""The web application of port 8000: every feature's routes behind one guard."""

from __future__ import annotations

from collections.abc import Container, Iterable
from importlib.metadata import version
from pathlib import Path

from quart import Blueprint, Quart

from appliance.accounts.accounts import Accounts
from appliance.settings import Settings
from appliance.units import SECONDS
from appliance.uploads.back_pressure import BackPressure
from appliance.web.errors import answer_errors
from appliance.web.fields import ToldFields
from appliance.web.guard import guard
from appliance.web.headers import send_headers
from appliance.web.numbered import Numbered
from appliance.web.openapi import describe
from appliance.web.page import STATIC, Page
from appliance.web.peer import Door
from appliance.web.revoked import EndsWhenRevoked

SLOWEST_BODY = 30 * SECONDS


def create_web_app(
    settings: Settings,
    accounts: Accounts,
    blueprints: Iterable[Blueprint],
    static: Path = STATIC,
    announced: Container[str] = (),
) -> Quart:
    """The app, with `blueprints` registered. `static`: what Vite built; `announced`: our names by mDNS."""
    app = Quart("appliance.web", static_folder=None)
    app.config.update(
        # Uploads have no end; `guard` limits the JSON ones.
        MAX_CONTENT_LENGTH=None,
        BODY_TIMEOUT=SLOWEST_BODY,
        # Quart would end every download after a minute; a stalled reader is the sender's matter.
        RESPONSE_TIMEOUT=None,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    describe(app, version("mantel"))
    app.json = ToldFields(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    guard(app, Door(settings, announced), accounts, Page(static))
    answer_errors(app)
    send_headers(app)
    app.asgi_app = BackPressure(app.asgi_app)  # type: ignore[method-assign]
    app.asgi_app = EndsWhenRevoked(app.asgi_app, accounts.sessions.running)  # type: ignore[method-assign]
    app.asgi_app = Numbered(app.asgi_app)  # type: ignore[method-assign]
    return app
