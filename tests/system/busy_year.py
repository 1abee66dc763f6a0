"""A year of a busy household, half a million events: made anew from the same numbers each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

DAYS = 366
USERS = [f"user{n:012d}" for n in range(8)]
TVS = [f"tv-02:77:00:00:00:{n:02x}" for n in range(4)]
FILM, SONG, PHOTO = (2_000_000_000, 5400.0), (8_000_000, 200.0), (4_000_000, 0.0)
FILMS = [f"film{n:012d}" for n in range(2000)]
SONGS = [f"song{n:012d}" for n in range(3000)]
PHOTOS = [f"photo{n:011d}" for n in range(3000)]
MTIME_NS = 1_763_824_000_123_456_789
WORDS = [
    "tromso",
    "holiday",
    "birthday",
    "matrix",
    "slow ferry",
    "winter",
    "boat",
    "grandma",
    "trolls",
    "fjord",
]
KEYFRAMES = 300


def files() -> Iterator[tuple[str, str, int, float]]:
    """(id, kind, bytes, seconds)."""
    for ids, kind, (size, seconds) in (
        (FILMS, "video", FILM),
        (SONGS, "audio", SONG),
        (PHOTOS, "image", PHOTO),
    ):
        for file_id in ids:
            yield file_id, kind, size, seconds


def keyframes(size: int, seconds: float) -> bytes:
    """The daemon's own form of a keyframe index: differences of bytes and milliseconds, base 128."""
    chance = random.Random(size)
    cuts = sorted(chance.sample(range(1, size), KEYFRAMES - 2))
    offsets = [0, *cuts, size]
    millis = [round(seconds * 1000 * n / (KEYFRAMES - 1)) for n in range(KEYFRAMES)]
    out = bytearray()
    for before, now in zip(
        [(0, 0), *zip(offsets, millis, strict=True)], zip(offsets, millis, strict=True), strict=False
    ):
        for value in (now[0] - before[0], now[1] - before[1]):
            while value >= 0x80:
                out.append(value & 0x7F | 0x80)
                value >>= 7
            out.append(value)
    return bytes(out)


class _Year:
    def __init__(self, today: datetime) -> None:
        self._chance = random.Random(7)
        self._midnight = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
        self._count = 0

    def event(
        self, kind: str, at: datetime, who: str | None, file_id: str | None, **payload: Any
    ) -> dict[str, Any]:
        self._count += 1
        found: dict[str, Any] = {
            "eventId": f"01930f2e-7c1a-7b5e-9d3a-{self._count:012x}",
            "version": 1,
            "at": _iso(at),
            "type": kind,
            "payload": payload,
        }
        if who:
            found["device" if who.startswith("tv") else "userId"] = who
        if file_id:
            found["fileId"] = file_id
        return found

    def people_and_files(self) -> Iterator[dict[str, Any]]:
        for user in USERS:
            yield self.event(
                "user_changed", self._midnight, user, None, name=user, role="viewer", privacy="full"
            )
        for number, (file_id, kind, size, _) in enumerate(files()):
            at = self._midnight + timedelta(minutes=number * 60 * 24 * (DAYS - 1) // 8000)
            yield self.event(
                "file_added", at, None, file_id, root="/srv/media", path=f"{kind}/{file_id}",
                name=f"{WORDS[number % 10]} {file_id}.bin", folder=kind, type=kind, mimeType=f"{kind}/x",
                sizeBytes=size, mtimeNs=str(MTIME_NS), createdAt=_iso(at),
            )  # fmt: skip

    def day(self, number: int) -> list[dict[str, Any]]:
        chance = self._chance
        events: list[dict[str, Any]] = []
        start = self._midnight + timedelta(days=number)

        def some_time() -> datetime:
            return start + timedelta(seconds=chance.randrange(7 * 3600, 22 * 3600))

        for _ in range(chance.choice((3, 4))):
            events += self._watched("ping", some_time(), chance.choice(USERS), self._film())
        events += self._watched("cast_position", some_time(), chance.choice(USERS), self._film())
        for _ in range(12):
            at, film, first = some_time(), self._film(), 0
            for _ in range(6):
                end, size = at + timedelta(minutes=8), 170_000_000
                events.append(self._span(at, end, chance.choice(TVS), film, first, size, FILM[0]))
                at, first = end, first + size
        for _ in range(20):
            at, song, user = some_time(), chance.choice(SONGS[:400]), chance.choice(USERS)
            events.append(self._span(at, at + timedelta(seconds=60), user, song, 0, SONG[0], SONG[0]))
            for n in range(6):
                then = at + timedelta(seconds=10 * n)
                events.append(
                    self.event("ping", then, user, song, state="playing", position=10.0 * n, rate=1.0)
                )
        events += [
            self.event("view", some_time(), chance.choice(USERS), chance.choice(PHOTOS)) for _ in range(100)
        ]
        for _ in range(30):
            query, found = chance.choice(WORDS) + " " * chance.randrange(2), chance.randrange(3)
            events.append(
                self.event("search", some_time(), chance.choice(USERS), None, query=query, results=found)
            )
        events += [
            self.event("download", some_time(), chance.choice(USERS), self._film(), bytes=1, sizeBytes=1)
            for _ in range(5)
        ]
        events += [
            self.event("sign_in", some_time(), chance.choice(USERS), None, method="password")
            for _ in range(8)
        ]
        events.sort(key=lambda event: str(event["at"]))
        return events

    def _film(self) -> str:
        """Some films are watched more than others."""
        return FILMS[int(len(FILMS) * self._chance.random() ** 3)]

    def _span(
        self, at: datetime, end: datetime, who: str, file_id: str, first: int, sent: int, size: int
    ) -> dict[str, Any]:
        return self.event(
            "span", end, who, file_id, source="tv", firstByte=first, bytes=sent, sizeBytes=size,
            startedAt=_iso(at), endedAt=_iso(end), closed=True,
        )  # fmt: skip

    def _watched(self, kind: str, at: datetime, who: str, film: str) -> Iterator[dict[str, Any]]:
        begin = self._chance.randrange(0, 2000)
        for n in range(self._chance.randrange(120, 360)):
            yield self.event(
                kind, at + timedelta(seconds=10 * n), who, film,
                state="playing", position=begin + 10.0 * n, rate=1.0, player="Living room",
            )  # fmt: skip


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def year() -> Iterator[dict[str, Any]]:
    """The events in the order in which the appliance logs them, up to today."""
    household = _Year(datetime.now(UTC))
    yield from household.people_and_files()
    for number in range(DAYS):
        yield from household.day(number)
