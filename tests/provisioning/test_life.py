"""What comes after the installation: backups, a new version, a bad version, removal."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import House
from tests.provisioning.machine import Machine, booted
from tests.provisioning.phone import Phone
from tests.provisioning.playbook import Run, play

pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(900)]

PASSWORD = "a long enough password"
MANTEL = "/opt/mantel/current/bin/mantel"


def another(dist: Path, folder: Path, module: str, line: str) -> Path:
    """A copy of `dist` whose wheel has `line` at the end of one module."""
    shutil.copytree(dist, folder)
    (wheel,) = folder.glob("mantel-*.whl")
    with zipfile.ZipFile(wheel) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts[module] += line.encode() + b"\n"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return folder


@pytest.fixture(scope="module")
def machine(house: House, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Without the daemon: it has its part in test_install, and this goes quicker."""
    with booted(house.server, "bookworm", tmp_path_factory.mktemp("box")) as machine:
        done = site(machine, house, dist)
        assert done.code == 0, done.output
        code = re.search(r"enter this setup code: ([A-Z0-9-]+)", done.output)
        assert code
        Phone(house.phone, machine.address).set_up(code[1], "anna", PASSWORD)
        yield machine


def site(machine: Machine, house: House, dist: Path) -> Run:
    return play("site", machine, house.ctl, mantel_dist=str(dist), mantel_analytics=False)


def signed_in(machine: Machine, house: House) -> Phone:
    phone = Phone(house.phone, machine.address)
    phone.sign_in("anna", PASSWORD)
    return phone


def current(machine: Machine) -> str:
    return machine.run("readlink", "/opt/mantel/current").stdout


def test_a_version_that_does_not_come_up_is_taken_back(
    machine: Machine, house: House, dist: Path, tmp_path: Path
) -> None:
    before = current(machine)
    signed_in(machine, house).upload("before.mp4", b"before")
    broken = another(dist, tmp_path / "dist", "appliance/wiring.py", "raise SystemExit('broken on purpose')")
    run = site(machine, house, broken)
    assert run.code != 0
    assert "broken on purpose" in run.output
    assert "The version before it serves again" in run.output
    assert current(machine) == before
    assert signed_in(machine, house).files(query="before")


def test_a_new_version_takes_over_what_is_there(
    machine: Machine, house: House, dist: Path, tmp_path: Path
) -> None:
    before = current(machine)
    run = site(machine, house, another(dist, tmp_path / "dist", "appliance/samples.py", "# newer"))
    assert run.code == 0, run.output
    assert current(machine) != before
    assert signed_in(machine, house).call("GET", "/auth/me").status == 200
    assert site(machine, house, tmp_path / "dist").changed == []


def test_backups_are_made_rotated_and_restored(machine: Machine, house: House) -> None:
    content = bytes(range(256)) * 4_000
    assert signed_in(machine, house).upload("kept.mp4", content).status == 201
    for day in range(1, 21):
        machine.run("touch", f"/var/backups/mantel/mantel-2026-01-{day:02}T000000Z.tar")
    machine.run("systemctl", "start", "mantel-backup.service")
    kept = machine.run("ls", "/var/backups/mantel").stdout.split()
    assert len(kept) == 14
    newest = f"/var/backups/mantel/{max(kept)}"
    assert machine.run("stat", "-c", "%a %U", newest).stdout == "600 mantel\n"

    # As on a new machine: nothing is there but the backup and a copy of the media, each file another inode.
    machine.run("systemctl", "stop", "mantel.service")
    machine.run(
        "sh",
        "-c",
        "rm -rf /var/lib/mantel/* && cp -a /srv/media /srv/copy && rm -rf /srv/media/* /srv/media/.m*",
    )
    machine.run("sh", "-c", "cp -a /srv/copy/. /srv/media && rm -rf /srv/copy")
    machine.run("runuser", "-u", "mantel", "--", MANTEL, "restore", newest)
    machine.run("systemctl", "start", "mantel.service")
    house.server.wait_for_port(8000)
    phone = signed_in(machine, house)
    (item,) = phone.files(query="kept")
    assert phone.call("GET", f"/files/{item['id']}/stream").body == content


