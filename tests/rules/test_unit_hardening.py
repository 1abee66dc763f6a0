"""The units' sandbox, checked without starting them. What a running unit may do: tests/provisioning."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from appliance.library.parse import INSTALLED_SOCKET, PARSE_SOCKET

USERS = ("mantel", "mantel-analytics", "mantel-parse")
"""Each has a unit of its own name."""
UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
HIGHEST_EXPOSURE = 25
"""Tenths, as `systemd-analyze security --threshold` wants them."""
WALLS = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "tmpfs",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateNetwork": "yes",
    "PrivateUsers": "yes",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "IPAddressDeny": "any",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
}
"""Each stands in every service, or the service says in a comment why not."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Values of each key, in the order of the file; continued lines are one."""
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\\\n", "", unit.read_text()).splitlines():
        if re.match(r"[A-Z]\w+=", line):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def test_the_services_are_found() -> None:
    named = {f"{name}.service" for name in ("mantel", "mantel-analytics", "mantel-parse", "mantel-backup")}
    assert named <= {s.name for s in SERVICES}


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
def test_exposure_is_low(service: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            f"--threshold={HIGHEST_EXPOSURE}",
            service,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
@pytest.mark.parametrize("key", WALLS)
def test_each_wall_stands_or_says_why_not(service: Path, key: str) -> None:
    reason = re.search(rf"^#   {key}\s+\w", service.read_text(), re.MULTILINE)
    assert reason or settings(service).get(key) == [WALLS[key]], f"{key} is missing without a word"


@pytest.mark.parametrize(
    "unit",
    sorted((*SERVICES, *(u for kind in ("timer", "socket", "slice") for u in UNITS.glob(f"*.{kind}")))),
    ids=lambda u: u.name,
)
def test_every_key_is_known(unit: Path, tmp_path: Path) -> None:
    """Verified beside its siblings, with programs of the right names that do nothing."""
    for sibling in UNITS.iterdir():
        text = re.sub(
            r"/opt/mantel/current/bin/(mantel|python)|/usr/bin/java|/usr/sbin/nft",
            "/bin/true",
            sibling.read_text(),
        )
        (tmp_path / sibling.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in done.stderr.splitlines() if "mantel" in line]
    assert (done.returncode, ours) == (0, [])


def test_a_long_running_service_always_comes_back() -> None:
    for service in ("mantel.service", "mantel-analytics.service"):
        found = settings(UNITS / service)
        assert (found["Restart"], found["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_the_memory_caps_fit_a_small_board() -> None:
    """A board of 1 GB keeps half for its system and the page cache (docs/decisions/0008)."""
    assert all(settings(UNITS / f"{user}.service")["Slice"] == ["mantel.slice"] for user in USERS)
    assert mebibytes("mantel.slice") == 450
    server, daemon, parse = (mebibytes(f"{user}.service") for user in USERS)
    assert server + daemon <= 450, "both must fit when nothing is parsed"
    assert parse <= 450
    said = (UNITS.parent / "docs/operations.md").read_text()
    for name, cap in (
        ("mantel.slice", 450),
        ("mantel", server),
        ("mantel-analytics", daemon),
        ("mantel-parse", parse),
    ):
        assert re.search(rf"^\| `{name}` \|.*\| {cap} \|$", said, re.MULTILINE), (
            f"{name}: docs tell of another cap"
        )


def mebibytes(unit: str) -> int:
    return int(settings(UNITS / unit)["MemoryMax"][0].removesuffix("M"))


def test_each_user_has_its_own_state() -> None:
    users = re.findall(r"^u (\S+)", (UNITS / "mantel.sysusers.conf").read_text(), re.MULTILINE)
    assert users == list(USERS)
    for user in USERS:
        assert settings(UNITS / f"{user}.service")["User"] == [user]
    for service in ("mantel", "mantel-analytics"):
        found = settings(UNITS / f"{service}.service")
        assert found["StateDirectory"] == [service]
        assert found["StateDirectoryMode"] == ["0700"]


def test_the_parse_cell_owns_and_sees_nothing() -> None:
    found = settings(UNITS / "mantel-parse.service")
    assert not found.keys() & {"StateDirectory", "RuntimeDirectory", "LoadCredential", "ReadWritePaths"}
    assert f"d {found['RootDirectory'][0]} 0755 root root" in (UNITS / "mantel.tmpfiles.conf").read_text()
    assert found["RestrictAddressFamilies"] == ["none"]
    seen = " ".join(found["BindReadOnlyPaths"]).replace("-/", "/").split()
    assert set(seen) == {
        "/usr",
        "/opt/mantel",
        "/bin",
        "/lib",
        "/lib64",
        "/etc/alternatives",
        "/etc/ld.so.cache",
    }


def test_the_appliance_parses_by_the_unit_alone() -> None:
    mantel, door = settings(UNITS / "mantel.service"), settings(UNITS / "mantel-parse.socket")
    assert mantel["Environment"] == [f"{PARSE_SOCKET}={INSTALLED_SOCKET}"]
    assert door["ListenSequentialPacket"] == [INSTALLED_SOCKET]
    assert (door["SocketUser"], door["SocketMode"]) == (["mantel"], ["0600"])
    assert "mantel-parse.socket" in mantel["Wants"][0].split()
