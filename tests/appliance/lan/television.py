"""The least of a TV: it asks for what is in a folder."""

from __future__ import annotations

from typing import Any

import aiohttp
from defusedxml.ElementTree import fromstring

CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"


async def titles(lan_url: str, object_id: str) -> list[str]:
    """What a Browse from 127.0.0.1 shows."""
    return [title(one) for one in await browse(lan_url, object_id)]


def title(one: Any) -> str:
    return one.findtext("{http://purl.org/dc/elements/1.1/}title") or ""


async def browse(lan_url: str, object_id: str) -> list[Any]:
    """The objects, as elements."""
    arguments = (
        f"<ObjectID>{object_id}</ObjectID><BrowseFlag>BrowseDirectChildren</BrowseFlag><Filter>*</Filter>"
        "<StartingIndex>0</StartingIndex><RequestedCount>0</RequestedCount><SortCriteria></SortCriteria>"
    )
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<u:Browse xmlns:u="{CDS}">{arguments}</u:Browse></s:Body></s:Envelope>'
    )
    headers = {"SOAPACTION": f'"{CDS}#Browse"', "Content-Type": "text/xml"}
    url = lan_url + "/control/ContentDirectory"
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        result = fromstring(await answer.read()).findtext(".//Result")
    return list(fromstring(result))
