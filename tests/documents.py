"""Documents that are made from the code: `.venv/bin/python -m tests.documents` writes them, a test compares.

docs/API.md from the OpenAPI documents; the matrix in docs/SECURITY.md from the tables of access; the table in
docs/settings.md from `Settings`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from appliance.accounts.caller import Role
from appliance.settings import PREFIX, Settings
from appliance.web.access import ACCESS, EVENTS, FIELDS, FIELDS_OF, INTERNAL, LAN, Least
from appliance.web.openapi import role_word
from tests.appliance.entrance import entrance
from tests.every_route import every_blueprint

ROOT = Path(__file__).parents[1]
DAEMON = ROOT / "java-analytics" / "openapi.json"
BEGIN, END = "<!-- made from the code: begin -->", "<!-- made from the code: end -->"


def openapi() -> dict[str, Any]:
    """Our own OpenAPI document, with every feature's routes."""

    async def ask() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            async with entrance(Path(folder), *every_blueprint(but=("accounts", "web"))) as house:
                answer = await house.nobody.get("/openapi.json")
                found: dict[str, Any] = await answer.get_json(force=True)
                return found

    return asyncio.run(ask())


def api_markdown(documents: list[tuple[str, dict[str, Any]]]) -> str:
    lines = [
        "# The API",
        "",
        "Made from the OpenAPI documents by `python -m tests.documents`; do not edit.",
        "Errors are problem+json (RFC 9457) with a stable `type`; `field` names what will not do.",
    ]
    for title, document in documents:
        lines += ["", f"## {title}", ""]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                lines += _operation(method.upper(), path, operation)
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    least = operation.get("x-least-role")
    said = [f"### `{method} {path}`", ""]
    if operation.get("summary"):
        said += [operation["summary"].strip(), *operation.get("description", "").strip().splitlines(), ""]
    if least:
        said.append(f"- least role: {least}")
    for place in ("path", "query"):
        names = [p["name"] for p in operation.get("parameters", []) if p["in"] == place]
        if names:
            said.append(f"- {place}: " + ", ".join(f"`{name}`" for name in names))
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        wanted = body.get("schema", {}).get("properties", {})
        needed = body.get("schema", {}).get("required", [])
        names = ", ".join(f"`{name}`" + ("" if name in needed else "?") for name in wanted)
        said.append(f"- body, {kind}: {names or 'bytes'}")
    return [*said, ""]


def matrix_markdown() -> str:
    """The tables of access as people read them."""
    roles = list(Role)
    lines = [
        "### Port 8000: page, programs and links",
        "",
        "| route | nobody | " + " | ".join(role.name.lower() for role in roles) + " |",
        "|---|---|" + "---|" * len(roles),
    ]
    for (method, rule), least in sorted(ACCESS.items(), key=lambda one: (one[0][1], one[0][0])):
        if isinstance(least, Role):
            cells = ["401", *("yes" if role >= least else "403" for role in roles)]
        else:
            cells = ["yes" if least is None else "with the opened link"] * (1 + len(roles))
        lines.append(f"| `{method} {_braced(rule)}` | " + " | ".join(cells) + " |")
    lines += ["", "Live events, told to the role named and to those above:", ""]
    lines += [f"- `{event}`: {role_word(least)}" for event, least in sorted(EVENTS.items())]
    lines += [
        "",
        "Members of answers, told to the role named and to those above; all others to admins alone:",
        "",
    ]
    for role in roles[:-1]:
        names = ", ".join(f"`{name}`" for name, least in FIELDS.items() if least is role)
        lines.append(f"- {role.name.lower()}: {names}")
    lines += ["", "and on these routes also:", ""]
    for (method, rule), own in sorted(FIELDS_OF.items(), key=lambda one: (one[0][1], one[0][0])):
        by_role: dict[Least, list[str]] = {}
        for name, least in own.items():
            by_role.setdefault(least, []).append("all of it" if name == "*" else f"`{name}`")
        for least, names_of in by_role.items():
            who = "whoever may call it" if least is None else role_word(least)
            lines.append(f"- `{method} {_braced(rule)}`: {', '.join(names_of)}: {who}")
    lines += ["", "### Port 8200: TVs and players", "", "| route | for |", "|---|---|"]
    lines += [f"| `{method} {rule}` | {whom} |" for (method, rule), whom in LAN.items()]
    lines += ["", "### Port 8001, on 127.0.0.1", "", "| route | for |", "|---|---|"]
    lines += [f"| `{method} {rule}` | {whom} |" for (method, rule), whom in INTERNAL.items()]
    return "\n".join(lines)


def _braced(rule: str) -> str:
    return rule.replace("<", "{").replace(">", "}")


def settings_markdown() -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for field in fields(Settings):
        lines.append(f"| `{PREFIX}{field.name.upper()}` | {_default(field)} | {field.metadata['meaning']} |")
    return "\n".join(lines)


def _default(field: Any) -> str:
    value = field.default
    if value is None or value == ():
        return "unset"
    if isinstance(value, tuple):
        value = ":".join(str(part) for part in value)
    if field.name == "free_space":
        return "1 GiB"
    return f"`{value}`"


def within(file: Path, made: str) -> str:
    """The document with what lies between the marks replaced."""
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def made_documents() -> dict[Path, Callable[[], str]]:
    def api() -> str:
        documents = [("Port 8000: page and programs", openapi())]
        if DAEMON.exists():
            documents.append(("Port 8080 on 127.0.0.1: the analytics daemon", json.loads(DAEMON.read_text())))
        return api_markdown(documents)

    docs = ROOT / "docs"
    return {
        docs / "API.md": api,
        docs / "SECURITY.md": lambda: within(docs / "SECURITY.md", matrix_markdown()),
        docs / "settings.md": lambda: within(docs / "settings.md", settings_markdown()),
    }


if __name__ == "__main__":
    for file, make in made_documents().items():
        file.write_text(make(), encoding="utf-8")