def test_only_private_zones_reach_its_ports(machine: Machine, house: House) -> None:
    rules = machine.run("nft", "list", "table", "inet", "mantel").stdout
    assert "policy accept" in rules
    machine.run("ip", "addr", "add", "203.0.113.1/24", "dev", "lan0")
    house.phone.run("ip", "addr", "add", "203.0.113.2/24", "dev", "lan0")
    reach = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "3")
    assert house.phone.run(*reach, f"http://{machine.address}:8000/healthz").stdout == "200"
    assert house.phone.run(*reach, "http://203.0.113.1:8000/healthz", check=False).returncode == 28
    assert "counter packets 0" not in machine.run("nft", "list", "table", "inet", "mantel").stdout


SEARCH = (
    b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\n'
    b"MX: 1\r\nST: upnp:rootdevice\r\n\r\n"
)
ADDRESS_OF_MANTEL = struct.pack("!6H", 1, 0, 1, 0, 0, 0) + b"\6mantel\5local\0" + struct.pack("!2H", 1, 1)
"""A query of mDNS (RFC 6762 §6.7): one question, A of mantel.local, from a port that is not 5353."""


@pytest.mark.parametrize(
    ("group", "question", "answer"),
    [
        (("239.255.255.250", 1900), SEARCH, b"ST: upnp:rootdevice"),
        (("224.0.0.251", 5353), ADDRESS_OF_MANTEL, b"\6mantel\5local"),
    ],
    ids=["SSDP", "mDNS"],
)
def test_a_tv_and_a_phone_find_it_through_the_firewall(
    machine: Machine, house: House, group: tuple[str, int], question: bytes, answer: bytes
) -> None:
    assert answer in said_to(house, house.phone.address, group, question)
    dropped = machine.run("nft", "list", "table", "inet", "mantel").stdout
    house.phone.run("ip", "addr", "replace", "203.0.113.2/24", "dev", "lan0")
    assert said_to(house, "203.0.113.2", group, question) == b"", "it answers to the whole internet"
    assert machine.run("nft", "list", "table", "inet", "mantel").stdout != dropped, "nothing was dropped"


def said_to(house: House, sender: str, group: tuple[str, int], question: bytes) -> bytes:
    """The first answer to a multicast question that the phone asks from this address of its own."""
    with house.phone.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((sender, 0))
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sender))
        asking.settimeout(2)
        for _ in range(3):
            asking.sendto(question, group)
            with contextlib.suppress(TimeoutError):
                return asking.recv(4096)
    return b""


DISK = """
set -e
owner=$(stat -c %u:%g /srv/media) mode=$(stat -c %a /srv/media)
cp -a /srv/media/.mantel /root/of-the-disk
mount -t tmpfs disk /srv/media
chown $owner /srv/media; chmod $mode /srv/media
cp -a /root/of-the-disk /srv/media/.mantel
echo hello > "/srv/media/On the disk.txt"; chmod 644 "/srv/media/On the disk.txt"
"""
"""A disk with the folder's own mark, mounted where the service saw a plain folder when it started."""


def test_a_disk_that_is_mounted_later_is_seen_and_written_by_the_walled_in_service(
    machine: Machine, house: House
) -> None:
    phone = signed_in(machine, house)
    machine.run("sh", "-c", DISK)
    try:
        wait_for_file(phone, "On the disk.txt", True)
        assert phone.upload("Sent.txt", b"to the disk").status == 201
        assert machine.run("cat", "/srv/media/Sent.txt").stdout == "to the disk"
    finally:
        machine.run("umount", "-l", "/srv/media")
    wait_for_file(phone, "On the disk.txt", False)


CARD = """#!/bin/sh
printf 'Settings for %s:\\n\\tSupports Wake-on: pumbg\\n\\tWake-on: d\\n' "$1"
"""
"""What ethtool says of an Intel card (igb) that a magic packet may wake; a virtual one says nothing of it."""

UDEVADM = """#!/bin/sh
[ "$1" != trigger ] || { shift; echo "$@" >> /run/triggered; exit; }
exec udevadm.real "$@"
"""


