"""A TV of a kind: async-upnp-client's DmsDevice, as a process of its own for a namespace.

python -m tests.dlna.control_point OWN_ADDRESS        prints what it found and fetched, as JSON
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
from async_upnp_client.aiohttp import AiohttpSessionRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice
from async_upnp_client.search import async_search


async def main(address: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def heard(headers: Any) -> None:
        found.append(dict(headers.items()))

    await async_search(
        heard, timeout=2, search_target="urn:schemas-upnp-org:device:MediaServer:1", source=(address, 0)
    )
    locations = sorted({one.get("location") or one["LOCATION"] for one in found})
    async with aiohttp.ClientSession() as session:
        requester = AiohttpSessionRequester(session, with_sleep=True)
        device = await UpnpFactory(requester).async_create_device(locations[0])
        server = DmsDevice(device, None)
        items = [one async for one in walk(server, "0")]
        fetched = []
        for item in items:
            url = item.resources[0].uri
            async with session.get(url, headers={"Range": "bytes=1-4"}) as answer:
                body = await answer.read()
                fetched.append(
                    {
                        "title": item.title,
                        "status": answer.status,
                        "bytes": len(body),
                        "range": answer.headers["Content-Range"],
                        "raw_names": [name.decode() for name, _ in answer.raw_headers],
                        "features": answer.headers["contentFeatures.dlna.org"],
                    }
                )
    return {"answers": len(found), "locations": locations, "name": server.name, "fetched": fetched}


async def walk(server: DmsDevice, object_id: str) -> Any:
    page = await server.async_browse_direct_children(object_id)
    for one in page.result:
        if one.upnp_class.startswith("object.container"):
            async for inner in walk(server, one.id):
                yield inner
        else:
            yield one


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
