"""Queues, what a state means, and a series of photos: without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts.caller import Audience
from appliance.casting import showing as showings
from appliance.casting.judgement import NEAR_END, Seen, Verdict, follow, judge
from appliance.casting.media import why_not
from appliance.casting.player import Kind, Player, clean_name
from appliance.casting.queue import Queue, Repeat
from appliance.casting.routes import read_changes
from appliance.casting.showing import Showing, Stage
from appliance.casting.store import ShowingRow
from appliance.errors import Invalid
from appliance.library.items import File
from appliance.library.items import Kind as FileKind
from dlna.casting.playback import Media, Playback, Refused, Transport

queues = st.builds(
    lambda files, place, repeat: Queue(tuple(files), place % len(files), repeat),
    st.lists(st.text(min_size=1), min_size=1, max_size=8),
    st.integers(min_value=0),
    st.sampled_from(Repeat),
)


@given(queues)
def test_next_goes_through_all_and_previous_comes_back(queue: Queue) -> None:
    following = queue.next()
    if following is None:
        assert queue.repeat is not Repeat.ALL
        assert queue.place == len(queue.files) - 1
    elif len(queue.files) > 1:
        assert following.previous() == queue


@given(queues)
def test_what_comes_after_the_end(queue: Queue) -> None:
    assert queue.after_end() == (queue if queue.repeat is Repeat.ONE else queue.next())


@given(queues)
def test_one_that_does_not_play_is_left_out(queue: Queue) -> None:
    rest = queue.without_current()
    assert (rest is None) == (len(queue.files) == 1)
    if rest:
        assert len(rest.files) == len(queue.files) - 1


OURS = "http://10.0.0.5:8200/m/cast.f.o.g1.p1.1.x/media.mp4"


def verdict(seen: Seen, now: Playback, since: float = 30, image: bool = False) -> Verdict:
    return judge(seen, now, "g1", since, image)


def test_what_a_state_means() -> None:
    playing = Playback(Transport.PLAYING, OURS, position=10, duration=100)
    seen = follow(Seen(), playing)
    assert (seen.started, seen.position, seen.duration) == (True, 10, 100)
    assert verdict(seen, playing) is Verdict.GOES_ON
    foreign = Playback(Transport.PLAYING, "http://10.0.0.9/other.mp4")
    assert verdict(seen, foreign) is Verdict.TAKEN_OVER
    assert verdict(seen, foreign, since=1) is Verdict.GOES_ON
    assert verdict(seen, Playback()) is Verdict.STOPPED
    assert verdict(Seen(True, 100 - NEAR_END, 100), Playback()) is Verdict.FINISHED
    assert verdict(Seen(True, 10, None), Playback()) is Verdict.FINISHED
    assert verdict(seen, Playback(ended=True)) is Verdict.FINISHED
    assert verdict(Seen(True, 99, 100), Playback(ended=False)) is Verdict.STOPPED
    assert verdict(Seen(), Playback(), since=5) is Verdict.GOES_ON
    assert verdict(Seen(), Playback(error="no"), since=5) is Verdict.FAILED
    assert verdict(Seen(), Playback(), since=60) is Verdict.FAILED
    assert verdict(Seen(), Playback(), since=60, image=True) is Verdict.GOES_ON


class Picture:
    """A connection of a renderer that shows photos, and refuses one."""

    def __init__(self, broken: str = "") -> None:
        self.loaded: list[str] = []
        self.begun_at: float | None = None
        self.broken = broken
        self.playback = Playback()
        self.on_change: Callable[[Playback], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None

    async def load(self, media: Media, position: float = 0) -> None:
        if media.title == self.broken:
            raise Refused("Play", 714, "illegal MIME type")
        self.loaded.append(media.title)

    async def stop(self) -> None:
        self.loaded.append("stopped")

    async def play(self) -> None: ...
    async def pause(self) -> None: ...
    async def seek(self, position: float) -> None: ...
    async def set_volume(self, volume: float) -> None: ...
    async def set_muted(self, muted: bool) -> None: ...
    async def close(self) -> None: ...


def photo(name: str, kind: FileKind = FileKind.IMAGE, mime: str = "image/jpeg", **facts: object) -> File:
    return File(name, name, "", "f", kind, mime, 1, 1, Audience.EVERYONE, 1, 1, facts={"codecs": facts})


async def described(showing: Showing, file_id: str) -> tuple[File, Media]:
    return photo(file_id), Media(f"http://x/{showing.id}/media.jpg", file_id, "image/jpeg", "image")


def series(*files: str) -> tuple[Showing, list[Stage]]:
    told: list[Stage] = []

    async def note(*_: object) -> None:
        raise AssertionError("photos have no position")

    async def changed(showing: Showing) -> None:
        told.append(showing.stage)

    row = ShowingRow("g1", "p1", "u1", "Mira", "s1", "d1", Queue(files), 0, 0)
    return Showing(row, described, note, changed), told


async def test_photos_follow_one_another_and_wait_while_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showings, "SLIDE", 0.2)
    monkeypatch.setattr(showings, "TICK", 0.02)
    screen = Picture()
    showing, _ = series("a.jpg", "b.jpg", "c.jpg")
    await showing.begin(screen)
    async with asyncio.timeout(5):
        while screen.loaded != ["a.jpg", "b.jpg"]:
            await asyncio.sleep(0.01)
    await showing.pause()
    await asyncio.sleep(0.5)
    assert screen.loaded == ["a.jpg", "b.jpg"]
    await showing.resume()
    async with asyncio.timeout(5):
        while screen.loaded != ["a.jpg", "b.jpg", "c.jpg"]:
            await asyncio.sleep(0.01)
    await showing.stop()
    assert (showing.stage, screen.loaded[-1]) == (Stage.ENDED, "stopped")


class Screen(Picture):
    """A connection of a renderer that shows films, and begins when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = asyncio.Event()
        self.sought: list[float] = []

    async def load(self, media: Media, position: float = 0) -> None:
        self.loaded.append(media.title)
        self.begun_at = position
        await self.begins.wait()
        self.is_now(Transport.PLAYING)

    async def play(self) -> None:
        self.is_now(Transport.PLAYING)

    async def seek(self, position: float) -> None:
        assert self.playback.transport is Transport.PLAYING
        self.sought.append(position)

    async def pause(self) -> None:
        assert self.playback.transport is Transport.PLAYING
        self.is_now(Transport.PAUSED)

    def is_now(self, transport: Transport) -> None:
        self.playback = Playback(transport, "http://x/g1/media.mp4", position=5, duration=100)
        self.on_change(self.playback)


