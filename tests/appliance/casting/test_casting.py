"""Playing on real players: who may, what is asked for, where people stopped, and what survives."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.accounts import store as people
from appliance.accounts.caller import Role
from appliance.casting import house as houses
from appliance.casting.player import Standing
from appliance.casting.queue import Repeat
from appliance.casting.routes import shown
from appliance.casting.showing import Stage as ShowingStage
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.journal.tables import access_log
from dlna.casting.playback import Away, Transport
from dlna.casting.renderer import Renderer
from tests.appliance.casting.stage import ADA, MIRA, Stage, cast_receiver, stage, until
from tests.dlna.casting.renderers import clip, gmediarender, rygel
from tests.lines import next_line
from tests.netns import House

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    clip(folder, "film.mp4", 30)
    clip(folder, "short.mp4", 4)
    return folder


@pytest.fixture
def media(tmp_path: Path, clips: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for file in clips.iterdir():
        os.link(file, folder / file.name)
    (folder / "old.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    (folder / "letter.pdf").write_bytes(b"%PDF-1.4")
    for file in folder.iterdir():
        os.utime(file, (time.time() - 60, time.time() - 60))
    return folder


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house, house.server.entered():
        yield house


SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'


def state(stage: Stage, player_id: str) -> dict[str, object]:
    told = shown(stage.casting, MIRA, stage.casting.house.player(player_id))
    return dict(told["showing"] or {})


async def positions(stage: Stage) -> list[tuple[str, float]]:
    await asyncio.sleep(0.4)
    async with stage.database.read() as connection:
        query = select(access_log).where(access_log.c.action == "CAST_POSITION").order_by(access_log.c.seq)
        return [(r.payload["state"], r.payload["position"]) for r in await connection.execute(query)]


async def test_a_film_plays_on_a_renderer_and_its_positions_are_mira_s(
    house: House, tmp_path: Path, media: Path
) -> None:
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    async with stage(house, tmp_path, media) as set_up:
        await set_up.know_duration("film.mp4", 30)
        film = await set_up.file_id("film.mp4")
        player = await set_up.player("Living room")
        assert player.standing is Standing.NEW
        assert player.mac == house.tv.mac
        assert set_up.described[0][:3] == (house.tv.address, player.maker, player.model)
        casting = set_up.casting
        with pytest.raises(Forbidden, match="new here"):
            await casting.play(MIRA, player.id, (film,))
        await set_up.allowed("Living room")
        await set_up.journal.set_position("umira", film, 12)
        await casting.play(MIRA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("position", 0) >= 13)  # type: ignore[operator]
        told = state(set_up, player.id)
        assert (told["state"], told["by"], told["mine"], told["file_id"]) == ("playing", "Mira", True, film)
        await casting.command(MIRA, player.id, "pause")
        await until(lambda: state(set_up, player.id)["state"] == "paused")
        await casting.command(MIRA, player.id, "seek", 20)
        await casting.command(MIRA, player.id, "resume")
        await until(lambda: state(set_up, player.id)["position"] >= 21)  # type: ignore[operator]
        await casting.sound(MIRA, player.id, 0.4, None)
        await until(lambda: state(set_up, player.id)["volume"] == pytest.approx(0.4, abs=0.02))
        await casting.command(MIRA, player.id, "stop")
        assert casting.showing(player.id) is None
        stopped = await set_up.journal.position("umira", film)
        assert stopped is not None
        assert 20 <= stopped < 28
        noted = [said for said, _ in groupby(s for s, _ in await positions(set_up))]
        assert noted[-4:] == ["paused", "seeked", "playing", "hidden"]
        with pytest.raises(Conflict):
            await casting.command(MIRA, player.id, "pause")
        await set_up.journal.stop()  # writes what waits
        async with set_up.database.read() as connection:
            query = select(access_log).where(access_log.c.action == "STREAM")
            spans = list(await connection.execute(query))
        assert {(s.user_id, s.device, s.payload["source"]) for s in spans} == {
            ("umira", f"player-{player.id}", "cast")
        }


async def test_pages_hear_at_once_of_what_somebody_does(house: House, tmp_path: Path, media: Path) -> None:
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    told: list[str] = []
    async with stage(house, tmp_path, media, tell=told.append) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Living room")
        casting = set_up.casting
        await casting.sound(MIRA, player.id, 0.5, None)
        assert told.pop() == player.id
        await casting.play(MIRA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        for word, second in (("seek", 20), ("pause", 0), ("seek", 5), ("resume", 0)):
            told.clear()
            await casting.command(MIRA, player.id, word, second)
            assert told, word
        told.clear()
        await casting.set_repeat(MIRA, player.id, Repeat.ALL)
        assert told


async def test_a_renderer_that_listens_late_is_tried_again(
    house: House, tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    connect, refused = Renderer.connect, 0

    async def late(*arguments: Any, **named: Any) -> Renderer:
        nonlocal refused
        if refused < len(houses.AGAIN):
            refused += 1
            raise Away("not yet")
        return await connect(*arguments, **named)

    monkeypatch.setattr(houses, "AGAIN", (0.1, 0.1))
    monkeypatch.setattr(Renderer, "connect", late)
    async with stage(house, tmp_path, media) as set_up:
        await until(lambda: refused == len(houses.AGAIN))
        async with asyncio.timeout(20):
            while not set_up.casting.house.all():
                set_up.casting.house.search_now()
                await asyncio.sleep(0.5)


async def test_a_queue_goes_on_by_itself_on_a_cast_device(house: House, tmp_path: Path, media: Path) -> None:
    cast_receiver(house, "Kitchen")
    async with stage(house, tmp_path, media) as set_up:
        film, short = [await set_up.file_id(name) for name in ("film.mp4", "short.mp4")]
        player = await set_up.allowed("Kitchen")
        casting = set_up.casting
        with pytest.raises(Conflict, match="does not play AVI files"):
            await casting.play(MIRA, player.id, (await set_up.file_id("old.avi"),))
        with pytest.raises(Conflict, match="Only videos"):
            await casting.play(MIRA, player.id, (await set_up.file_id("letter.pdf"),))
        await casting.play(MIRA, player.id, (short, film), position=0)
        await until(lambda: state(set_up, player.id).get("file_id") == film)
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        assert ("ended", 4.0) in [(s, round(p)) for s, p in await positions(set_up)]
        assert await set_up.journal.position("umira", short) == 0
        await casting.turn(MIRA, player.id, back=True)
        await until(lambda: state(set_up, player.id).get("file_id") == short)
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        await casting.set_repeat(MIRA, player.id, Repeat.ONE)
        ends = len([s for s, _ in await positions(set_up) if s == "ended"])
        async with asyncio.timeout(20):
            while len([s for s, _ in await positions(set_up) if s == "ended"]) < ends + 2:
                pass
        assert state(set_up, player.id)["file_id"] == short
        await casting.command(MIRA, player.id, "stop")
        connection = casting.house.connection(player)
        assert connection is not None
        await until(lambda: connection.playback.transport is Transport.IDLE)


async def test_a_url_is_good_for_one_device_and_for_as_long_as_the_person(
    house: House, tmp_path: Path, media: Path
) -> None:
    cast_receiver(house, "Kitchen")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Kitchen")
        casting = set_up.casting
        await casting.play(MIRA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        connection = casting.house.connection(player)
        assert connection is not None
        url = connection.playback.url
        assert url is not None
        assert url.startswith(f"http://{set_up.address}:8200/m/")
        assert url.endswith("/media.mp4")
        assert len(url) < 220

        def fetched_by(host: str) -> str:
            curl = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-r", "0-9", url)
            return house[host].run(*curl).stdout

        assert await asyncio.to_thread(fetched_by, "tv") == "206"
        assert await asyncio.to_thread(fetched_by, "phone") == "403"
        await casting.command(MIRA, player.id, "stop")
        assert await asyncio.to_thread(fetched_by, "tv") == "206"
        await casting.play(MIRA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        async with set_up.database.write() as writing:
            await people.delete_user(writing, "umira")
        await until(lambda: casting.showing(player.id) is None, 5)
        assert await asyncio.to_thread(fetched_by, "tv") == "403"
        await until(lambda: connection.playback.transport is Transport.IDLE)


async def test_what_a_cast_device_fetches_has_ranges_subtitles_and_cors(
    house: House, tmp_path: Path, media: Path
) -> None:
    receiver = cast_receiver(house, "Kitchen")
    (media / "film.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nYou & <i>me</i>\n")
    async with stage(house, tmp_path, media) as set_up:
        player = await set_up.allowed("Kitchen")
        await set_up.casting.play(MIRA, player.id, (await set_up.file_id("film.mp4"),))
        assert receiver.stdout is not None
        loaded = json.loads(await next_line(receiver.stdout))["load"]
        (track,) = loaded["tracks"]
        assert (track["trackContentType"], track["language"]) == ("text/vtt", "en")

        async def curl(url: str, *more: str) -> str:
            command = ("curl", "-si", "--max-time", "5", *more, url)
            return (await asyncio.to_thread(house.tv.run, *command)).stdout

        text = await curl(track["trackContentId"], "-H", "Origin: https://www.gstatic.com")
        assert "Access-Control-Allow-Origin: *" in text
        assert "Content-Type: text/vtt; charset=utf-8" in text
        assert "You &amp; <i>me</i>" in text
        (picture,) = loaded["metadata"]["images"]
        drawn = await curl(picture["url"], "-o", "/dev/null", "-D", "-")
        assert "HTTP/1.1 200 OK" in drawn
        assert "Content-Type: image/jpeg" in drawn
        head = await curl(loaded["contentId"], "-I")
        assert "HTTP/1.1 200 OK" in head
        assert "Content-Type: video/mp4" in head
        assert "contentFeatures.dlna.org: DLNA.ORG_OP=01" in head
        part = await curl(loaded["contentId"], "-r", "0-99", "-o", str(tmp_path / "part"), "-D", "-")
        assert "Content-Range: bytes 0-99/" in part
        forged = loaded["contentId"].replace("/m/cast.", "/m/cast.x")
        assert "HTTP/1.1 404" in await curl(forged)


async def test_a_renderer_is_told_of_subtitles_that_it_can_fetch(
    house: House, tmp_path: Path, media: Path
) -> None:
    gmediarender(house.tv, tmp_path / "tv", "Living room")
    (media / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nYou & me\n")
    (media / "film.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nDu & ich\n")
    async with stage(house, tmp_path, media) as set_up:
        player = await set_up.allowed("Living room")
        await set_up.casting.play(MIRA, player.id, (await set_up.file_id("film.mp4"),))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        service = "urn:schemas-upnp-org:service:AVTransport:1"
        asking = (
            *("curl", "-s", "-H", f'SOAPACTION: "{service}#GetMediaInfo"', "-H", "Content-Type: text/xml"),
            *(
                "-d",
                SOAP.format(
                    f'<u:GetMediaInfo xmlns:u="{service}"><InstanceID>0</InstanceID></u:GetMediaInfo>'
                ),
            ),
            f"http://{house.tv.address}:49494/upnp/control/rendertransport1",
        )
        told = html.unescape((await asyncio.to_thread(house.server.run, *asking)).stdout)
        (caption,) = set(re.findall(r"http://[^\"<& ]+\.srt", told))
        assert "sec:CaptionInfoEx" in told
        fetched = await asyncio.to_thread(house.tv.run, "curl", "-si", "--max-time", "5", caption)
        assert "Content-Type: text/srt; charset=utf-8" in fetched.stdout
        assert "00:00:01,000 --> 00:00:02,500\nYou & me" in fetched.stdout
        film = await asyncio.to_thread(
            house.tv.run,
            "curl",
            "-sI",
            "-H",
            "getCaptionInfo.sec: 1",
            re.findall(r"http://[^\"<& ]+/media\.mp4", told)[0],
        )
        assert "CaptionInfo.sec: " in film.stdout


Start = Callable[[House, Path], subprocess.Popen[Any]]
RENDERERS = pytest.mark.parametrize(
    "start",
    [
        lambda house, folder: gmediarender(house.tv, folder, "Living room"),
        lambda house, folder: rygel(house.tv, folder, "Living room"),
        lambda house, folder: cast_receiver(house, "Living room"),
    ],
    ids=["gmediarender", "rygel", "cast"],
)


@RENDERERS
async def test_what_plays_is_taken_up_again_after_our_restart(
    house: House, tmp_path: Path, media: Path, start: Start
) -> None:
    start(house, tmp_path / "tv")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Living room")
        await set_up.casting.play(MIRA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
    async with stage(house, tmp_path, media) as set_up:
        await set_up.player("Living room")
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        told = state(set_up, player.id)
        assert (told["by"], told["file_id"]) == ("Mira", film)
        await set_up.casting.command(MIRA, player.id, "stop")
        await until(lambda: not state(set_up, player.id))


@RENDERERS
async def test_a_player_that_restarts_goes_on_where_it_was(
    house: House, tmp_path: Path, media: Path, start: Start
) -> None:
    process = start(house, tmp_path / "tv")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Living room")
        await set_up.casting.play(MIRA, player.id, (film,), position=10)
        await until(lambda: state(set_up, player.id).get("position", 0) >= 12)  # type: ignore[operator]
        os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        await until(lambda: state(set_up, player.id).get("state") == "lost", 40)
        start(house, tmp_path / "tv")
        await until(lambda: state(set_up, player.id).get("state") == "playing", 60)
        assert 10.5 <= state(set_up, player.id)["position"] < 28  # type: ignore[operator]


async def test_players_are_hidden_renamed_and_kept_for_some(
    house: House, tmp_path: Path, media: Path
) -> None:
    rygel(house.tv, tmp_path / "tv", "Study")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Study")
        casting = set_up.casting
        await casting.change(player.id, {"given_name": "Desk", "least_role": Role.EDITOR})
        with pytest.raises(Forbidden, match="Desk is not for you"):
            await casting.play(MIRA, player.id, (film,))
        await casting.change(player.id, {"hidden": True, "least_role": Role.VIEWER})
        with pytest.raises(NotFound):
            await casting.play(MIRA, player.id, (film,))
        await casting.play(ADA, player.id, (film,))
        await until(lambda: state(set_up, player.id).get("state") == "playing")
        await casting.change(player.id, {"standing": Standing.BLOCKED})
        assert casting.showing(player.id) is None
    async with stage(house, tmp_path, media) as set_up:
        remembered = set_up.casting.house.player(player.id)
        assert (remembered.shown_name, remembered.standing) == ("Desk", Standing.BLOCKED)
        with pytest.raises(NotFound):
            await set_up.casting.play(ADA, player.id, (film,))


async def test_a_sleeping_tv_is_woken_and_then_plays(house: House, tmp_path: Path, media: Path) -> None:
    process = gmediarender(house.tv, tmp_path / "tv", "Living room")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Living room")
        process.terminate()
        await until(lambda: not set_up.casting.house.is_present(player))
        capture = house.tv.popen(
            "sh", "-c", f"tcpdump -lni lan0 -c 1 udp port 9 > {tmp_path / 'packet'} 2> {tmp_path / 'ready'}"
        )
        await until(lambda: (tmp_path / "ready").exists() and "listening" in (tmp_path / "ready").read_text())
        await set_up.casting.play(MIRA, player.id, (film,))
        assert set_up.casting.showing(player.id) is not None
        assert await asyncio.to_thread(capture.wait, 15) == 0
        showing = set_up.casting.showing(player.id)
        assert showing is not None
        assert showing.stage is ShowingStage.WAKING
        gmediarender(house.tv, tmp_path / "tv", "Living room")  # the packet has woken it
        await until(lambda: state(set_up, player.id).get("state") == "playing", 40)


async def test_a_file_that_is_gone_ends_with_a_reason(house: House, tmp_path: Path, media: Path) -> None:
    cast_receiver(house, "Kitchen")
    async with stage(house, tmp_path, media) as set_up:
        film = await set_up.file_id("film.mp4")
        player = await set_up.allowed("Kitchen")
        (media / "film.mp4").unlink()
        await set_up.casting.play(MIRA, player.id, (film,))
        await until(lambda: set_up.casting.showing(player.id) is None)
        assert set_up.casting.error(player.id)
        with pytest.raises(NotFound):
            await set_up.casting.play(MIRA, player.id, ("fnothing",))
        with pytest.raises(NotFound):
            await set_up.casting.play(MIRA, "pnothing", (film,))
