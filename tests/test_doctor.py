"""mantel doctor and mantel scan beside a real appliance, and where something is wrong."""

import asyncio
import datetime
import ipaddress
import sys
from pathlib import Path

from appliance import authority
from appliance.doctor import findings
from appliance.doctor_upkeep import _good_until, _newest
from appliance.doctor_walls import _limits
from appliance.settings import read_settings
from appliance.units import DAYS
from tests.house import House, files_when, house, sign_in


async def mantel(home: House, *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", *words, env=home.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_all_is_well_on_a_house_that_serves(tmp_path: Path, media: Path) -> None:
    async with house(tmp_path, media) as home:
        async with sign_in(home) as http:
            await files_when(home, http, 12)
        status, said = await mantel(home, "doctor")
    assert "12 files in the index" in said
    assert "foreign files are read by a child process" in said
    assert "nobody but this machine has asked yet" in said
    assert "All is well." in said, said
    assert status == 0


async def test_each_fault_has_a_remedy(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "MANTEL_LIBRARY": str(tmp_path / "nowhere"),
            "MANTEL_STATE": str(tmp_path / "state"),
            "MANTEL_FREE_SPACE": "900 TiB",
            "MANTEL_HTTP_PORT": "9",
            "MANTEL_LAN_PORT": "9",
            "MANTEL_ANALYTICS_PORT": "9",
            "MANTEL_INTERFACES": "no-such-card",
        }
    )
    found = [finding async for finding in findings(settings)]
    faults = {finding.about for finding in found if finding.ok is False}
    assert faults == {"library", "analytics", "network"}
    assert all(finding.remedy for finding in found if finding.ok is False)


def test_limits_of_memory_are_told(tmp_path: Path) -> None:
    assert _limits(tmp_path / "nowhere") == []
    (finding,) = _limits(tmp_path)
    assert finding.ok is None
    assert "cgroup_enable=memory" in finding.remedy
    (tmp_path / "memory.max").write_text("471859200\n")
    (tmp_path / "memory.current").write_text("314572800\n")
    assert "take 300 MiB of 450 MiB" in _limits(tmp_path)[0].said
    (tmp_path / "memory.max").write_text("max\n")
    assert "without a limit" in _limits(tmp_path)[0].said


def test_the_age_of_backups_is_told(tmp_path: Path) -> None:
    assert _newest(tmp_path / "nowhere", 0) == []
    assert _newest(tmp_path, 0)[0].ok is None
    (tmp_path / "mantel-2026-11-28T033000Z.tar").write_bytes(b"x")
    made = (tmp_path / "mantel-2026-11-28T033000Z.tar").stat().st_mtime
    assert [_newest(tmp_path, made + days * DAYS)[0].ok for days in (1, 3)] == [True, False]
    assert "1 kept, the newest 24 hours old" in _newest(tmp_path, made + DAYS)[0].said


def test_a_certificate_that_nears_its_end_is_told(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    authority.renew(tmp_path, "Mantel", [], [ipaddress.ip_address("192.168.1.20")], now)
    file = tmp_path / authority.SERVER
    (good,) = _good_until(file, now)
    (ending,) = _good_until(file, now + datetime.timedelta(days=80))
    assert (good.ok, ending.ok) == (True, False)
    assert "89 days" in good.said
    file.write_text("no certificate")
    assert [one.ok for one in (*_good_until(file, now), *_good_until(tmp_path / "none", now))] == [
        False,
        False,
    ]


async def test_scan_prints_what_it_did(tmp_path: Path, media: Path) -> None:
    async with house(tmp_path, media) as home:
        async with sign_in(home) as http:
            await files_when(home, http, 12)
    (tmp_path / "library" / "Films" / "Summer in Lot 12.mp4").unlink()
    status, said = await mantel(home, "scan")
    assert status == 0
    assert "1 removed" in said
