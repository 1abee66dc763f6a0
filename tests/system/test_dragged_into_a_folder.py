"""A film dragged into the folder: an open page and a subscribed TV show it described; then its checksum."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from async_upnp_client.aiohttp import AiohttpNotifyServer, AiohttpSessionRequester
from async_upnp_client.client import UpnpService, UpnpStateVariable
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice

from tests import media
from tests.house import House, files_when, house, sign_in
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.timeout(180)]

NAME = "Dragged.mp4"
PIECES = 8
PROMISED = 5
"""Seconds after the last write until it is shown with duration and size of picture (the contract)."""
HASHED_WITHIN = 40
"""Seconds: ten of quiet, the checksum, and a machine that has more to do."""


class Phone:
    """A page that is open: at each word of news it asks again for what it shows."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.shown: dict[str, Any] = {}

    async def live(self, told: Callable[[], None]) -> None:
        async with self._http.get("/events/live", timeout=aiohttp.ClientTimeout(total=None)) as answer:
            async for line in answer.content:
                if line.strip() == b"event: library":
                    async with self._http.get("/files", params={"query": "dragged"}) as listed:
                        items = (await listed.json())["items"]
                    self.shown = items[0] if items else {}
                    told()


class Tv:
    """A control point that subscribed to the ContentDirectory: it browses again at each event."""

    def __init__(self, device: DmsDevice) -> None:
        self._device = device
        self.shown: Any = None
        self._heard = asyncio.Event()

    def on_event(self, service: UpnpService, variables: Sequence[UpnpStateVariable[Any]]) -> None:
        if any(variable.name == "SystemUpdateID" for variable in variables):
            self._heard.set()

    async def watch(self, told: Callable[[], None]) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            found = await self._device.async_search_directory("0", 'dc:title = "Dragged"')
            self.shown = found.result[0] if found.result else None
            told()

    @property
    def is_described(self) -> bool:
        resource = self.shown.resources[0] if self.shown is not None else None
        return resource is not None and bool(resource.duration) and resource.resolution == "320x180"


@asynccontextmanager
async def television(home: House) -> AsyncIterator[Tv]:
    async with aiohttp.ClientSession() as session:
        requester = AiohttpSessionRequester(session, with_sleep=True)
        device = await UpnpFactory(requester).async_create_device(f"{home.lan_url}/description.xml")
        listening = AiohttpNotifyServer(requester, source=("127.0.0.1", 0))
        await listening.async_start_server()
        server = DmsDevice(device, listening.event_handler)
        tv = Tv(server)
        server.on_event = tv.on_event
        await server.async_subscribe_services()
        try:
            yield tv
        finally:
            with contextlib.suppress(Exception):
                await server.async_unsubscribe_services()
            await listening.async_stop_server()


async def until_the_daemon_hears(home: House, http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(60):
        while True:
            async with http.get("/api/stats") as answer:
                if answer.status == 200 and (await answer.json())["files"] > 0:
                    return
            await asyncio.sleep(0.2)


async def test_page_and_tv_show_it_in_time_and_the_checksum_follows(tmp_path: Path) -> None:
    films = tmp_path / "library" / "Films"
    films.mkdir(parents=True)
    (films / "First.mp4").write_bytes(media.film("First"))
    content = media.film("Dragged")
    async with contextlib.AsyncExitStack() as stack:
        home = await stack.enter_async_context(
            house(
                tmp_path, module="appliance.run", analytics="on", analytics_port=str(free_port()),
                tv_access="open",
            )
        )  # fmt: skip
        http = await stack.enter_async_context(sign_in(home))
        await files_when(home, http, 1)
        await until_the_daemon_hears(home, http)
        phone, tv = Phone(http), await stack.enter_async_context(television(home))
        seen: dict[str, float] = {}
        everything = asyncio.Event()

        def look() -> None:
            now = time.monotonic()
            for name, good in {
                "listed on the page": bool(phone.shown),
                "described on the page": phone.shown.get("resolution") == "320x180"
                and bool(phone.shown.get("duration_sec")),
                "listed on the TV": tv.shown is not None,
                "described on the TV": tv.is_described,
            }.items():
                if good:
                    seen.setdefault(name, now)
            if len(seen) == 4:
                everything.set()

        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(one) for one in (phone.live(look), tv.watch(look))]
            await asyncio.sleep(1)
            with (films / NAME).open("wb") as file:
                step = len(content) // PIECES + 1
                for start in range(0, len(content), step):
                    file.write(content[start : start + step])
                    file.flush()
                    await asyncio.sleep(0.2)
            written = time.monotonic()
            async with asyncio.timeout(PROMISED):
                await everything.wait()
            async with asyncio.timeout(HASHED_WITHIN):
                sheet = await the_sheet_when(http, phone.shown["id"], lambda file: file["sha256"])
            seen["checksum"] = time.monotonic()
            for task in watching:
                task.cancel()
        print({name: f"{at - written:.2f} s" for name, at in seen.items()})
        assert sheet["sha256"] == hashlib.sha256(content).hexdigest()


async def the_sheet_when(
    http: aiohttp.ClientSession, file_id: str, good: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    """The page's sheet of a file, once `good` of it; the list carries no checksum."""
    while True:
        async with http.get(f"/files/{file_id}") as answer:
            sheet: dict[str, Any] = await answer.json()
        if good(sheet):
            return sheet
        await asyncio.sleep(0.2)
