"""What an installed machine does by itself, at night and by timers, as `mantel doctor` finds it."""

from __future__ import annotations

import asyncio
import datetime
import time
from pathlib import Path

from cryptography import x509

from appliance.doctor_walls import Finding
from appliance.settings import Settings
from appliance.units import DAYS, HOURS, MIB

BACKUPS = Path("/var/backups/mantel")
TOO_OLD = 2 * DAYS
"""Seconds: the timer makes one each night, and makes it up when the machine was off."""
SOON = 14
"""Days that a certificate must have left; what our own authority signed is renewed at 30."""


async def backups(_settings: Settings) -> list[Finding]:
    """How old the newest is; nothing where none are made for us."""
    return await asyncio.to_thread(_newest, BACKUPS, time.time())


def _newest(folder: Path, now: float) -> list[Finding]:
    try:
        found = [path.stat() for path in folder.glob("mantel-*.tar")] if folder.is_dir() else None
    except PermissionError:
        return [Finding("backup", None, f"{folder} may not be read", "run it as root, or as Mantel's user")]
    if found is None:
        return []
    if not found:
        return [Finding("backup", None, "there is none yet", "`systemctl start mantel-backup` makes one now")]
    newest = max(found, key=lambda one: one.st_mtime)
    age = now - newest.st_mtime
    said = f"{len(found)} kept, the newest {age / HOURS:.0f} hours old, {newest.st_size / MIB:.1f} MiB"
    if age > TOO_OLD:
        return [Finding("backup", False, said, "`systemctl status mantel-backup.timer mantel-backup`")]
    return [Finding("backup", True, said)]


async def certificate(settings: Settings) -> list[Finding]:
    """How long the certificate is good that we serve with; nothing without TLS."""
    if settings.tls_cert is None:
        return []
    return await asyncio.to_thread(_good_until, settings.tls_cert, datetime.datetime.now(datetime.UTC))


def _good_until(file: Path, now: datetime.datetime) -> list[Finding]:
    try:
        good_until = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except PermissionError:
        return [
            Finding("certificate", None, f"{file} may not be read", "run it as root, or as Mantel's user")
        ]
    except (OSError, ValueError) as error:
        return [Finding("certificate", False, f"{file}: {error}", "run the playbook again")]
    left = (good_until - now).days
    said = f"good until {good_until:%Y-%m-%d}, {left} days"
    if left < SOON:
        remedy = "`systemctl start mantel-certificate`, or put a renewed one in place with the playbook"
        return [Finding("certificate", False, said, remedy)]
    return [Finding("certificate", True, said)]
