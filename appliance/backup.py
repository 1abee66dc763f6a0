"""`mantel backup` and `mantel restore`: all state but the media, in one file, while everything runs.

What is in it: the database as of one moment (as SQLite, also where PostgreSQL serves: it is restored into
either), the pepper of the passwords, and the daemon's own snapshot where the daemon gives one. What is not:
media, whatever can be made again (thumbnails, subtitles), and what a restored machine must have of its own
(signing keys, service tokens).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from pathlib import Path

import aiohttp

from appliance.accounts import command_line
from appliance.accounts.keys import PEPPER_FILE, write_private
from appliance.copying import copy_rows
from appliance.database import Database
from appliance.errors import Conflict, Invalid
from appliance.journal import store as journal_store
from appliance.migrate_database import refuse_in_use
from appliance.migrations.tables import metadata
from appliance.service_tokens import TO_DAEMON, service_token
from appliance.settings import Settings
from appliance.units import MINUTES, iso

FORMAT = 1
MANIFEST, DATABASE, SNAPSHOT = "manifest.json", "mantel.db", "analytics.snapshot"
PEPPER = f"keys/{PEPPER_FILE}"
SNAPSHOT_WITHIN = 5 * MINUTES
SQLITE = "sqlite+aiosqlite:///"


async def backup(settings: Settings, file: Path) -> str:
    """Writes `file` (0600), whole or not at all; says what is in it. Conflict when it is there already."""
    if await asyncio.to_thread(file.exists):
        raise Conflict(f"{file} is there already.")
    source = _sqlite_file(settings)
    if source and not await asyncio.to_thread(source.exists):
        raise Conflict(f"There is no state in {settings.state} yet.")
    snapshot = await _ask_daemon(settings)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        copy = Path(folder) / DATABASE
        if source:
            await asyncio.to_thread(_copy_file, source, copy)
        else:
            await _copy_all(settings.appliance_database_url, _url(copy))
        return await asyncio.to_thread(_write, settings, copy, snapshot, file)


def _copy_file(source: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
        contextlib.closing(sqlite3.connect(copy)) as still,
    ):
        live.backup(still)


async def _copy_all(source: str, target: str) -> None:
    """Every row from one URL to the other. Conflict when people or files are known there."""
    old, new = Database(source), Database(target)
    try:
        await new.migrate()
        async with old.read() as reading, new.write() as writing:
            await refuse_in_use(writing)
            async for _moved in copy_rows(reading, writing, metadata.sorted_tables):
                pass
    finally:
        await old.close()
        await new.close()


def _write(settings: Settings, copy: Path, snapshot: bytes | None, file: Path) -> str:
    with contextlib.closing(sqlite3.connect(copy)) as still:
        # a file of its own, without a log beside it
        still.execute("PRAGMA journal_mode=DELETE")
    made = iso(time.time_ns() // 1_000_000)
    manifest = {"format": FORMAT, "made_at": made, "analytics": snapshot is not None}
    part = copy.with_name("whole.tar")
    with tarfile.open(part, "w") as tar:
        _add(tar, MANIFEST, json.dumps(manifest).encode())
        tar.add(copy, DATABASE, filter=_private)
        tar.add(settings.keys / PEPPER_FILE, PEPPER, filter=_private)
        if snapshot is not None:
            _add(tar, SNAPSHOT, snapshot)
    part.chmod(0o600)
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    os.link(part, file)
    _sync_folder(file.parent)
    return "with the daemon's snapshot" if snapshot is not None else "without the daemon's snapshot"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    tar.addfile(member, io.BytesIO(content))


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
    return member


async def _ask_daemon(settings: Settings) -> bytes | None:
    """The daemon's copy of its own store; None when it is off, away, or gives none."""
    if settings.analytics == "off":
        return None
    token = service_token(settings, TO_DAEMON).reveal()
    url = f"http://127.0.0.1:{settings.analytics_port}/api/analytics/snapshot"
    limit = aiohttp.ClientTimeout(total=SNAPSHOT_WITHIN)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, headers={"Authorization": f"Bearer {token}"}) as answer,
        ):
            return await answer.read() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


async def restore(settings: Settings, file: Path) -> str:
    """Fills an empty state folder from `file`; every session and link of before has ended.

    Conflict when there is state already, Invalid for a file that is no backup. Nothing is left half done:
    the database gets its name last.
    """
    members = await asyncio.to_thread(_read, file)
    target = _sqlite_file(settings)
    if target:
        await asyncio.to_thread(_fill, settings, target, members)
    else:
        with tempfile.TemporaryDirectory(dir=settings.state, prefix=".restore-") as folder:
            copy = Path(folder) / DATABASE
            await asyncio.to_thread(_fill, settings, copy, members)
            # An older version's tables become this one's before anything is read of them.
            brought = Database(_url(copy))
            await brought.migrate()
            await brought.close()
            await _copy_all(_url(copy), settings.appliance_database_url)
    # The copy is older than what was handed out since: nobody's session or event number may go on.
    await command_line.lockdown(settings)
    database = Database(settings.appliance_database_url)
    try:
        async with database.write() as connection:
            await journal_store.renew_epoch(connection)
    finally:
        await database.close()
    return str(json.loads(members[MANIFEST])["made_at"])


def _fill(settings: Settings, target: Path, members: dict[str, bytes]) -> None:
    if target.exists():
        raise Conflict(f"{target} is there; a backup is restored into an empty state folder only.")
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(settings.keys / PEPPER_FILE, members[PEPPER])
    if SNAPSHOT in members:
        write_private(settings.state / SNAPSHOT, members[SNAPSHOT])
    write_private(target, members[DATABASE])


def _read(file: Path) -> dict[str, bytes]:
    """Known members by name. Invalid for anything but a backup of ours."""
    known = (MANIFEST, DATABASE, PEPPER, SNAPSHOT)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() and member.name in known else None
                if content is None:
                    raise Invalid("FILE", member.name, "only what `mantel backup` wrote is allowed")
                found[member.name] = content.read()
    except (tarfile.TarError, OSError) as error:
        raise Invalid("FILE", file, f"a backup of Mantel is needed ({error})") from error
    missing = [name for name in known[:3] if name not in found]
    if missing or json.loads(found[MANIFEST]).get("format") != FORMAT:
        raise Invalid("FILE", file, f"a whole backup of format {FORMAT} is needed")
    with contextlib.closing(sqlite3.connect(":memory:")) as check:
        check.deserialize(found[DATABASE])
        try:
            verdict = check.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            verdict = str(error)
    if verdict != "ok":
        raise Invalid("FILE", file, f"its database is damaged: {verdict}")
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sqlite_file(settings: Settings) -> Path | None:
    """None where PostgreSQL serves."""
    url = settings.appliance_database_url
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def _url(file: Path) -> str:
    return f"{SQLITE}{file}"
