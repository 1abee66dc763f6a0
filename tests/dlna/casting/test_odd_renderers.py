"""Renderers that refuse, answer late or wrongly, and descriptions that would have us ask others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from dlna.casting.events import Events
from dlna.casting.foreign import LARGEST_ANSWER, ForeignUrl, OneDevice, foreign_session, own_url
from dlna.casting.playback import BrokenDescription, Media, PlayerError, Transport
from dlna.casting.renderer import Renderer
from tests.fakes.renderer import UDN, FakeRenderer

FILM = Media("http://127.0.0.1:8200/m/x/media.mp4", "Film", "video/mp4", "video")
PATIENCE = 20


@asynccontextmanager
async def connected(fake: FakeRenderer, udn: str = UDN) -> AsyncIterator[Renderer]:
    location = await fake.start()
    try:
        async with foreign_session() as session:
            renderer = await Renderer.connect(
                session,
                Events(),
                location=location,
                address="127.0.0.1",
                udn=udn,
                our_origin="http://127.0.0.1:8200",
            )
            try:
                yield renderer
            finally:
                await renderer.close()
    finally:
        await fake.stop()


async def until_playing(renderer: Renderer) -> None:
    async with asyncio.timeout(PATIENCE):
        while renderer.playback.transport is not Transport.PLAYING or renderer.playback.position is None:
            await asyncio.sleep(0.05)


async def test_one_that_refuses_events_is_polled() -> None:
    fake = FakeRenderer(refuse_events=True)
    async with connected(fake) as renderer:
        assert not renderer.has_events
        assert renderer.sink == {"video/mp4", "audio/mpeg"}
        assert renderer.maker_and_model == ("Samsung Electronics", "UE40D7000")
        await renderer.load(FILM)
        await until_playing(renderer)
        fake.state = "STOPPED"  # somebody takes the remote control
        async with asyncio.timeout(PATIENCE):
            while renderer.playback.transport is not Transport.IDLE:
                await asyncio.sleep(0.05)


async def test_metadata_that_chokes_it_is_left_out() -> None:
    fake = FakeRenderer(refuse_metadata=True)
    async with connected(fake) as renderer:
        await renderer.load(FILM)
        assert fake.calls == ["SetAVTransportURI", "SetAVTransportURI", "Play"]
        assert fake.uri == FILM.url


async def test_a_seek_is_tried_again_until_it_plays() -> None:
    fake = FakeRenderer(seeks_refused=2)
    async with connected(fake) as renderer:
        await renderer.load(FILM, position=3725)
        assert fake.position == 3725
        assert fake.calls[-3:] == ["Seek", "Seek", "Seek"]
        assert "<Target>1:02:05</Target>" in fake.bodies[-1]


async def test_a_seek_that_was_accepted_and_not_done_is_asked_again() -> None:
    fake = FakeRenderer(seeks_ignored=1)
    async with connected(fake) as renderer:
        await renderer.load(FILM, position=60)
        assert fake.position == 60
        fake.seeks_ignored = 1
        await renderer.seek(300)
        assert fake.position == 300
        fake.seeks_ignored = 99  # it never does: nobody waits for ever
        await renderer.seek(10)
        assert fake.position == 300


async def test_a_pause_is_tried_again_until_it_plays() -> None:
    fake = FakeRenderer(pauses_refused=2)
    async with connected(fake) as renderer:
        await renderer.load(FILM)
        await renderer.pause()
        assert fake.state == "PAUSED_PLAYBACK"
        assert fake.calls[-3:] == ["Pause", "Pause", "Pause"]


async def test_a_late_answer_is_waited_for() -> None:
    async with connected(FakeRenderer(slow=0.7)) as renderer:
        await renderer.load(FILM)
        await until_playing(renderer)


@pytest.mark.parametrize(
    "odd",
    [
        {"RelTime": "NOT_IMPLEMENTED", "TrackDuration": "NOT_IMPLEMENTED"},
        {"RelTime": "", "TrackDuration": ""},
        {"RelTime": "-1:00:00", "TrackDuration": "99:99:99"},
        {"RelTime": "soon", "TrackDuration": "0:00:60.5"},
        {"RelTime": "7", "TrackDuration": "1:2:3/4"},
        {"CurrentVolume": "loud"},
        {"CurrentVolume": "-3"},
        {"CurrentVolume": "70000"},
        {"TrackURI": "\x7f\ufffe"},
        {"CurrentTransportState": "HAVING_LUNCH"},
        {"CurrentTransportState": ""},
        {"CurrentTransportStatus": "ERROR_OCCURRED"},
    ],
)
async def test_odd_values_hide_no_later_ones(odd: dict[str, str]) -> None:
    fake = FakeRenderer(odd=odd, refuse_events=True)
    async with connected(fake) as renderer:
        await renderer.load(FILM, position=20)
        assert renderer.playback.volume is None or 0 <= renderer.playback.volume <= 1
        assert (renderer.playback.position or 0) >= 0
        fake.odd, fake.position = {}, 21  # the library takes up only what differs
        await until_playing(renderer)
        async with asyncio.timeout(PATIENCE):
            while renderer.playback.volume != pytest.approx(0.2):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "raw",
    [
        (200, ""),
        (200, "<html>Welcome</html>"),
        (200, "<" * 5000),
        (500, "<s:Envelope><s:Body><s:Fault/></s:Body></s:Envelope>"),
        (500, ""),
        (404, "<html>No such page</html>"),
    ],
)
async def test_answers_that_are_no_soap_are_told_as_a_refusal(raw: tuple[int, str]) -> None:
    fake = FakeRenderer(raw={"Play": raw, "GetPositionInfo": raw})
    async with connected(fake) as renderer:
        with pytest.raises(PlayerError):
            await renderer.load(FILM)
        assert renderer.playback.error
        fake.raw = {}
        await renderer.load(FILM)
        await until_playing(renderer)


async def test_another_name_than_announced_is_not_believed() -> None:
    with pytest.raises(BrokenDescription, match="announced"):
        async with connected(FakeRenderer(), udn="uuid:somebody-else"):
            pass


@pytest.mark.parametrize(
    "description",
    [
        "",
        "not xml",
        "<root/>",
        '<!DOCTYPE r [<!ENTITY a "b">]><root>&a;</root>',
        '<root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>x</deviceType></device></root>',
        "<a>" * 3000,
    ],
)
async def test_a_broken_description_is_named(description: str) -> None:
    with pytest.raises(PlayerError):
        async with connected(FakeRenderer(description=description)):
            pass


async def test_a_description_without_end_is_cut() -> None:
    with pytest.raises(PlayerError, match="more than"):
        async with connected(FakeRenderer(description="<root>" + "x" * LARGEST_ANSWER)):
            pass


async def test_nobody_else_is_asked() -> None:
    asked: list[str] = []

    async def ask(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", ask)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.2", 0).start()
    foreign = f"http://127.0.0.2:{runner.addresses[0][1]}"
    for fake in (FakeRenderer(redirect_to=f"{foreign}/secret"), FakeRenderer(control_host=foreign)):
        with pytest.raises(PlayerError):
            async with connected(fake):
                pass
    async with foreign_session() as session:
        with pytest.raises(ForeignUrl):
            from async_upnp_client.const import HttpRequest

            await OneDevice(session, "127.0.0.1").async_http_request(HttpRequest("GET", foreign, {}, None))
    assert asked == []
    await runner.cleanup()


def test_an_address_in_disguise_is_not_its_own() -> None:
    assert own_url("http://10.77.0.20:80/x", "10.77.0.20")
    for url in ("http://0x0a.77.0.20/", "http://10.77.20/", "http://167772161/", "http://10.77.0.20%2e/"):
        with pytest.raises(ForeignUrl):
            own_url(url, "10.77.0.20")


async def test_events_count_from_the_renderer_alone() -> None:
    events = Events()
    async with foreign_session() as session:
        requester = OneDevice(session, "10.77.0.20")
        word, _ = events.open(requester, "10.77.0.20", "http://10.77.0.10:8200")
        headers = CIMultiDictProxy(
            CIMultiDict({"NT": "upnp:event", "NTS": "upnp:propchange", "SID": "uuid:1"})
        )
        assert await events.notify(word, "10.77.0.66", headers, b"<x/>") == 404
        assert await events.notify("other", "10.77.0.20", headers, b"<x/>") == 404
        assert await events.notify(word, "10.77.0.20", headers, b"<x/>") == 200
        assert await events.notify(word, "10.77.0.20", CIMultiDictProxy(CIMultiDict()), b"") == 400
        events.close(word)
        assert await events.notify(word, "10.77.0.20", headers, b"<x/>") == 404
