"""Which members of a JSON answer a caller is told: the table in `access.py`, kept in this one place.

Every answer of port 8000 that is made from values passes here. A member that stands in no table is for
admins alone.
"""

from __future__ import annotations

from typing import Any

from quart import has_request_context, request
from quart.json.provider import DefaultJSONProvider

from appliance.accounts.caller import Role, calling_or_none
from appliance.web.access import ACCESS, FIELDS, FIELDS_OF, WHOLE, Least


class ToldFields(DefaultJSONProvider):
    """Quart's JSON, without what this caller may not know."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        if has_request_context() and request.url_rule is not None:
            route = ("GET" if request.method == "HEAD" else request.method, request.url_rule.rule)
            caller = calling_or_none()
            if route in ACCESS:
                obj = told(obj, route, caller.role if caller else None)
        return super().dumps(obj, **kwargs)


def told(value: Any, route: tuple[str, str], role: Role | None) -> Any:
    """`value` as it is answered on `route` to a caller of that role (None: nobody). Pure."""
    own = FIELDS_OF.get(route, {})
    return value if role is Role.ADMIN or "*" in own else _told(value, own, role)


def _told(value: Any, own: dict[str, Least], role: Role | None) -> Any:
    if isinstance(value, dict):
        return {
            name: inner if name in WHOLE else _told(inner, own, role)
            for name, inner in value.items()
            if may_know(own.get(name, FIELDS.get(name, Role.ADMIN)), role)
        }
    if isinstance(value, list | tuple):
        return [_told(one, own, role) for one in value]
    return value


def may_know(least: Least, role: Role | None) -> bool:
    """A link's holder is asked for the link by the route itself."""
    return not isinstance(least, Role) or (role is not None and role >= least)
