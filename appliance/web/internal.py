"""The internal port, 127.0.0.1 only: hooks of the analytics daemon, what `mantel doctor` asks, and figures.

A hook carries the daemon's own bearer token. The daemon is half trusted: what it says about
files is checked where it is written (`library/facts.py`), and its paths are hints to look, never opened.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from quart import Quart, Response, request

from appliance.errors import Invalid, NotFound, NotSignedIn, Unavailable
from appliance.journal.journal import Journal
from appliance.library.facts import read_facts
from appliance.library.library import Library
from appliance.settings import Secret
from appliance.units import MIB
from appliance.web.access import INTERNAL, OnInternal
from appliance.web.errors import Misdirected, answer_errors
from appliance.web.json_body import check_json_body
from appliance.web.metrics import CONTENT_TYPE

log = logging.getLogger(__name__)

LARGEST_HOOK = 4 * MIB
MOST_FACTS = 500
MOST_COUNTS = 100_000
OWN_NAMES = ("127.0.0.1", "localhost")


def create_internal_app(
    token: Secret,
    library: Library,
    journal: Journal,
    figures: Callable[[], Awaitable[str]] | None = None,
    network: Callable[[], dict[str, Any]] = dict,
) -> Quart:
    """`figures()`: what /metrics says; `network()`: what each interface heard (`lan.app`)."""
    app = Quart("appliance.internal", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_HOOK, PROVIDE_AUTOMATIC_OPTIONS=False)
    expected = f"Bearer {token.reveal()}".encode()

    @app.before_request
    async def check() -> None:
        # A web page that gave its name our address must not read along.
        if request.host.rpartition(":")[0] not in OWN_NAMES and request.host not in OWN_NAMES:
            raise Misdirected(request.host)
        method = "GET" if request.method == "HEAD" else request.method
        whom = INTERNAL.get((method, request.url_rule.rule)) if request.url_rule else None
        if whom is None:
            raise NotFound("page", request.path)
        if whom is OnInternal.HERE:
            return
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            raise NotSignedIn("The service token is missing or wrong.")
        await check_json_body()

    @app.post("/internal/hooks/library-changed")
    async def library_changed() -> Response:
        paths = (await _message()).get("paths")
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise Invalid("paths", paths, "a list of absolute paths is allowed")
        library.hint([Path(path) for path in paths])
        return Response(status=204)

    @app.post("/internal/hooks/file-analyzed")
    async def file_analyzed() -> dict[str, int]:
        facts = (await _message()).get("facts")
        if not isinstance(facts, list) or not 1 <= len(facts) <= MOST_FACTS:
            raise Invalid("facts", facts, f"1 to {MOST_FACTS} facts are allowed")
        good = []
        for fact in facts:
            try:
                good.append(read_facts(fact))
            except Invalid as error:
                log.warning("a fact of the daemon was set aside: %s", error)
        return {"written": await library.write_facts(good, "daemon") if good else 0}

    @app.post("/internal/hooks/popularity")
    async def popularity() -> Response:
        counts = (await _message()).get("counts")
        if not isinstance(counts, list) or len(counts) > MOST_COUNTS:
            raise Invalid("counts", counts, f"a list of at most {MOST_COUNTS} counts is allowed")
        await journal.set_popularity([_count(count) for count in counts])
        return Response(status=204)

    @app.get("/internal/network")
    async def what_the_network_does() -> dict[str, Any]:
        return network()

    @app.get("/metrics")
    async def metrics() -> Response:
        if figures is None:
            raise Unavailable("Figures", "nobody counts.")
        return Response(await figures(), content_type=CONTENT_TYPE)

    answer_errors(app)
    return app


async def _message() -> dict[str, Any]:
    body = await request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("body", body, "a JSON object is allowed")
    return body


def _count(count: Any) -> tuple[str, int]:
    file_id, plays = (count.get("fileId"), count.get("plays")) if isinstance(count, dict) else (None, None)
    if not isinstance(file_id, str) or len(file_id) > 16 or not isinstance(plays, int) or plays < 0:
        raise Invalid("counts", count, "a fileId and its plays are allowed")
    return file_id, plays
