"""What keeps a fault where it is, as `mantel doctor` finds it: the parse cell, and the limits of memory."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.library.cell import landlock_version
from appliance.library.parse import INSTALLED_SOCKET, NoProgram, Unreadable, parse
from appliance.settings import Settings
from appliance.units import MIB

SLICE = Path("/sys/fs/cgroup/mantel.slice")
"""Where systemd keeps all three units of an installed machine."""


@dataclass(frozen=True)
class Finding:
    """`ok` None: worth knowing, no fault. `remedy` is the one thing to do."""

    about: str
    ok: bool | None
    said: str
    remedy: str = ""

    def line(self) -> str:
        mark = {True: "✓", False: "✗", None: "·"}[self.ok]
        return f"{mark} {self.about:<12} {self.said}" + (f"\n{'':15}→ {self.remedy}" if self.remedy else "")


async def parse_cell(_settings: Settings) -> list[Finding]:
    """Where strangers' bytes are read, tried with a program that does nothing."""
    unit = INSTALLED_SOCKET if await asyncio.to_thread(os.path.exists, INSTALLED_SOCKET) else None
    version = landlock_version()
    wall = f"behind Landlock {version}" if version else "without Landlock, which this kernel has not"
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        await parse(nothing, [sys.executable, "-I", "-c", ""], at=unit)
    except (NoProgram, Unreadable) as error:
        remedy = "`systemctl restart mantel-parse.socket` as root; until then there are no new thumbnails"
        return [Finding("parse cell", False, str(error), remedy if unit else "look at `mantel serve`'s log")]
    finally:
        os.close(nothing)
    if unit:
        return [Finding("parse cell", True, f"foreign files are read by the unit mantel-parse, {wall}")]
    said = f"foreign files are read by a child process, {wall}"
    if version:
        return [Finding("parse cell", True, said)]
    remedy = "it can read what Mantel can; install with the playbook, which makes a unit of its own for it"
    return [Finding("parse cell", None, said, remedy)]


async def memory(_settings: Settings) -> list[Finding]:
    """What the units take together, and whether the kernel holds them to their limit."""
    return await asyncio.to_thread(_limits, SLICE)


def _limits(group: Path) -> list[Finding]:
    if not group.is_dir():
        return []
    try:
        limit = (group / "memory.max").read_text().strip()
        now = int((group / "memory.current").read_text()) // MIB
    except OSError:
        remedy = "on a Raspberry Pi, `cgroup_enable=memory` in /boot/firmware/cmdline.txt, and a reboot"
        return [Finding("memory", None, "this kernel was started without limits of memory", remedy)]
    most = f"of {int(limit) // MIB} MiB" if limit.isdigit() else "without a limit"
    return [Finding("memory", True, f"all units together take {now} MiB {most}, files in memory counted")]
