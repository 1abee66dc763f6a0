"""From error to answer: the one table of statuses, and problem+json (RFC 9457).

`type` is stable: a program may compare it. `field` names what the caller sent that will not do, `allowed`
says what would. A client never sees a traceback; the log gets one line, with the route, never path or query.
"""

from __future__ import annotations

import errno
import json
import logging
import re
from typing import Any

from quart import Quart, Response, request
from quart_schema import RequestSchemaValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from appliance.errors import (
    Conflict,
    Forbidden,
    Invalid,
    MantelError,
    NoRoom,
    NotFound,
    NotSignedIn,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
)

log = logging.getLogger("appliance.web")


class Misdirected(MantelError):
    """A Host that is none of ours."""

    def __init__(self, host: str) -> None:
        super().__init__("This name is not Mantel's; add it to MANTEL_HOSTS if it should be.")
        self.host = host


class Unsupported(MantelError):
    """A body in another type than the route takes."""

    def __init__(self, sent: str, takes: str) -> None:
        super().__init__(f"{sent[:60] or 'No type'} will not do; send {takes}.")
        self.sent, self.takes = sent, takes


TYPE = "urn:mantel:problem:"

STATUS: dict[type[MantelError], tuple[int, str, str]] = {
    Invalid: (400, "invalid", "Something in the request will not do"),
    NotSignedIn: (401, "not-signed-in", "Nobody is signed in"),
    Forbidden: (403, "forbidden", "Not allowed"),
    NotFound: (404, "not-found", "Not here"),
    Conflict: (409, "conflict", "Does not fit what is there"),
    TooSlow: (408, "too-slow", "The request took too long"),
    TooLarge: (413, "too-large", "Too large"),
    Unsupported: (415, "unsupported-type", "Not a type that is taken here"),
    Misdirected: (421, "misdirected", "Not Mantel's name"),
    TooMany: (429, "too-many", "Too many at once"),
    Unavailable: (503, "unavailable", "A part is away"),
    NoRoom: (507, "no-room", "The disk is full"),
}

OF_A_DISK = frozenset(
    (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EREMOTEIO, errno.ENOTDIR, errno.EROFS)
)
"""What a disk, a mount or a file server says that went in the middle of a request; no mistake of ours."""

FRAMEWORK: dict[int, tuple[str, str]] = {
    400: ("invalid", "Something in the request will not do"),
    404: ("not-found", "Not here"),
    405: ("method-not-allowed", "Not with this method"),
    408: ("too-slow", "The request took too long"),
    411: ("length-required", "Say how long it is"),
    413: ("too-large", "Too large"),
    415: ("unsupported-type", "Not a type that is taken here"),
    416: ("range-not-satisfiable", "No such range"),
}
"""What Quart and Werkzeug raise themselves."""


def problem(
    status: int, slug: str, title: str, detail: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Response:
    body = {"type": TYPE + slug, "title": title, "status": status}
    if detail:
        body["detail"] = detail
    body |= {key: value for key, value in more.items() if value is not None}
    return Response(
        json.dumps(body, ensure_ascii=False),
        status,
        headers={"Content-Type": "application/problem+json", "Cache-Control": "no-store"} | (headers or {}),
    )


def answer(error: Exception) -> Response:
    """The problem+json for any error; pure but for the log line of a bug."""
    if isinstance(error, OSError) and error.errno in OF_A_DISK:
        log.warning("%s: %s", _where(), error.strerror)
        error = Unavailable("The disk", error.strerror or "it does not answer")
    if isinstance(error, MantelError):
        return _ours(error)
    if isinstance(error, RequestSchemaValidationError):
        return _schema(str(error.validation_error))
    if isinstance(error, HTTPException):
        return _framework(error)
    log.error("%s: %s", _where(), type(error).__name__, exc_info=error)
    return problem(500, "fault", "Mantel made a mistake", "It is noted in the log.")


def _ours(error: MantelError) -> Response:
    for kind in type(error).__mro__:
        if kind in STATUS:
            status, slug, title = STATUS[kind]
            break
    else:
        log.error("%s: %s has no status", _where(), type(error).__name__)
        return problem(500, "fault", "Mantel made a mistake", "It is noted in the log.")
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, Invalid):
        more = {"field": error.field, "allowed": error.allowed}
    elif isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif isinstance(error, TooLarge):
        more = {"limit": error.limit}
    elif isinstance(error, Unsupported):
        more = {"field": "Content-Type", "allowed": error.takes}
    log.info("%s: %d %s", _where(), status, slug)
    return problem(status, slug, title, str(error), headers, **more)


def _schema(message: str) -> Response:
    """msgspec says ``Expected `str`, got `int` - at `$.username` `` or ``… missing required field `x` ``."""
    place = re.search(r"`\$\.?([^`]*)`", message)
    missing = re.search(r"required field `([^`]+)`", message)
    field = ".".join(part for part in (place and place[1], missing and missing[1]) if part) or "body"
    detail = re.sub(r" - at `[^`]*`$", "", message).replace("`", "")
    log.info("%s: 400 invalid (%s)", _where(), field[:40])
    return problem(400, *FRAMEWORK[400], f"{field}: {detail}", field=field, allowed=detail)


def _framework(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        log.error("%s: %s", _where(), type(error).__name__, exc_info=error)
        return problem(status, "fault", "Mantel made a mistake", "It is noted in the log.")
    slug, title = FRAMEWORK.get(status, ("refused", "Refused"))
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    log.info("%s: %d %s", _where(), status, slug)
    more = {"field": "body", "allowed": "what /openapi.json says of this route"} if status == 400 else {}
    return problem(status, slug, title, headers=headers, **more)


def _where() -> str:
    rule = request.url_rule.rule if request and request.url_rule else "no route"
    return f"{request.method} {rule}" if request else rule


def answer_errors(app: Quart) -> None:
    """Every error of this app goes through the table above."""

    async def handle(error: Exception) -> Response:
        return answer(error)

    app.register_error_handler(HTTPException, handle)
    app.register_error_handler(Exception, handle)
