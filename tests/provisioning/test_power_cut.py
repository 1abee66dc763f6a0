"""The power goes while people upload, while the folders are looked through, while the daemon reads files.

Five times; `make test-all` asks for twenty (MANTEL_POWER_CUTS). The machine is never helped: it boots, and
what was acknowledged is there, what was not is whole or absent, and what was begun comes to its end.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import media
from tests.netns import House
from tests.provisioning.machine import Machine, booted
from tests.provisioning.phone import Answer, Phone
from tests.provisioning.playbook import play
from tests.provisioning.test_life import PASSWORD, signed_in

CUTS = int(os.environ.get("MANTEL_POWER_CUTS", "5"))
pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(900 + 180 * CUTS)]

CLIPS, NOTES = 60, 4000
"""Dropped into a folder: clips for the daemon to read, notes so that a look takes a while."""
AT_ONCE, SIZE, SLOW = 3, 2_000_000, 4.0
"""Uploads in flight, bytes of each, seconds that sending one takes at the most."""
SETTLES = 240
"""Seconds after which everything must have come to its end; a test machine is slow, and shared."""


@dataclass
class Shelf:
    """What was put on the machine, and what came of it."""

    machine: Machine
    house: House
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    """By id."""
    sent: dict[str, bytes] = field(default_factory=dict)
    """By name, acknowledged or not."""
    dropped: dict[str, bytes] = field(default_factory=dict)
    """By path beneath the library."""
    hit: list[str] = field(default_factory=list)
    """What was under way at each cut."""

    @property
    def library(self) -> Path:
        return self.machine.root / "srv/media"

    def drop(self, folder: str) -> None:
        clip = media.film()
        files = {f"clip {number}.mp4": clip for number in range(CLIPS)}
        files |= {f"note {number}.txt": b"note " for number in range(NOTES)}
        (self.library / folder).mkdir()
        owner = self.library.stat()
        for name, content in files.items():
            path = f"{folder}/{name}"
            self.dropped[path] = content + path.encode()
            (self.library / path).write_bytes(self.dropped[path])
            (self.library / path).chmod(0o640)
            os.chown(self.library / path, owner.st_uid, owner.st_gid)


@pytest.fixture(scope="module")
def shelf(house: House, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A whole machine, with the daemon."""
    with booted(house.server, "trixie", tmp_path_factory.mktemp("box")) as machine:
        done = play("site", machine, house.ctl, mantel_dist=str(dist))
        assert done.code == 0, done.output
        code = re.search(r"enter this setup code: ([A-Z0-9-]+)", done.output)
        assert code
        Phone(house.phone, machine.address).set_up(code[1], "anna", PASSWORD)
        yield Shelf(machine, house)


def listed(phone: Phone, folder: str) -> int:
    answer = phone.call("GET", f"/files?folder={folder}&page_size=1")
    assert answer.status == 200, answer
    return int(answer.json["total"])


def hashed(phone: Phone, folder: str) -> int:
    """Clips of which the daemon has told the checksum; nobody else takes one of what was dropped."""
    items = phone.files(folder=folder, type="video", page_size=CLIPS)
    return sum(bool(item.get("sha256")) for item in items)


def wait_until(true: Callable[[], bool], what: str, seconds: float = SETTLES) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.03)


def test_nothing_acknowledged_is_lost_and_all_that_was_begun_ends(shelf: Shelf) -> None:
    dice = random.Random(CUTS)
    for cut in range(CUTS):
        folder = f"drop-{cut}"
        phone = signed_in(shelf.machine, shelf.house)
        moment = ("scan", "analysis", "upload")[cut % 3]
        if moment == "analysis":
            # Looked through before, so that the cut meets the daemon's work alone.
            shelf.drop(folder)
            wait_until(lambda f=folder, p=phone: listed(p, f) == CLIPS + NOTES, "listing")  # type: ignore[misc]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            if moment == "analysis":
                wait_until(lambda f=folder, p=phone: hashed(p, f) > 0, "the first checksum")  # type: ignore[misc]
            sending = begin_uploads(pool, phone, shelf, cut, dice)
            if moment == "scan":
                shelf.drop(folder)
                wait_until(lambda f=folder, p=phone: listed(p, f) > 0, "the first of the new files")  # type: ignore[misc]
            if moment == "upload":
                shelf.drop(folder)
                time.sleep(dice.uniform(0, SLOW / 2))
            under_way = what_is_under_way(phone, folder, sending)
            shelf.machine.power_cut()
        shelf.hit.append(under_way)
        print(f"cut {cut}: {under_way}", flush=True)
        keep_account(sending, shelf)
        shelf.machine.start()
        shelf.house.server.wait_for_port(8000, timeout=120)
        check(shelf, folder)
    for word in ("uploads", "looking", "reading"):
        assert any(word in under_way for under_way in shelf.hit), f"no cut came while {word}: {shelf.hit}"


def begin_uploads(
    pool: ThreadPoolExecutor, phone: Phone, shelf: Shelf, cut: int, dice: random.Random
) -> dict[str, Future[Answer]]:
    sending = {}
    for number in range(AT_ONCE):
        name = f"upload {cut} {number}.bin"
        shelf.sent[name] = dice.randbytes(SIZE)
        seconds = SLOW * number / (AT_ONCE - 1)
        sending[name] = pool.submit(phone.upload, name, shelf.sent[name], "", seconds)
    return sending


def what_is_under_way(phone: Phone, folder: str, sending: dict[str, Future[Answer]]) -> str:
    """Asked of the machine an instant before the cut."""
    known, told = listed(phone, folder), hashed(phone, folder)
    uploads = sum(not one.done() for one in sending.values())
    words = [f"{uploads} uploads"] if uploads else []
    words += [f"looking, {known} of {CLIPS + NOTES} files listed"] if known < CLIPS + NOTES else []
    words += [f"reading, {told} of {CLIPS} clips read"] if known and told < CLIPS else []
    return ", ".join(words)


def keep_account(sending: dict[str, Future[Answer]], shelf: Shelf) -> None:
    for name, one in sending.items():
        with contextlib.suppress(OSError, http.client.HTTPException):
            answer = one.result()
            assert answer.status == 201, answer
            shelf.acknowledged[answer.json["files"][0]["id"]] = shelf.sent[name]


def check(shelf: Shelf, folder: str) -> None:
    phone = signed_in(shelf.machine, shelf.house)
    for file_id, content in shelf.acknowledged.items():
        assert phone.call("GET", f"/files/{file_id}/stream").body == content, f"{file_id} was acknowledged"
    wait_until(lambda: listed(phone, folder) == CLIPS + NOTES, "listing after the cut")
    wait_until(lambda: hashed(phone, folder) == CLIPS, "reading after the cut")
    on_disk = {
        str(path.relative_to(shelf.library)): path
        for path in shelf.library.rglob("*")
        if path.is_file() and ".mantel" not in path.parts
    }
    whole = shelf.sent | shelf.dropped
    for name, path in on_disk.items():
        assert path.read_bytes() == whole[name], f"{name} is half-published"
    assert on_disk.keys() >= shelf.dropped.keys()
    total = phone.call("GET", "/files?page_size=1").json["total"]
    assert total == len(on_disk)
    assert shelf.machine.run("systemctl", "--failed", "--no-legend").stdout == ""
