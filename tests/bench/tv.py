"""What a TV's Browse costs: 100 songs again and again, for the first time, and the end of 60,000."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from defusedxml.ElementTree import fromstring
from sqlalchemy import text

from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.library.library import Library
from tests.bench import lan, peers
from tests.bench.bench import Bench, Target, cpu_seconds, pin
from tests.house import house
from tests.netns import leave_for_own_lan

SONGS, ALBUMS, PER_ALBUM, PAGE = 60_000, 60, 100, 100
SERVER_CORE, ASKER_CORE = 0, 1
SCAN_SECONDS = 300
FACTS = """
UPDATE files SET facts_from = 'probe', duration_sec = pk % 300 + 0.2, title = 'Song ' || pk,
artist = 'Artist ' || pk / 200, album = 'Album ' || pk / 100, facts = json_object(
'bitrate', 128000, 'hasCover', json('false'),
'codecs', json_object('container', 'mp3', 'audio', 'mp3', 'audioChannels', 2, 'audioSampleRate', 44100),
'tags', json_object('title', 'Song ' || pk, 'artist', 'Artist ' || pk / 200, 'album', 'Album ' || pk / 100,
'genre', 'Genre ' || pk % 20, 'track', CAST(pk % 100 AS TEXT)))
"""
"""What the probe would find, which would take it an hour."""
TITLE = "{http://purl.org/dc/elements/1.1/}title"


@dataclass
class Server:
    """One program; `folder` and `albums` are its ids of the long list and of the short ones."""

    name: str
    pid: int
    control: str
    folder: str
    albums: list[str]
    taken: int = 0
    asked: int = field(default=0, repr=False)

    def again(self, count: int = 500) -> Callable[[], Awaitable[Mapping[str, float]]]:
        """The same call, word for word."""

        async def once() -> Mapping[str, float]:
            return await self._ask([_call(self.albums[0])] * count, ("requests/s", "CPU µs/request"))

        return once

    def anew(self, count: int = 300) -> Callable[[], Awaitable[Mapping[str, float]]]:
        """The same list, in words that were not used before: no answer is at hand."""

        async def once() -> Mapping[str, float]:
            bodies = [self._unlike(_call(self.albums[0])) for _ in range(count)]
            return await self._ask(bodies, ("requests/s", "CPU µs/request"))

        return once

    def first(self, count: int = 8) -> Callable[[], Awaitable[Mapping[str, float]]]:
        """Albums that nobody has opened yet."""

        async def once() -> Mapping[str, float]:
            chosen = self.albums[1 + self.taken : 1 + self.taken + count]
            self.taken += count
            return await self._ask([_call(one) for one in chosen], ("ms",))

        return once

    def page(self, start: int, count: int = 20) -> Callable[[], Awaitable[Mapping[str, float]]]:
        """One page of the long list, in other words each time."""

        async def once() -> Mapping[str, float]:
            return await self._ask([self._unlike(_call(self.folder, start)) for _ in range(count)], ("ms",))

        return once

    def _unlike(self, body: str) -> str:
        self.asked += 1
        return body.replace("<s:Body>", "<s:Body>" + "".join(" \t"[int(bit)] for bit in f"{self.asked:b}"))

    async def _ask(self, bodies: list[str], units: tuple[str, ...]) -> dict[str, float]:
        url = urlsplit(self.control)
        job = {
            "host": url.hostname, "port": url.port, "path": url.path,
            "soapaction": f"{lan.CDS}#Browse", "bodies": bodies,
        }  # fmt: skip
        before = cpu_seconds(self.pid)
        process = await asyncio.create_subprocess_exec(
            "taskset", "-c", str(ASKER_CORE), sys.executable, "-m", "tests.bench.asker",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate(json.dumps(job).encode())
        if process.returncode:
            raise RuntimeError(f"{self.name} did not answer")
        cpu, said = cpu_seconds(self.pid) - before, json.loads(out)
        every = {
            "requests/s": len(bodies) / said["seconds"],
            "CPU µs/request": 1e6 * cpu / len(bodies),
            "ms": 1e3 * statistics.median(said["delays"]),
        }
        return {unit: every[unit] for unit in units}


def _call(object_id: str, start: int = 0) -> str:
    return lan.envelope(
        "Browse", ObjectID=object_id, BrowseFlag="BrowseDirectChildren", Filter="*", StartingIndex=start,
        RequestedCount=PAGE, SortCriteria="",
    ).decode()  # fmt: skip


async def run(bench: Bench) -> None:
    library = bench.folder / "library"
    address = None
    try:
        address = leave_for_own_lan()
    except OSError:
        bench.missing.append("root, for a LAN of Gerbera's own: it takes no loopback")
    await asyncio.to_thread(songs, library)
    await described(library, bench.folder / "state")
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house(bench.folder, tv_access="open"))
        pin(home.process.pid, SERVER_CORE)
        bench.versions["Mantel"] = "this one"
        # Gerbera 1.1 closes after each answer without a word of it.
        connector = aiohttp.TCPConnector(force_close=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        ours = await server(http, "Mantel", home.process.pid, home.lan_url, "Folders", True)
        everyone, with_long = [ours], [ours]
        starts = [(peers.minidlna(library, bench.folder / "minidlna"), library, "Browse Folders")]
        if address:
            gerbera = peers.gerbera(library / "Albums", bench.folder / "gerbera", address)
            starts.append((gerbera, library / "Albums", "PC Directory"))
        for start, folder, top in starts:
            try:
                peer = await stack.enter_async_context(start)
            except peers.Missing as missing:
                bench.missing.append(str(missing))
                continue
            pin(peer.pid, SERVER_CORE)
            bench.versions[peer.name] = peer.version
            found = await server(http, peer.name, peer.pid, peer.url, top, folder == library)
            everyone.append(found)
            if found.folder:
                with_long.append(found)
        title = f"Browse of {PER_ALBUM} songs"
        rate = ("Mantel", "requests/s")
        await bench.compare(
            f"{title}, asked again",
            {one.name: one.again() for one in everyone},
            {rate: [Target("minidlna", 3, False)]},
        )
        await bench.compare(
            f"{title}, answer made anew",
            {one.name: one.anew() for one in everyone},
            {rate: [Target("minidlna", 1, False)]},
            note="The call is worded differently each time, so that no kept answer fits: what a TV meets "
            "after something elsewhere in the library has changed. Mantel has the items at hand.",
        )
        await bench.compare(
            f"{title}, never opened before",
            {one.name: one.first() for one in everyone},
            note="Mantel reads the rows and writes the items in Python, which costs it several times what "
            "MiniDLNA's C takes; it does so once for each file that changes.",
        )
        ends: dict[str, Callable[[], Awaitable[Mapping[str, float]]]] = {}
        for one in with_long:
            ends[f"{one.name}, first page"] = one.page(0)
            ends[f"{one.name}, last page"] = one.page(SONGS - PAGE)
        await bench.compare(
            f"{PAGE} songs of a list of {SONGS:,}",
            ends,
            {
                ("Mantel, last page", "ms"): [
                    Target("minidlna, last page", 0.2),
                    Target("Mantel, first page", 1.5),
                ]
            },
            note="Gerbera was given the albums alone: it takes seconds for a page of a long list.",
        )


async def server(
    http: aiohttp.ClientSession, name: str, pid: int, url: str, top: str, with_long: bool
) -> Server:
    """Once it has scanned: the ids of its long list and its albums, found by their names from `top` on."""
    control = url + lan.CONTROL[name]

    async def inside(object_id: str) -> dict[str, tuple[str, int]]:
        answer = await lan.browse(http, control, object_id)
        return {
            one.findtext(TITLE) or "": (one.get("id") or "", int(one.get("childCount") or 0))
            for one in fromstring(answer["Result"])
            if one.tag.endswith("container")
        }

    async with asyncio.timeout(SCAN_SECONDS):
        while True:
            try:
                found = {"": ("0", 0)}
                todo = [(await inside("0"))[top][0]]
                while todo:
                    within = await inside(todo.pop())
                    found |= within
                    todo += [one for label, (one, _) in within.items() if label[:4] not in ("Big", "Albu")]
                    todo += [one for label, (one, _) in within.items() if label == "Albums"]
                albums = [one for label, (one, count) in sorted(found.items()) if label.startswith("Album ")]
                last = await lan.browse(http, control, albums[-1], 0, 1)
                whole = [last]
                if with_long:
                    whole.append(await lan.browse(http, control, found["Big"][0], 0, 1))
                counts = [int(one["TotalMatches"]) for one in whole]
                if len(albums) == ALBUMS and counts == [PER_ALBUM, SONGS][: len(whole)]:
                    await asyncio.sleep(5)  # what it does after its scan is not measured
                    return Server(name, pid, control, found.get("Big", ("", 0))[0], albums)
            except (KeyError, IndexError, aiohttp.ClientError):
                pass
            await asyncio.sleep(1)


def songs(folder: Path) -> None:
    """Small MP3 files with tags: `Big/` holds SONGS, `Albums/Album 00/` and so on PER_ALBUM each."""
    (folder / "Big").mkdir(parents=True)
    for number in range(SONGS):
        (folder / f"Big/Song {number:05}.mp3").write_bytes(_song(number, f"Large {number // 100:04}"))
    for album in range(ALBUMS):
        (folder / f"Albums/Album {album:02}").mkdir(parents=True)
        for track in range(PER_ALBUM):
            data = _song(SONGS + album * PER_ALBUM + track, f"Small {album:02}")
            (folder / f"Albums/Album {album:02}/Track {track:02}.mp3").write_bytes(data)


def _song(number: int, album: str) -> bytes:
    tags = b"".join(
        name.encode() + len(text.encode() + b"0").to_bytes(4, "big") + b"\0\0\0" + text.encode()
        for name, text in (
            ("TIT2", f"Song {number:05}"),
            ("TPE1", f"Artist {number // 200:04}"),
            ("TALB", album),
            ("TCON", f"Genre {number % 20}"),
            ("TRCK", str(number % 100 + 1)),
        )
    )
    size = bytes((len(tags) >> shift) & 127 for shift in (21, 14, 7, 0))  # ID3v2.3 §3.1: seven bits a byte
    frame = b"\xff\xfb\x90\x64" + bytes(413)  # MPEG-1 layer 3, 128 kbit/s, 44.1 kHz, silence
    return b"ID3\x03\0\0" + size + tags + frame * 8


async def described(folder: Path, state: Path) -> None:
    """The index of `folder` with FACTS."""
    state.mkdir()
    database = Database(f"sqlite+aiosqlite:///{state / 'mantel.db'}")
    await database.migrate()
    library = Library(database, Journal(database), [folder], state=state)
    await library.adopt_roots()
    while (await library.scan()).unsettled:
        await asyncio.sleep(1)
    async with database.write() as connection:
        await connection.execute(text(FACTS))
    await library.stop()
    await database.close()
