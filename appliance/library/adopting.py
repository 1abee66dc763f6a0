"""Taking the configured folders as roots, and seeing which of them are there and what fits into them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from appliance.database import Database
from appliance.library import index_store
from appliance.library.items import Room
from appliance.library.roots import Root, plan

log = logging.getLogger(__name__)


async def adopt_roots(
    database: Database, configured: Sequence[Path], before: Mapping[int, Root], adopt: bool
) -> dict[int, Root]:
    """The roots by key, looked at; `adopt` accepts one that is new in a known one's place."""
    roots = dict(before)
    async with database.write() as connection:
        for path in configured:
            known = await index_store.known_roots(connection)
            wanted = await asyncio.to_thread(plan, path, known, configured, adopt)
            if wanted is None:
                log.warning("library folder %s is away: there is no such folder", path)
                continue
            pk, folder_pk = await index_store.save_root(connection, wanted)
            if pk not in roots:
                roots[pk] = Root(pk, wanted.root_id, path, folder_pk=folder_pk)
            roots[pk].root_id = wanted.root_id
    for root in roots.values():
        await asyncio.to_thread(root.look)
    return roots


async def measure_room(database: Database, roots: Sequence[Root]) -> list[Room]:
    """What fits into each root, with the name and id of its folder."""
    found = []
    for root in roots:
        async with database.read() as connection:
            folder = await index_store.folder_row(connection, root.folder_pk)
        found.append(await asyncio.to_thread(root.room, folder.id, folder.name))
    return found
