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
from functools import partial
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
FILES = CLIPS + NOTES
AT_ONCE, SIZE, SLOW = 3, 2_000_000, 4.0
"""Uploads in flight, bytes of each, seconds that sending one takes at the most."""
QUIET = 12.0
"""Seconds after which the daemon has most checksums: it waits 10 until nobody writes a file."""
SETTLES = 240
"""Seconds after which everything must have come to its end; a test machine is slow, and shared."""


Moment = tuple[dict[str, Future[Answer]], str]
"""Uploads in flight, and in words what else is under way."""


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


def wait_for(count: Callable[[], int], least: int, what: str) -> int:
    """The first count that is as large as `least`; fails after SETTLES."""
    end = time.monotonic() + SETTLES
    while (counted := count()) < least:
        assert time.monotonic() < end, f"{what}: {counted} of {least} within {SETTLES} s"
        time.sleep(0.02)
    return counted


@pytest.mark.flaky(reruns=0)
def test_nothing_acknowledged_is_lost_and_all_that_was_begun_ends(shelf: Shelf) -> None:
    dice = random.Random(CUTS)
    for cut in range(CUTS):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sending, under_way = MOMENTS[cut % len(MOMENTS)](shelf, f"drop-{cut}", pool, dice)
            uploads = sum(not one.done() for one in sending.values())
            shelf.machine.power_cut()
        shelf.hit.append(f"{uploads} uploads, {under_way}" if uploads else under_way)
        print(f"cut {cut}: {shelf.hit[-1]}", flush=True)
        keep_account(sending, shelf)
        shelf.machine.start()
        shelf.house.server.wait_for_port(8000, timeout=120)
        try:
            check(shelf, f"drop-{cut}")
        except AssertionError as error:
            said = ("journalctl", "-b", "--no-pager", "-n", "60", "-u", "mantel", "-u", "mantel-analytics")
            error.add_note(shelf.machine.run(*said).stdout)
            raise
    for word in ("uploads", "looking", "reading"):
        assert any(word in under_way for under_way in shelf.hit), f"no cut came while {word}: {shelf.hit}"


def while_looking(shelf: Shelf, folder: str, pool: ThreadPoolExecutor, dice: random.Random) -> Moment:
    """The first of many new files are listed: the look that found them goes on."""
    phone = signed_in(shelf.machine, shelf.house)
    shelf.drop(folder)
    sending = begin_uploads(pool, phone, shelf, folder, dice)
    # Asked once and no more: a second question would come when the look is over.
    found = wait_for(partial(listed, phone, folder), 1, "the first of the new files")
    return sending, f"looking, {found} of {FILES} files listed" if found < FILES else "nothing"


def while_reading(shelf: Shelf, folder: str, pool: ThreadPoolExecutor, dice: random.Random) -> Moment:
    """All is listed; the daemon describes it, waits until nobody writes it, and takes checksums."""
    phone = signed_in(shelf.machine, shelf.house)
    shelf.drop(folder)
    wait_for(partial(listed, phone, folder), FILES, "listing")
    time.sleep(dice.uniform(0, QUIET))
    sending = begin_uploads(pool, phone, shelf, folder, dice)
    read = hashed(phone, folder)
    return sending, f"reading, {read} of {CLIPS} clips read" if read < CLIPS else "nothing"


def while_uploading(shelf: Shelf, folder: str, pool: ThreadPoolExecutor, dice: random.Random) -> Moment:
    """At any moment of some uploads, just after much was dropped into a folder."""
    phone = signed_in(shelf.machine, shelf.house)
    shelf.drop(folder)
    sending = begin_uploads(pool, phone, shelf, folder, dice)
    time.sleep(dice.uniform(0, SLOW))
    return sending, "at any moment"


MOMENTS = (while_looking, while_reading, while_uploading)


def begin_uploads(
    pool: ThreadPoolExecutor, phone: Phone, shelf: Shelf, folder: str, dice: random.Random
) -> dict[str, Future[Answer]]:
    sending = {}
    for number in range(AT_ONCE):
        name = f"beside {folder} {number}.bin"
        shelf.sent[name] = dice.randbytes(SIZE)
        seconds = SLOW * number / (AT_ONCE - 1)
        sending[name] = pool.submit(phone.upload, name, shelf.sent[name], "", seconds)
    return sending


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
    wait_for(partial(listed, phone, folder), FILES, "listing after the cut")
    wait_for(partial(hashed, phone, folder), CLIPS, "reading after the cut")
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
