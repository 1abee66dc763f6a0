"""/albums, /months and /tags: what the library falls into."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from quart import Blueprint

from appliance.accounts.caller import calling
from appliance.library.groups import Groups


def add_to(routes: Blueprint, groups: Groups) -> None:
    @routes.get("/albums")
    async def albums() -> dict[str, Any]:
        """Albums of the music, by artist; `/files?artist=&album=` has their songs."""
        return {"items": [asdict(one) for one in await groups.albums(calling().sees)]}

    @routes.get("/months")
    async def months() -> dict[str, Any]:
        """How many photos each month has, the latest first, as `/files?type=image&sort=-taken` lists them."""
        return {"items": [asdict(one) for one in await groups.months(calling().sees)]}

    @routes.get("/tags")
    async def tags() -> dict[str, Any]:
        """The household's own tags, most used first."""
        return {"items": [asdict(one) for one in await groups.tags(calling().sees)]}