@pytest.mark.flaky(reruns=0)
def test_a_card_that_can_be_woken_by_is_armed(machine: Machine, house: House, dist: Path) -> None:
    # A container has no udev, and may not ask the kernel for what udev waits for; a real machine has and may.
    machine.run("apt-get", "-qq", "install", "-y", "udev")
    kept = []
    for name, script in (("usr/sbin/ethtool", CARD), ("usr/bin/udevadm", UDEVADM)):
        path = machine.root / name
        kept.append((path.rename(path.with_name(f"{path.name}.real")), path))
        path.write_text(script)
        path.chmod(0o755)
    armed = "mantel : Arm the cards that can be woken"
    try:
        run = site(machine, house, dist)
        assert run.code == 0, run.output
        assert armed in run.changed
        assert site(machine, house, dist).changed == []
        links = machine.run("systemd-analyze", "cat-config", "systemd/network/99-default.link").stdout
        assert "WakeOnLan=magic" in links, "what udev reads of it"
        assert machine.run("cat", "/run/triggered").stdout == "--action=add --subsystem-match=net\n"
    finally:
        for real, path in kept:
            real.rename(path)
    run = site(machine, house, dist)
    assert "mantel : Disarm them" in run.changed, run.output


def wait_for_file(phone: Phone, name: str, there: bool) -> None:
    end = time.monotonic() + 20
    while any(one["name"] == name for one in phone.files(page_size=200)) is not there:
        assert time.monotonic() < end, name
        time.sleep(0.2)


def test_a_bad_value_is_refused_by_name_and_nothing_is_touched(
    machine: Machine, house: House, dist: Path
) -> None:
    for variables, word in (
        ({"mantel_library": ["/etc/media"]}, "/etc/media"),
        ({"mantel_http_port": 8200}, "mantel_http_port"),
        ({"mantel_tv_access": "maybe"}, "maybe"),
        ({"mantel_settings": {"rescan_secondz": 9}}, "RESCAN_SECONDZ"),
        ({"mantel_dist": "/nowhere"}, "make dist"),
    ):
        run = play(
            "site", machine, house.ctl, **({"mantel_dist": str(dist), "mantel_analytics": False} | variables)
        )
        assert run.code != 0
        assert word in run.output, run.output
    assert machine.run("systemctl", "is-active", "mantel.service").stdout == "active\n"


def test_a_system_of_32_bits_is_refused_with_the_reason(machine: Machine, house: House, dist: Path) -> None:
    python = machine.root / "usr/local/bin/python-of-32-bits"
    python.write_text('#!/bin/sh\nexec setarch i686 /usr/bin/python3 "$@"\n')
    python.chmod(0o755)
    named = {"ansible_python_interpreter": "/usr/local/bin/python-of-32-bits"}
    run = play("site", machine, house.ctl, mantel_dist=str(dist), **named)
    assert run.code != 0
    assert run.changed == []
    told = " ".join(run.output.split())
    assert "needs a 64-bit system" in told
    assert "Pillow and greenlet have no packages for 32 bits" in told


def test_removal_leaves_the_media_and_the_backups(machine: Machine, house: House) -> None:
    media = machine.run("sh", "-c", "cd /srv/media && find . -name '*.mp4' -exec sha256sum {} +").stdout
    run = play("uninstall", machine, house.ctl)
    assert run.code == 0, run.output
    assert (
        machine.run("sh", "-c", "cd /srv/media && find . -name '*.mp4' -exec sha256sum {} +").stdout == media
    )
    gone = ("/opt/mantel", "/etc/mantel", "/var/lib/mantel")
    assert [path for path in gone if (machine.root / path[1:]).exists()] == []
    assert [unit.name for unit in (machine.root / "etc/systemd/system").rglob("mantel*")] == []
    assert "mantel" not in machine.run("systemctl", "list-units", "--no-legend", "mantel*").stdout
    assert machine.run("getent", "passwd", "mantel-parse", check=False).stdout == ""
    assert "mantel" not in machine.run("nft", "list", "tables").stdout
    assert len(machine.run("ls", "/var/backups/mantel").stdout.split()) == 14
    assert play("uninstall", machine, house.ctl).changed == []
