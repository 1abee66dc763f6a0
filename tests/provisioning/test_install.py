"""A fresh Debian becomes a serving appliance by one playbook, and stays one."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.library.parse import INSTALLED_SOCKET
from tests import media
from tests.netns import House
from tests.provisioning.machine import Machine, booted
from tests.provisioning.phone import Phone
from tests.provisioning.playbook import Run, play

pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(900)]

UNITS = ("mantel.service", "mantel-analytics.service")
PASSWORD = "a long enough password"
PYTHON = "/opt/mantel/current/bin/python"
HOSTILE = Path(__file__).parents[1] / "fakes" / "hostile_reader.py"
IN_THE_CELL = """
import asyncio, os, sys
from appliance.library.parse import parse
program = [sys.executable, "-I", "-c", sys.stdin.read(), *sys.argv[2:]]
print(asyncio.run(parse(os.open(sys.argv[1], os.O_RDONLY), program)).decode(), end="")
"""
"""`FILE ARGUMENT…`: what the program on standard input says of FILE in the parse cell."""
CLIP = bytes(range(256)) * 4096
"""1 MiB whose every KiB can be told from its neighbours by nobody, but whose bytes can."""


@dataclass(frozen=True)
class Installed:
    machine: Machine
    house: House
    dist: Path
    first: Run

    def play(self, *options: str, **variables: object) -> Run:
        return play("site", self.machine, self.house.ctl, *options, mantel_dist=str(self.dist), **variables)

    def phone(self) -> Phone:
        return Phone(self.house.phone, self.machine.address)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def box(
    request: pytest.FixtureRequest, house: House, dist: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    with booted(house.server, request.param, tmp_path_factory.mktemp("box")) as machine:
        first = play("site", machine, house.ctl, mantel_dist=str(dist))
        assert first.code == 0, first.output + machine.run("journalctl", "-n", "50", "--no-pager").stdout
        yield Installed(machine, house, dist, first)


def test_both_units_run_as_their_own_users(box: Installed) -> None:
    for unit in UNITS:
        shown = box.machine.run(
            "systemctl", "show", unit, "-p", "ActiveState,UnitFileState,User,NRestarts"
        ).stdout
        expected = {"ActiveState=active", "UnitFileState=enabled", f"User={unit.removesuffix('.service')}"}
        assert expected | {"NRestarts=0"} == set(shown.split())


def test_a_second_run_changes_nothing(box: Installed) -> None:
    again = box.play()
    assert (again.code, again.changed) == (0, []), again.output
    assert again.recap["changed"] == 0


def test_a_dry_run_changes_nothing(box: Installed) -> None:
    dry = box.play("--check", "--diff")
    assert (dry.code, dry.changed) == (0, []), dry.output


def test_the_setup_code_lets_one_in_and_the_phone_is_served(box: Installed) -> None:
    code = re.search(r"enter this setup code: ([A-Z0-9-]+)", box.first.output)
    assert code, box.first.output
    assert f"http://{box.machine.address}:8000" in box.first.output
    assert code[1] not in box.machine.run("journalctl", "--no-pager").stdout
    phone = box.phone()
    phone.set_up(code[1], "anna", PASSWORD)

    uploaded = phone.upload("Clip one.mp4", CLIP)
    assert uploaded.status == 201, uploaded
    (item,) = phone.files(query="clip")
    assert (item["name"], item["size_bytes"]) == ("Clip one.mp4", len(CLIP))
    on_disk = box.machine.root / "srv/media/Clip one.mp4"
    assert on_disk.read_bytes() == CLIP

    part = phone.call("GET", f"/files/{item['id']}/stream", Range="bytes=1000-1999")
    assert (part.status, part.headers["content-range"]) == (206, f"bytes 1000-1999/{len(CLIP)}")
    assert part.body == CLIP[1000:2000]
    assert box.play().output.count("Sign in as before.") == 1


def test_each_is_walled_in(box: Installed) -> None:
    """What the running process may do, asked of the kernel and by trying."""
    box.machine.run("systemctl", "start", "mantel-parse.service")
    for unit in (*UNITS, "mantel-parse.service"):
        pid = box.machine.run("systemctl", "show", unit, "-p", "MainPID", "--value").stdout.strip()
        status = dict(
            line.split(":\t", 1)
            for line in box.machine.run("cat", f"/proc/{pid}/status").stdout.splitlines()
            if ":\t" in line
        )
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert set(status["CapBnd"]) == set(status["CapEff"]) == {"0"}
        for path in ("/etc/x", "/usr/x", "/opt/mantel/x", "/home/x"):
            done = box.machine.run("nsenter", "-t", pid, "-m", "touch", path, check=False)
            assert path == "/home/x" or "Read-only file system" in done.stderr, (path, done)


def in_the_cell(box: Installed, user: str, file: str, program: str, *arguments: str) -> str:
    """Asked as `user`; what came of it, or the last line of why nothing did."""
    ask = (
        *("runuser", "-u", user, "--", "env", f"PARSE_SOCKET={INSTALLED_SOCKET}"),
        PYTHON,
        "-c",
        IN_THE_CELL,
    )
    done = box.machine.run(*ask, file, *arguments, input=program, check=False)
    return done.stdout or done.stderr.strip().rpartition("\n")[2]


def test_strangers_bytes_are_read_by_a_user_that_reaches_nothing(box: Installed) -> None:
    hostile = HOSTILE.read_text()
    (box.machine.root / "srv/media/note.txt").write_text("the one file")
    box.machine.run("chown", "mantel:mantel-media", "/srv/media/note.txt")
    box.machine.run("chmod", "640", "/srv/media/note.txt")
    for folder in ("/srv/media", "/var/lib/mantel", "/etc/mantel/credentials", "/root"):
        said = in_the_cell(box, "mantel", "/srv/media/note.txt", hostile, folder, "8000")
        assert said == "[] the one file\n"
    seen = "import os; print(*sorted(os.listdir('/etc') + os.listdir('/opt')), os.getuid())"
    owner = box.machine.run("id", "-u", "mantel-parse").stdout
    seen_there = in_the_cell(box, "mantel", "/srv/media/note.txt", seen)
    assert seen_there.strip() == f"alternatives ld.so.cache mantel {owner}".strip()
    for user in ("mantel-analytics", "mantel-parse", "nobody"):
        assert "does not answer" in in_the_cell(box, user, "/dev/null", "print('let in')")


def test_pictures_come_from_there_and_from_nowhere_else(box: Installed) -> None:
    phone = box.phone()
    phone.sign_in("anna", PASSWORD)
    for name, content in (
        ("Lake.jpg", media.photo()),
        ("Sea.heic", media.heic()),
        ("Ferry.mp4", media.film()),
    ):
        assert phone.upload(name, content).status == 201
        assert drawn(phone, name) == (200, b"\xff\xd8"), name
    assert "active" in box.machine.run("systemctl", "is-active", "mantel-parse.service").stdout
    assert phone.upload("Dunes.jpg", media.photo(300, 200)).status == 201
    box.machine.run("systemctl", "stop", "mantel-parse.socket", "mantel-parse.service")
    assert drawn(phone, "Dunes.jpg")[0] == 503
    doctor = box.machine.run("/opt/mantel/current/bin/mantel", "doctor", check=False).stdout
    assert "✗ parse cell   mantel-parse does not answer" in doctor
    box.machine.run("systemctl", "start", "mantel-parse.socket")
    assert drawn(phone, "Dunes.jpg") == (200, b"\xff\xd8"), "that it was away is not remembered of the file"
    doctor = box.machine.run("/opt/mantel/current/bin/mantel", "doctor", check=False).stdout
    assert "✓ parse cell   foreign files are read by the unit mantel-parse" in doctor


def drawn(phone: Phone, name: str, size: int = 160) -> tuple[int, bytes]:
    """Status, and how the thumbnail begins."""
    (item,) = [one for one in phone.files(query=name) if one["name"] == name]
    answer = phone.call("GET", f"/files/{item['id']}/thumbnail?size={size}")
    return answer.status, answer.body[:2] if answer.status == 200 else b""


def test_the_daemon_may_read_the_media_and_write_nothing_of_it(box: Installed) -> None:
    pid = box.machine.run("systemctl", "show", UNITS[1], "-p", "MainPID", "--value").stdout.strip()
    inside = ("nsenter", "-t", pid, "-m", "setpriv", "--reuid=mantel-analytics", "--regid=mantel-analytics")
    inside += ("--groups=mantel-media",)
    assert box.machine.run(*inside, "ls", "/srv/media").returncode == 0
    for path in ("/srv/media/x", "/var/lib/mantel/x", "/etc/mantel/x"):
        assert box.machine.run(*inside, "touch", path, check=False).returncode
    assert box.machine.run(*inside, "cat", "/etc/mantel/credentials/to-daemon", check=False).returncode


def test_it_comes_back_after_a_crash(box: Installed) -> None:
    for unit, port in zip(UNITS, (8000, 8080), strict=True):
        before = box.machine.run("systemctl", "show", unit, "-p", "MainPID", "--value").stdout.strip()
        box.machine.run("kill", "-9", before)
        wait_for(lambda unit=unit, before=before: pid_of(box.machine, unit) not in ("0", before))
        wait_for(lambda port=port: answers(box.machine, port))
        assert "NRestarts=1" in box.machine.run("systemctl", "show", unit, "-p", "NRestarts").stdout
    phone = box.phone()
    phone.sign_in("anna", PASSWORD)
    assert drawn(phone, "Lake.jpg", size=640) == (200, b"\xff\xd8"), "its door is open again too"


def test_it_comes_back_after_a_reboot(box: Installed) -> None:
    box.machine.reboot()
    for port in (8000, 8080):
        wait_for(lambda port=port: answers(box.machine, port))
    assert box.phone().call("GET", "/healthz").status == 200
    assert box.machine.run("systemctl", "--failed", "--no-legend").stdout == ""


def pid_of(machine: Machine, unit: str) -> str:
    return machine.run("systemctl", "show", unit, "-p", "MainPID", "--value").stdout.strip()


def answers(machine: Machine, port: int) -> bool:
    """Whether anything speaks HTTP on the machine's loopback there."""
    code = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/', timeout=5)"
    done: subprocess.CompletedProcess[str] = machine.run("python3", "-c", code, check=False)
    return done.returncode == 0 or "HTTP Error" in done.stderr


def wait_for(true: object, seconds: float = 60) -> None:
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come to be in time"
        time.sleep(0.2)
