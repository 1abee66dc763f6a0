"""A whole appliance as far as casting goes: library, journal, people, players, and a listener for them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zeroconf.asyncio import AsyncZeroconf

from appliance.accounts import store as people
from appliance.accounts.caller import Caller, Role, Via
from appliance.accounts.store import User
from appliance.casting.casting import Casting
from appliance.casting.house import House
from appliance.casting.lan_media import WithCasts
from appliance.casting.lan_routes import cast_routes
from appliance.casting.player import Player, Standing
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.lan.media_urls import MediaUrls
from appliance.library.facts import Facts
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.power.power import Power
from appliance.streaming.subtitles import Subtitles
from dlna.catalog import ROOT, Container
from dlna.device import Device
from dlna.interfaces import interfaces
from dlna.server import MediaServer
from tests.appliance.library.conftest import EVERYBODY, settle
from tests.fakes.memory_catalog import MemoryCatalog
from tests.netns import House as Houses

CHECKOUT = Path(__file__).parents[3]
MIRA = Caller("umira", "Mira", Role.VIEWER, Via.COOKIE, session_id="s1", device="dphone")
ADA = Caller("uada", "Ada", Role.ADMIN, Via.COOKIE, session_id="s2", device="dlaptop")


@dataclass
class Stage:
    casting: Casting
    library: Library
    journal: Journal
    database: Database
    power: Power
    address: str
    described: list[tuple[str, ...]] = field(default_factory=list)
    """What renderers said of themselves: address, maker, model, description of the model."""

    async def player(self, name: str, seconds: float = 20) -> Player:
        """The player of that name, as soon as it is there."""
        async with asyncio.timeout(seconds):
            while True:
                for player in self.casting.house.all():
                    if player.shown_name == name and self.casting.house.is_present(player):
                        return player
                await asyncio.sleep(0.05)

    async def allowed(self, name: str) -> Player:
        player = await self.player(name)
        return await self.casting.change(player.id, {"standing": Standing.ALLOWED})

    async def file_id(self, name: str) -> str:
        page = await self.library.page(FileQuery(), EVERYBODY)
        return next(file.id for file in page.items if file.name == name)

    async def know_duration(self, name: str, seconds: float) -> None:
        file = await self.library.file(await self.file_id(name), EVERYBODY)
        await self.library.write_facts(
            [Facts(file.id, file.size_bytes, file.mtime_ns, duration_sec=seconds)], "probe"
        )


@asynccontextmanager
async def stage(
    houses: Houses, folder: Path, media: Path, port: int = 8200, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Stage]:
    """All started on the host `server`, over the state in `folder` and the library in `media`."""
    address = houses.server.address
    database = Database(f"sqlite+aiosqlite:///{folder / 'mantel.db'}")
    await database.migrate()
    async with database.write() as connection:
        for caller in (MIRA, ADA):
            if await people.user(connection, str(caller.user_id)) is None:
                person = User(str(caller.user_id), caller.name, caller.role, "full", 0, None)
                await people.add_user(connection, person, "x")
    journal = Journal(database)
    await journal.start()
    library = Library(database, journal, [media])
    await library.adopt_roots()
    await settle(library)
    mdns = AsyncZeroconf(interfaces=[address])

    def near() -> Any:
        return interfaces(("lan0",))

    power = Power(database, near)
    subtitles = Subtitles(library, folder / "subtitles")
    house = House(database, near, lambda: port, mdns)
    casting = Casting(
        database, library, journal, house, MediaUrls(lambda _: b"k" * 32, time.time), power, subtitles, tell
    )
    set_up = Stage(casting, library, journal, database, power, address)
    house.described = lambda *told: set_up.described.append(told)
    shelf = MemoryCatalog([Container(ROOT, "-1", "Mantel", 0)])
    catalog = WithCasts(shelf, casting.grants, library, journal, subtitles)
    listener = MediaServer(
        Device("uuid:1", "Shelf", "0.1"), catalog, port, ["lan0"], cast_routes(house.events)
    )
    await listener.start()
    await casting.start()
    try:
        yield set_up
    finally:
        await casting.stop()
        await power.stop()
        await mdns.async_close()
        await listener.stop()
        await library.stop()
        await journal.stop()
        await database.close()


def cast_receiver(houses: Houses, name: str, *more: str) -> subprocess.Popen[Any]:
    """A Cast device on the host `tv`."""
    program = (sys.executable, "-m", "tests.fakes.cast_receiver", houses.tv.address, name, *more)
    process = houses.tv.popen(*program, cwd=CHECKOUT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": name}
    return process


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)
