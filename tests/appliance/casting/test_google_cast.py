"""A Cast device in a house of its own, found by mDNS and driven over TLS and protobuf."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from zeroconf.asyncio import AsyncZeroconf

from appliance.casting.google_cast import CastDevice, CastDiscovery, CastFound
from dlna.casting.playback import Away, Media, Refused, Transport
from dlna.interfaces import interfaces
from tests.dlna.casting.renderers import clip
from tests.netns import House

pytestmark = pytest.mark.netns
ROOT = Path(__file__).parents[3]


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house, house.server.entered():
        yield house


def cast_receiver(house: House, *more: str) -> subprocess.Popen[Any]:
    program = (sys.executable, "-m", "tests.fakes.cast_receiver", house.tv.address, "Küche TV", *more)
    process = house.tv.popen(*program, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": "Küche TV"}
    return process


@asynccontextmanager
async def looking(house: House) -> AsyncIterator[tuple[asyncio.Queue[CastFound], asyncio.Queue[UUID]]]:
    found: asyncio.Queue[CastFound] = asyncio.Queue()
    gone: asyncio.Queue[UUID] = asyncio.Queue()
    mdns = AsyncZeroconf(interfaces=[house.server.address])
    discovery = CastDiscovery(mdns, lambda: interfaces(("lan0",)), found.put_nowait, gone.put_nowait)
    await discovery.start()
    yield found, gone
    await discovery.stop()
    await mdns.async_close()


@asynccontextmanager
async def films(house: House, folder: Path) -> AsyncIterator[str]:
    film = clip(folder, seconds=20)
    app = web.Application()

    async def serve(_: web.Request) -> web.FileResponse:
        return web.FileResponse(film)

    app.router.add_get("/media.mp4", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, house.server.address, 0).start()
    yield f"http://{house.server.address}:{runner.addresses[0][1]}"
    await runner.cleanup()


async def until(true: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def test_a_film_plays_pauses_seeks_and_stops(house: House, tmp_path: Path) -> None:
    process = cast_receiver(house)
    async with looking(house) as (found, gone), films(house, tmp_path) as origin:
        told = await asyncio.wait_for(found.get(), 15)
        assert (told.name, told.model, told.address, told.port) == (
            "Küche TV",
            "Chromecast",
            house.tv.address,
            8009,
        )
        device = await CastDevice.connect(told)
        assert device.playback.volume == 0.5
        film = Media(f"{origin}/media.mp4", "Öl", "video/mp4", "video", duration_sec=20.0)
        await device.load(film, position=5)
        await until(lambda: device.playback.transport is Transport.PLAYING)
        assert device.playback.url == film.url
        assert 5 <= (device.playback.position or 0) < 12
        assert device.playback.duration == pytest.approx(20, abs=0.5)
        await device.pause()
        await until(lambda: device.playback.transport is Transport.PAUSED)
        await device.seek(11)
        await until(lambda: device.playback.transport is Transport.PAUSED)
        assert 11 <= (device.playback.position or 0) < 14
        await device.set_volume(0.3)
        await device.set_muted(True)
        await until(lambda: device.playback.muted and device.playback.volume == pytest.approx(0.3))
        await device.play()
        await device.seek(19)
        await until(lambda: device.playback.ended is True)
        assert device.playback.transport is Transport.IDLE
        await device.load(film)
        await device.stop()
        await until(lambda: device.playback.ended is False)
        with pytest.raises(Refused):
            await device.load(Media(f"{origin}/nothing.mp4", "x", "video/mp4", "video"))
        assert device.playback.error
        await device.close()
        process.terminate()
        assert await asyncio.wait_for(gone.get(), 15) == told.uuid


async def test_commands_that_come_at_once_do_not_spoil_the_connection(house: House) -> None:
    cast_receiver(house)
    async with looking(house) as (found, _):
        device = await CastDevice.connect(await asyncio.wait_for(found.get(), 15))
        lost: list[bool] = []
        device.on_lost = lambda: lost.append(True)
        for _ in range(200):
            await asyncio.gather(*(device.set_volume(level / 10) for level in range(8)))
        assert not lost
        await device.close()


def test_a_silent_device_does_not_hold_up_our_end() -> None:
    program = """if True:
        import asyncio, socket, uuid
        from appliance.casting.google_cast import CastDevice, CastFound
        async def main():
            silent = socket.create_server(("127.0.0.1", 0))
            found = CastFound(uuid.uuid4(), "Küche TV", "", "127.0.0.1", silent.getsockname()[1])
            connecting = asyncio.create_task(CastDevice.connect(found))
            await asyncio.to_thread(silent.accept)
            connecting.cancel()
        asyncio.run(main())
    """
    # CONNECT_PATIENCE is 15 seconds, and a LOAD is waited for half a minute.
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=12, check=True)


async def test_a_device_that_dies_is_lost(house: House, tmp_path: Path) -> None:
    process = cast_receiver(house, "Google Home Mini")
    async with looking(house) as (found, _):
        told = await asyncio.wait_for(found.get(), 15)
        assert not told.has_screen
        assert all(kind.startswith("audio/") for kind in told.sink)
        device = await CastDevice.connect(told)
        lost = asyncio.Event()
        device.on_lost = lost.set
        process.kill()
        await asyncio.wait_for(lost.wait(), 30)
        await device.close()
        with pytest.raises(Away):
            await CastDevice.connect(told)