async def film(
    monkeypatch: pytest.MonkeyPatch, position: float = 0
) -> tuple[Showing, Screen, asyncio.Task[None]]:
    """That is being loaded."""
    monkeypatch.setattr(showings, "TICK", 0.02)

    async def describe(showing: Showing, file_id: str) -> tuple[File, Media]:
        file = photo(file_id, FileKind.VIDEO, "video/mp4")
        return file, Media(f"http://x/{showing.id}/media.mp4", file_id, "video/mp4", "video")

    async def unheard(*_: object) -> None: ...

    row = ShowingRow("g1", "p1", "u1", "Mira", "s1", "d1", Queue(("a.mp4",)), position, 0)
    showing, screen = Showing(row, describe, unheard, unheard), Screen()
    begun = asyncio.create_task(showing.begin(screen))
    async with asyncio.timeout(5):
        while not screen.loaded:
            await asyncio.sleep(0.01)
    return showing, screen, begun


async def test_a_film_of_unknown_length_begins_where_it_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    showing, screen, begun = await film(monkeypatch, position=60)
    assert screen.begun_at == 60
    screen.begins.set()
    await begun
    await showing.end()


@pytest.mark.parametrize("again", [False, True])
async def test_a_pause_while_it_begins_waits_until_it_has(
    monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    showing, screen, begun = await film(monkeypatch)
    await showing.pause()
    if again:
        await showing.resume()
    screen.begins.set()
    await begun
    assert screen.playback.transport is (Transport.PLAYING if again else Transport.PAUSED)
    assert showing.paused is not again
    await showing.end()


async def test_a_jump_while_it_begins_waits_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    showing, screen, begun = await film(monkeypatch)
    await showing.seek(40)
    await showing.pause()
    assert (screen.sought, showing.position) == ([], 40)
    screen.begins.set()
    await begun
    assert screen.sought == [40]
    assert screen.playback.transport is Transport.PAUSED
    await showing.end()


async def test_what_the_player_s_own_remote_control_does_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    showing, screen, begun = await film(monkeypatch)
    screen.begins.set()
    await begun
    await showing.pause()
    await asyncio.sleep(0.1)
    screen.is_now(Transport.PLAYING)
    async with asyncio.timeout(5):
        while showing.paused:
            await asyncio.sleep(0.01)
    await showing.end()


async def test_what_does_not_play_is_passed_over() -> None:
    screen = Picture(broken="a.jpg")
    showing, _ = series("a.jpg", "b.jpg")
    await showing.begin(screen)
    assert screen.loaded == ["b.jpg"]
    await showing.end()
    showing, told = series("a.jpg")
    await showing.begin(Picture(broken="a.jpg"))
    assert told[-1] is Stage.ENDED
    assert "714" in str(showing.error)


def test_why_a_player_does_not_take_a_file() -> None:
    tv = Player("p1", Kind.DLNA, "u", "TV", sink=frozenset({"video/mp4"}))
    speaker = Player("p2", Kind.CAST, "u", "Kitchen", sink=frozenset({"audio/mpeg"}))
    chromecast = Player("p3", Kind.CAST, "u", "Den", sink=frozenset({"video/mp4"}))
    film = photo("a.mp4", FileKind.VIDEO, "video/mp4", video="h264", audio="dts")
    assert why_not(tv, film) is None
    assert why_not(tv, photo("a.mkv", FileKind.VIDEO, "video/x-matroska")) == "TV does not play MKV files."
    assert why_not(speaker, film) == "Kitchen has no screen."
    assert why_not(chromecast, film) == "Den does not play DTS sound."
    assert why_not(tv, photo("a.pdf", FileKind.DOCUMENT, "application/pdf")) is not None


@given(st.text())
def test_any_name_of_a_stranger_can_be_shown(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 40
    assert cleaned.isprintable()


@pytest.mark.parametrize(
    "body", [{"name": 3}, {"hidden": "yes"}, {"state": "new"}, {"leastRole": "guest"}, {"colour": 1}]
)
def test_a_bad_change_names_its_field(body: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=next(iter(body))):
        read_changes(body)
