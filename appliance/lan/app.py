"""The LAN listener: the media server that TVs find, and the media that they and players fetch."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from appliance.accounts.keys import Keys
from appliance.database import Database
from appliance.errors import Unavailable
from appliance.journal.journal import Journal
from appliance.lan import store
from appliance.lan.library_catalog import LibraryCatalog
from appliance.lan.media import Media
from appliance.lan.media_urls import MediaUrls
from appliance.lan.pictures import picture
from appliance.lan.shelf import views
from appliance.lan.shelf.shelf import Shelf
from appliance.lan.tvs import Tvs
from appliance.library.library import Library
from appliance.settings import Settings
from appliance.streaming.subtitles import Subtitles
from appliance.units import iso
from dlna.catalog import FOLDERS, ROOT, Catalog
from dlna.device import Device, new_udn
from dlna.server import MediaServer

VIEWS = (ROOT, FOLDERS, *views.TITLES)
"""Told as changed with every change: which of them a file stands in is cheaper to look up than to say."""


class LanListener:
    """`start()` listens on `settings.lan_port` and announces; `stop()` says byebye.

    `routes` are casting's own on this listener, and `around` puts its media beside the TVs'.
    `tell(event, data)` is for pages. `table`: the routes that may be served, for `MediaServer`.
    `plays_counted()` says whether the daemon is there, without which no film is popular "this week".
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        library: Library,
        journal: Journal,
        keys: Keys,
        subtitles: Subtitles,
        *,
        tell: Callable[[str, dict[str, Any]], None] = lambda event, data: None,
        urls: MediaUrls | None = None,
        routes: Sequence[web.RouteDef] = (),
        around: Callable[[Catalog], Catalog] = lambda catalog: catalog,
        plays_counted: Callable[[], bool] = lambda: True,
        table: Collection[tuple[str, str]] | None = None,
    ) -> None:
        self._table = table
        self._settings, self._database, self._library = settings, database, library
        self.urls = urls or MediaUrls(keys.derive, time.time)
        self.tvs = Tvs(database, open_to_all=settings.tv_access == "open", tell=tell)
        shelf = Shelf(
            database,
            lambda: tuple(root.pk for root in library.roots),
            lambda: journal.marks,
            plays_counted,
        )

        async def is_within(folders: tuple[str, ...], file_id: str) -> bool:
            return await shelf.row(folders, file_id) is not None

        self.media = Media(
            library, journal, self.tvs, self.urls, subtitles, partial(picture, library), is_within
        )
        self.catalog = LibraryCatalog(
            shelf,
            self.tvs,
            journal,
            self.urls,
            self.media,
            name=settings.name,
        )
        self._routes, self._around = routes, around
        self.server: MediaServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises Unavailable when the port is taken."""
        await self.tvs.load()
        async with self._database.write() as connection:
            udn, boot_id = await store.start_server(connection, new_udn())
        changes = self._library.changes.subscribe()
        self.catalog.revision = await self._library.revision()
        device = Device(udn, self._settings.name, _version())
        self.server = MediaServer(
            device,
            self._around(self.catalog),
            self._settings.lan_port,
            self._settings.interfaces,
            self._routes,
            boot_id,
            table=self._table,
        )
        for tv in self.tvs.all():
            self.server.recogniser.remember(tv.address, tv.family)
        self.tvs.shown_anew = self._tell_views
        try:
            await self.server.start()
        except OSError as error:
            raise Unavailable(f"port {self._settings.lan_port}", error.strerror or str(error)) from error
        self._task = asyncio.create_task(self._follow(changes), name="library news for TVs")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.server:
            await self.server.stop()

    def describe(self, address: str, manufacturer: str, model: str, model_description: str) -> None:
        """What a device says of itself as a renderer tells its family too."""
        if self.server:
            self.server.recogniser.describe(address, manufacturer, model, model_description)

    @property
    def port(self) -> int:
        assert self.server
        return self.server.port

    def network(self) -> dict[str, Any]:
        """What each interface sent, heard and answered by SSDP, and who is subscribed to changes.

        {listening, subscribers, interfaces: [{name, addresses, sent, heard, answered, refused, failed,
        lastError, searchers: [{address, at}]}]}; `listening` false: another program has port 1900.
        """
        server = self.server
        ssdp = server.ssdp if server else None
        if server is None or ssdp is None:
            return {"listening": False, "subscribers": 0, "interfaces": []}
        shown = []
        for name in sorted({one.name for one in server.watch.current} | set(ssdp.traffic)):
            one = ssdp.traffic[name]
            shown.append(
                {
                    "name": name,
                    "addresses": [str(i.address) for i in server.watch.current if i.name == name],
                    "sent": one.sent,
                    "heard": one.heard,
                    "answered": one.answered,
                    "refused": one.refused,
                    "failed": one.failed,
                    "lastError": one.last_error,
                    "searchers": [
                        {"address": address, "at": iso(int(at * 1000))}
                        for address, at in reversed(one.searchers.items())
                    ],
                }
            )
        return {"listening": True, "subscribers": server.subscribers, "interfaces": shown}

    def _tell_views(self) -> None:
        """A TV that was just allowed looks again: Kodi keeps a list until it hears that it has changed."""
        if self.server:
            self.server.content_changed(dict.fromkeys(VIEWS, self.catalog.system_update_id))

    async def _follow(self, changes: Any) -> None:
        assert self.server
        async for change in changes:
            self.catalog.changed(change)
            touched = {f"folder/{one}": self.catalog.system_update_id for one in change.folders[:200]}
            touched.update(dict.fromkeys(VIEWS, self.catalog.system_update_id))
            self.catalog.update_ids.update(touched)
            if len(self.catalog.update_ids) > 20_000:
                self.catalog.update_ids.clear()
            self.server.content_changed(touched)


def _version() -> str:
    try:
        return version("mantel")
    except PackageNotFoundError:
        return "0"
