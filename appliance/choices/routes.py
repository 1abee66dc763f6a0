"""/settings: what Mantel was told, and changing what may change while it runs."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, request

from appliance.choices.choices import Choices, Shown
from appliance.errors import Invalid


def blueprint(choices: Choices) -> Blueprint:
    routes = Blueprint("choices", __name__)

    @routes.get("/settings")
    async def settings() -> dict[str, Any]:
        """Every setting but secrets: its value, where that comes from, and whether it can be changed here."""
        return {"items": [shown_json(one) for one in choices.shown()]}

    @routes.patch("/settings")
    async def change() -> dict[str, Any]:
        """Change settings by name, such as {"guest": "on"}; null goes back to what the file says."""
        given = await request.get_json(silent=True)
        if not isinstance(given, dict) or not given:
            raise Invalid("body", given, "a JSON object with settings is allowed")
        await choices.change(given)
        return {"items": [shown_json(one) for one in choices.shown()]}

    return routes


def shown_json(one: Shown) -> dict[str, Any]:
    return {
        "name": one.name,
        "variable": f"MANTEL_{one.name.upper()}",
        "value": one.value,
        "default": one.default,
        "meaning": one.meaning,
        "from": one.origin,
        "changeable": one.changeable,
    }
