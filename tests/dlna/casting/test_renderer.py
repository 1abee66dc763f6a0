"""Real renderers, each a program on a host of its own, found and driven over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from dlna.casting.discovery import Discovery
from dlna.casting.events import Events
from dlna.casting.foreign import foreign_session
from dlna.casting.playback import Media, Playback, Transport
from dlna.casting.renderer import Renderer
from dlna.casting.sightings import Appeared, Change, Vanished
from dlna.interfaces import interfaces
from tests.dlna.casting.renderers import clip, gmediarender, rygel
from tests.netns import House

pytestmark = pytest.mark.netns
FEATURES = "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("film"))


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house, house.server.entered():
        yield house


class ControlPoint:
    """What the appliance is to a renderer: a finder, a place for events, and a film to fetch."""

    def __init__(self, address: str, film: Path) -> None:
        self.address, self.film = address, film
        self.changes: asyncio.Queue[Change] = asyncio.Queue()
        self.events = Events()
        self.refuse_events = False
        self.fetched: list[str] = []
        self.states: list[Playback] = []
        self.origin = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ControlPoint]:
        app = web.Application()
        app.router.add_route("NOTIFY", "/cast/events/{word}", self._notify)
        app.router.add_get("/media.mp4", self._film)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, self.address, 0).start()
        self.origin = f"http://{self.address}:{runner.addresses[0][1]}"
        discovery = Discovery(lambda: interfaces(("lan0",)), self.changes.put_nowait)
        finding = asyncio.create_task(discovery.run())
        async with foreign_session() as self.session:
            yield self
        finding.cancel()
        await runner.cleanup()

    async def _notify(self, request: web.Request) -> web.Response:
        sender, word = request.remote or "", request.match_info["word"]
        return web.Response(
            status=await self.events.notify(word, sender, request.headers, await request.read())
        )

    async def _film(self, request: web.Request) -> web.FileResponse:
        self.fetched.append(request.headers.get("Range", ""))
        return web.FileResponse(self.film)

    async def renderer(self) -> Renderer:
        change = await asyncio.wait_for(self.changes.get(), 15)
        assert isinstance(change, Appeared)
        seen = change.sighting
        renderer = await Renderer.connect(
            self.session,
            self.events,
            location=seen.location,
            address=seen.address,
            udn=seen.udn,
            our_origin=self.origin,
        )
        renderer.on_change = self.states.append
        return renderer

    @property
    def media(self) -> Media:
        size = self.film.stat().st_size
        return Media(f"{self.origin}/media.mp4", "Öl & <Feuer>", "video/mp4", "video", FEATURES, size, 30.0)


async def until(true: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("start", [gmediarender, rygel], ids=["gmediarender", "rygel"])
async def test_a_film_plays_from_a_position_pauses_seeks_and_stops(
    house: House, tmp_path: Path, film: Path, start: Callable[[object, Path], object]
) -> None:
    start(house.tv, tmp_path)
    async with ControlPoint(house.server.address, film).running() as control:
        renderer = await control.renderer()
        assert renderer.has_events
        assert renderer.icon_url is not None
        await renderer.load(control.media, position=10)
        await until(lambda: (renderer.playback.position or 0) >= 11)
        assert renderer.playback.transport is Transport.PLAYING
        assert renderer.playback.duration == 30
        await renderer.pause()
        await until(lambda: renderer.playback.transport is Transport.PAUSED)
        await renderer.set_volume(0.3)
        await until(lambda: renderer.playback.volume == pytest.approx(0.3, abs=0.02))
        await renderer.set_muted(True)
        await until(lambda: renderer.playback.muted)
        await renderer.set_muted(False)
        await until(lambda: renderer.playback.muted is False)
        await renderer.play()
        await renderer.seek(26)
        await until(lambda: (renderer.playback.position or 0) >= 26)
        await until(lambda: renderer.playback.transport is Transport.IDLE)  # it ends by itself
        await renderer.load(control.media)
        await until(lambda: renderer.playback.transport is Transport.PLAYING)
        await renderer.stop()
        await until(lambda: renderer.playback.transport is Transport.IDLE)
        await renderer.close()
    assert len(control.fetched) >= 2


async def test_a_renderer_that_says_goodbye_is_gone(house: House, tmp_path: Path, film: Path) -> None:
    process = gmediarender(house.tv, tmp_path)
    async with ControlPoint(house.server.address, film).running() as control:
        renderer = await control.renderer()
        await renderer.close()
        process.terminate()
        assert isinstance(await asyncio.wait_for(control.changes.get(), 15), Vanished)


async def test_a_renderer_that_dies_is_noticed(house: House, tmp_path: Path, film: Path) -> None:
    process = gmediarender(house.tv, tmp_path)
    async with ControlPoint(house.server.address, film).running() as control:
        renderer = await control.renderer()
        lost = asyncio.Event()
        renderer.on_lost = lost.set
        await renderer.load(control.media)
        process.kill()
        await asyncio.wait_for(lost.wait(), 30)
        await renderer.close()
