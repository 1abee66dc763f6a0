"""A TV's requests to any media server: what a benchmark browses and searches with."""

from __future__ import annotations

import html

import aiohttp
from defusedxml.ElementTree import fromstring

CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"
_RES = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}res"
CONTROL = {
    "Mantel": "/control/ContentDirectory",
    "minidlna": "/ctl/ContentDir",
    "gerbera": "/upnp/control/cds",
}
"""Where each takes ContentDirectory's actions."""


def envelope(action: str, **arguments: object) -> bytes:
    inside = "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in arguments.items())
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{CDS}">{inside}</u:{action}></s:Body></s:Envelope>'
    ).encode()


async def call(
    http: aiohttp.ClientSession, control_url: str, action: str, **arguments: object
) -> dict[str, str]:
    """The values of the answer, `Result` (DIDL-Lite) among them. Raises ClientResponseError on a fault."""
    headers = {"SOAPACTION": f'"{CDS}#{action}"', "Content-Type": 'text/xml; charset="utf-8"'}
    async with http.post(control_url, data=envelope(action, **arguments), headers=headers) as answer:
        answer.raise_for_status()
        return {one.tag.rpartition("}")[2]: one.text or "" for one in fromstring(await answer.read()).iter()}


async def browse(
    http: aiohttp.ClientSession, control_url: str, object_id: str, start: int = 0, count: int = 0
) -> dict[str, str]:
    return await call(
        http, control_url, "Browse", ObjectID=object_id, BrowseFlag="BrowseDirectChildren", Filter="*",
        StartingIndex=start, RequestedCount=count, SortCriteria="",
    )  # fmt: skip


async def find_media(http: aiohttp.ClientSession, control_url: str, root: str = "0") -> str:
    """The URL of the first media file found by going down from `root`."""
    todo = [root]
    while todo:
        result = fromstring((await browse(http, control_url, todo.pop(0)))["Result"])
        for one in result:
            if (res := one.find(_RES)) is not None and res.text:
                return res.text
            todo.append(one.get("id") or "")
    raise LookupError(f"no media at {control_url}")
