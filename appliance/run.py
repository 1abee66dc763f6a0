"""`make run`: the appliance and its analytics daemon together, from a checkout, until Ctrl-C.

Installed machines do not come here: there systemd keeps both (systemd/).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import time
from pathlib import Path

from appliance.errors import MantelError
from appliance.logs import start_logging
from appliance.samples import make_samples
from appliance.settings import Settings, read_settings
from appliance.units import MINUTES, SECONDS
from appliance.wiring import serve

log = logging.getLogger(__name__)

CHECKOUT = Path(__file__).resolve().parent.parent
JAR = CHECKOUT / "java-analytics" / "target" / "mantel-analytics.jar"
JVM_OPTIONS = CHECKOUT / "java-analytics" / "jvm.options"
SHORTEST_PAUSE, LONGEST_PAUSE = 1 * SECONDS, 1 * MINUTES
STEADY = 1 * MINUTES
"""A daemon that ran this long was well: the next pause is short again."""
STOP_WITHIN = 3 * SECONDS


def daemon_command(java: str, jar: Path, options: Path) -> list[str]:
    """argv of the daemon. `setpriv` (util-linux) ends it when we die without a word."""
    flags = [f"@{options}"] if options.exists() else []
    return ["setpriv", "--pdeathsig", "TERM", java, *flags, "-jar", str(jar)]


def daemon_environment(settings: Settings, environ: dict[str, str]) -> dict[str, str]:
    """The daemon's own environment: what it needs by name, and nothing secret of ours."""
    passed: dict[str, str] = {
        name: environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "JAVA_HOME") if name in environ
    }
    passed |= {
        "MANTEL_STATE": str(settings.state),
        "MANTEL_LIBRARY": ":".join(str(root) for root in settings.library),
        "MANTEL_ANALYTICS_PORT": str(settings.analytics_port),
        "MANTEL_INTERNAL_PORT": str(settings.internal_port),
    }
    if settings.timezone:
        passed["MANTEL_TIMEZONE"] = settings.timezone.key
    if settings.phone_copies:
        passed["MANTEL_PHONE_COPIES"] = str(settings.phone_copies)
        passed["MANTEL_PHONE_COPIES_SPACE"] = str(settings.phone_copies_space)
    if settings.analytics_database_url:
        passed["MANTEL_ANALYTICS_DATABASE_URL"] = settings.analytics_database_url.reveal()
    return passed


async def keep_daemon(settings: Settings) -> None:
    """Start the daemon, and again with growing pauses whenever it ends; ends it when cancelled."""
    java = shutil.which("java")
    if java is None or not JAR.exists():
        log.warning("no Java or no %s: reports and checksums are off", JAR.name)
        return
    pause: float = SHORTEST_PAUSE
    output = settings.state / "analytics.log"
    while True:
        began = time.monotonic()
        with output.open("ab") as writing:
            process = await asyncio.create_subprocess_exec(
                *daemon_command(java, JAR, JVM_OPTIONS),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env=daemon_environment(settings, dict(os.environ)),
                start_new_session=True,
            )
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if time.monotonic() - began > STEADY:
            pause = SHORTEST_PAUSE
        log.warning("the analytics daemon ended (%d); again in %.0f s; see %s", status, pause, output)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def drop_to_owner(checkout: Path) -> None:
    """As root, become the owner of the checkout; a checkout of root's own is served as root."""
    owner = checkout.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    import pwd

    person = pwd.getpwuid(owner.st_uid)
    os.initgroups(person.pw_name, owner.st_gid)
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    os.environ["HOME"] = person.pw_dir


async def run(settings: Settings) -> None:
    await serve(settings, beside=keep_daemon(settings) if settings.analytics == "on" else None)


def main() -> None:
    start_logging()
    drop_to_owner(CHECKOUT)
    try:
        settings = read_settings()
        os.environ.pop("MANTEL_ADMIN_PASSWORD", None)
        first = settings.library[0]
        if len(settings.library) == 1 and not first.exists():
            print(f"No library yet: filling {first} with a few clips, songs and photos.", flush=True)
            make_samples(first, lambda line: print(f"  {line}", flush=True))
        asyncio.run(run(settings))
    except MantelError as error:
        sys.exit(f"mantel: {error}")


if __name__ == "__main__":
    main()
