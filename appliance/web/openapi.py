"""/openapi.json: made from the routes and the table of access, so that it cannot drift."""

from __future__ import annotations

import re
from typing import Any

from quart import Quart
from quart_schema import QuartSchema
from quart_schema.openapi import HttpSecurityScheme, Info, OpenAPIProvider
from werkzeug.routing import Rule

from appliance.accounts.caller import Role
from appliance.web.access import ACCESS, BODIES, JSON, LINK, Least
from appliance.web.peer import SAFE_METHODS
from appliance.web.schemas import FILE, GIVES, TAKES

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `type` is stable; `field` names what the caller sent.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "allowed": {"type": "string"},
        "limit": {"type": "integer", "description": "bytes"},
    },
}

REFUSALS = {
    "400": "Something in the request will not do; `field` names it",
    "401": "Nobody is signed in, or not any more",
    "403": "Not allowed, or not from Mantel's own page",
    "404": "Not here, or not for this caller",
    "405": "Not with this method",
    "406": "Not in a form that was asked for",
    "409": "Does not fit what is there",
    "410": "Gone for good",
    "411": "A body needs its length",
    "412": "Not what it was, or a version that is not spoken here",
    "413": "Too large",
    "415": "A body in another type than is taken",
    "421": "A Host that is not Mantel's",
    "429": "Too many at once; `Retry-After` says when",
    "503": "A part is away",
}


class Described(OpenAPIProvider):
    """quart-schema's account of the routes, with access, bodies and refusals added."""

    def schema(self) -> dict[str, Any]:
        made: dict[str, Any] = super().schema()
        made["components"]["schemas"]["Problem"] = PROBLEM
        made["components"]["schemas"]["File"] = FILE
        made["components"]["responses"] = {
            status: {
                "description": meaning,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            for status, meaning in REFUSALS.items()
        }
        made["paths"] = {path: made["paths"][path] for path in sorted(made["paths"])}
        return made

    def generate_rules(self) -> Any:
        return (rule for rule in super().generate_rules() if rule.rule != "/openapi.json")

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        paths, components = super().build_paths(rule)
        # Theirs takes two parameters with a converter in the second for one.
        path = re.sub(r"<(?:[^<>:]*:)?([^<>]+)>", r"{\1}", rule.rule)
        (operations,) = paths.values()
        described = {m: _described(m.upper(), rule.rule, path, operations[m]) for m in sorted(operations)}
        return {path: described}, components


def _described(method: str, rule: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    least = ACCESS.get((method, rule), Role.ADMIN)
    words = re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_")
    described = operation | {
        "operationId": f"{method.lower()}_{words}",
        "responses": dict(operation["responses"]),
        "x-least-role": role_word(least),
    }
    if least is None or least == LINK:
        described["security"] = []
    if not any(str(status).startswith(("2", "3")) for status in described["responses"]):
        described["responses"]["2XX"] = {"description": "Done"}
    if (method, rule) in TAKES:
        described["requestBody"] = {"content": {JSON: {"schema": TAKES[method, rule]}}}
    if (method, rule) in GIVES:
        content: dict[str, Any] = {JSON: {"schema": GIVES[method, rule]}}
        if rule == "/log":
            content["text/csv"] = {"schema": {"type": "string"}}
        described["responses"]["200"] = {"description": "Done", "content": content}
    takes = BODIES.get((method, rule))
    if takes and "requestBody" not in described:
        described["requestBody"] = {"content": {takes: {"schema": {"type": "string", "format": "binary"}}}}
    if method in SAFE_METHODS and takes in (None, JSON):
        described.pop("requestBody", None)
    elif "requestBody" in described:
        # A refresh token may come as a cookie.
        described["requestBody"] = described["requestBody"] | {"required": rule != "/auth/refresh"}
    for status in REFUSALS:
        described["responses"].setdefault(status, {"$ref": f"#/components/responses/{status}"})
    return described


def role_word(least: Least) -> str:
    if least is None:
        return "–"
    return least.name.lower() if isinstance(least, Role) else f"who opened the {least}"


def describe(app: Quart, version: str) -> None:
    """Serve /openapi.json, and check what `validate_request` names."""
    QuartSchema(
        app,
        info=Info(
            title="Mantel",
            version=version,
            description="Times ISO 8601 UTC, sizes in bytes, durations and positions in seconds.",
        ),
        openapi_path="/openapi.json",
        swagger_ui_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        conversion_preference="msgspec",
        openapi_provider_class=Described,
        security_schemes={
            "bearer": HttpSecurityScheme(scheme="bearer", bearer_format="JWT"),
            "cookie": {"type": "apiKey", "name": "mantel", "in_": "cookie"},
        },
        security=[{"bearer": []}, {"cookie": []}],
    )
