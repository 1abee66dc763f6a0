"""A TV of a kind, async-upnp-client's DmsDevice: finds a server by SSDP, opens its folders, fetches ranges.

python -m tests.system.tv_at_home OWN_ADDRESS FOLDER… TITLE RANGE,RANGE     prints what it met, as JSON
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from typing import Any

import aiohttp
from async_upnp_client.aiohttp import AiohttpSessionRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice
from async_upnp_client.search import async_search

SEARCHES = 5
SEARCH_SECONDS = 2


async def main(address: str, path: list[str], ranges: list[str]) -> dict[str, Any]:
    met: dict[str, Any] = {"locations": await find(address), "opened": [], "fetched": []}
    async with aiohttp.ClientSession() as session:
        factory = UpnpFactory(AiohttpSessionRequester(session, with_sleep=True, timeout=20))
        server = DmsDevice(await factory.async_create_device(met["locations"][0]), None)
        met["server"] = server.name
        object_id = "0"
        for name in path:
            inside = {one.title: one for one in (await server.async_browse_direct_children(object_id)).result}
            met["opened"].append(sorted(inside))
            object_id = inside[name].id
        resource = inside[path[-1]].resources[0]
        met["protocol_info"] = resource.protocol_info
        for one in ranges:
            async with session.get(resource.uri, headers={"Range": f"bytes={one}"}) as answer:
                met["fetched"].append(
                    {
                        "status": answer.status,
                        "sha256": hashlib.sha256(await answer.read()).hexdigest(),
                        "raw_headers": [(n.decode(), value.decode()) for n, value in answer.raw_headers],
                    }
                )
    return met


async def find(address: str) -> list[str]:
    """The LOCATIONs of the media servers that answer; a datagram may get lost, so it asks more than once."""
    found: set[str] = set()

    async def heard(headers: Any) -> None:
        found.add(headers["location"])

    target = "urn:schemas-upnp-org:device:MediaServer:1"
    for _ in range(SEARCHES):
        await async_search(heard, timeout=SEARCH_SECONDS, search_target=target, source=(address, 0))
        if found:
            break
    return sorted(found)


if __name__ == "__main__":
    own, *names, wanted = sys.argv[1:]
    print(json.dumps(asyncio.run(main(own, names, wanted.split(",")))))
