"""`mantel doctor`: looks at everything that Mantel stands on, and says what to do about each fault.

Each check is a function that returns findings; none changes anything. It runs beside a Mantel that
serves, and without one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import text

from appliance.database import Database
from appliance.doctor_upkeep import backups, certificate
from appliance.doctor_walls import Finding, memory, parse_cell
from appliance.errors import MantelError
from appliance.service_tokens import TO_APPLIANCE, known_token
from appliance.settings import Settings
from appliance.units import GIB, SECONDS
from dlna.interfaces import Interface, interfaces

REPLY = 2 * SECONDS
SMALLEST_WATCHES = 8_192
"""inotify watches: the kernel's smallest default, too few for a large library."""
WRITTEN_IN = 1_790_000_000
"""Epoch seconds of September 2026: a clock before that has lost its time (a Pi has no battery)."""
MULTICAST = ("239.255.255.250", 1900)
"""UPnP Device Architecture 1.0 §1.2.2."""
SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    "ST: urn:schemas-upnp-org:device:MediaServer:1\r\n\r\n"
)


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, in the order in which faults cause each other."""
    for check in CHECKS:
        try:
            for finding in await check(settings):
                yield finding
        except (OSError, MantelError) as error:
            yield Finding(check.__name__.lstrip("_"), False, str(error))


async def _clock(_settings: Settings) -> list[Finding]:
    if time.time() < WRITTEN_IN:
        said = time.strftime("it is %Y-%m-%d here", time.gmtime())
        return [
            Finding(
                "clock", False, said, "set the time: `timedatectl set-ntp true`; sign-ins and links need it"
            )
        ]
    return [Finding("clock", True, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))]


async def _programs(_settings: Settings) -> list[Finding]:
    found = []
    for program in ("ffmpeg", "ffprobe"):
        if path := shutil.which(program):
            found.append(Finding(program, True, await _first_line(path, "-version")))
        else:
            remedy = "`apt install ffmpeg`; until then files are played as they are, and not described"
            found.append(Finding(program, False, "is not here", remedy))
    return found


async def _disks(settings: Settings) -> list[Finding]:
    found = []
    for root in settings.library:
        if not root.is_dir():
            found.append(
                Finding("library", False, f"{root} is not there", "mount it, or correct MANTEL_LIBRARY")
            )
            continue
        found.append(_space("library", root, settings.free_space))
        if not (root / ".mantel" / "root-id").exists():
            remedy = "if this is the right folder, `mantel scan --adopt`; else mount the disk"
            found.append(
                Finding("library", None, f"{root} was never adopted, or its disk is another", remedy)
            )
    found.append(_space("state", settings.state, GIB // 4))
    return found


def _space(about: str, folder: Path, least: int) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{folder}: {free / GIB:.1f} GiB free"
    if free < least:
        return Finding(about, False, said, "make room: uploads are refused until then")
    return Finding(about, True, said)


async def _database(settings: Settings) -> list[Finding]:
    if not settings.database_url and not (settings.state / "mantel.db").exists():
        return [Finding("database", None, "there is none yet; the first start makes it")]
    database = Database(settings.appliance_database_url)
    try:
        async with database.read() as connection:
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            if database.is_sqlite:
                word = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar()
                if word != "ok":
                    return [
                        Finding(
                            "database", False, f"SQLite: {word}", "restore a backup: `mantel restore FILE`"
                        )
                    ]
            files = (
                await connection.execute(text("SELECT count(*) FROM files WHERE gone_at IS NULL"))
            ).scalar()
        return [Finding("database", True, f"{kind}, {files} files in the index")]
    except Exception as error:
        return [
            Finding("database", False, str(error).splitlines()[0], "is it running, and is the URL right?")
        ]
    finally:
        await database.close()


async def _ports(settings: Settings) -> list[Finding]:
    found = []
    for about, port, path in (
        ("page", settings.http_port, "/healthz"),
        ("TVs", settings.lan_port, "/description.xml"),
    ):
        status = await _status(f"http://127.0.0.1:{port}{path}")
        if status is None:
            found.append(
                Finding(about, None, f"nobody serves on port {port}", "start it: `systemctl start mantel`")
            )
        elif status in (200, 403, 421):
            found.append(Finding(about, True, f"port {port} answers"))
        else:
            remedy = f"another program may have port {port}: `ss -ltnp 'sport = :{port}'`"
            found.append(Finding(about, False, f"port {port} answers {status}", remedy))
    return found


async def _daemon(settings: Settings) -> list[Finding]:
    if settings.analytics == "off":
        return [Finding("analytics", None, "switched off: no reports, and our own probe describes files")]
    status = await _status(f"http://127.0.0.1:{settings.analytics_port}/health")
    if status == 200:
        return [Finding("analytics", True, f"the daemon answers on port {settings.analytics_port}")]
    said = "does not answer" if status is None else f"answers {status}"
    remedy = "look at `journalctl -u mantel-analytics`; all but reports and checksums goes on without it"
    return [Finding("analytics", False, f"the daemon {said}", remedy)]


async def _watches(_settings: Settings) -> list[Finding]:
    limit = await asyncio.to_thread(_watch_limit)
    if limit is None:
        return []
    if limit <= SMALLEST_WATCHES:
        remedy = "`sysctl fs.inotify.max_user_watches=65536`; without it new files show at the next full look"
        return [Finding("inotify", None, f"{limit} folders can be watched", remedy)]
    return [Finding("inotify", True, f"{limit} folders can be watched")]


def _watch_limit() -> int | None:
    """None where the kernel has no inotify."""
    file = Path("/proc/sys/fs/inotify/max_user_watches")
    return int(file.read_text()) if file.exists() else None


async def _network(settings: Settings) -> list[Finding]:
    served = interfaces(settings.interfaces)
    if not served:
        remedy = "name it in MANTEL_INTERFACES; VPNs, tunnels and containers are left out unless named"
        return [Finding("network", False, "no interface with a private address", remedy)]
    found = [await asyncio.to_thread(_search, one) for one in served]
    return found + await _traffic(settings)


async def _traffic(settings: Settings) -> list[Finding]:
    """What the running Mantel has sent, heard and answered on each interface since its start."""
    said = await _ask_internally(settings, "/internal/network")
    if said is None:
        return []
    if isinstance(said, str):
        return [Finding("announcing", None, said, "run it as root, or as the user whom Mantel runs as")]
    if not said["listening"]:
        remedy = "stop the other media server, `ss -ulnp 'sport = :1900'` names it, and restart Mantel"
        return [Finding("announcing", False, "another program has UDP port 1900 for itself", remedy)]
    return [_spoken(one) for one in said["interfaces"]]


def _spoken(one: dict[str, Any]) -> Finding:
    where = (
        " ".join([one["name"], *one["addresses"]]) if one["addresses"] else f"{one['name']} (not served now)"
    )
    said = f"{where}: sent {one['sent']}, heard {one['heard']} searches, answered {one['answered']}"
    if one["refused"]:
        said += f", refused {one['refused']} (not on this link, or too many)"
    if one["searchers"]:
        newest = [f"{who['address']} at {who['at'][11:19]}" for who in one["searchers"][:4]]
        said += f"; last asked: {', '.join(newest)}"
    if one["failed"]:
        remedy = "is the cable in, and does a firewall let UDP 1900 out?"
        return Finding("announcing", None, f"{said}; {one['failed']} not sent: {one['lastError']}", remedy)
    own = set(one["addresses"])
    if one["addresses"] and own >= {who["address"] for who in one["searchers"]}:
        remedy = (
            "if a TV is on and does not list Mantel: is it on this network, and does the router or access "
            "point pass multicast (IGMP snooping off, no guest or client isolation)?"
        )
        return Finding("announcing", None, f"{said}; nobody but this machine has asked yet", remedy)
    return Finding("announcing", True, said)


async def _ask_internally(settings: Settings, path: str) -> Any:
    """The JSON of a route on the internal port; None where nobody serves, a text where we may not ask."""
    if await _status(f"http://127.0.0.1:{settings.internal_port}{path}") is None:
        return None
    token = known_token(settings, TO_APPLIANCE)
    if token is None:
        return "Mantel runs, and its token may not be read"
    try:
        timeout = aiohttp.ClientTimeout(total=REPLY)
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        url = f"http://127.0.0.1:{settings.internal_port}{path}"
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url, headers=headers) as answer:
            return await answer.json() if answer.status == 200 else f"Mantel answers {answer.status}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return str(error) or type(error).__name__


def _search(interface: Interface) -> Finding:
    """Ask for media servers there, as a TV does, and count who answers."""
    own = str(interface.address)
    heard: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ipaddress.IPv4Address(own).packed)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.bind((own, 0))
        sock.settimeout(0.2)
        sock.sendto(SEARCH.encode(), ("127.0.0.1", 1900) if interface.name == "lo" else MULTICAST)
        until = time.monotonic() + REPLY
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                heard.add(sock.recvfrom(2048)[1][0])
    who = ", ".join(sorted(heard)) or "nobody"
    said = f"{interface.name} {own}: sent one search, {len(heard)} answered ({who})"
    if own in heard or "127.0.0.1" in heard:
        return Finding("network", True, said)
    remedy = "is Mantel running, and does the firewall let UDP 1900 through?"
    return Finding("network", None, said, remedy)


async def _status(url: str) -> int | None:
    try:
        timeout = aiohttp.ClientTimeout(total=REPLY)
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def _first_line(*argv: str) -> str:
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=silent,
        stdout=asyncio.subprocess.PIPE,
        stderr=silent,
        env={"PATH": os.environ.get("PATH", "")},
    )
    output, _ = await process.communicate()
    return output.decode(errors="replace").partition("\n")[0][:60]


CHECKS: tuple[Callable[[Settings], Awaitable[list[Finding]]], ...] = (
    _clock, _programs, parse_cell, memory, _disks, _watches, _database, backups, _ports, certificate, _daemon,
    _network,
)  # fmt: skip
