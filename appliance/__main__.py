"""The `mantel` command: reads words, calls one function each."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.accounts import command_line
from appliance.errors import MantelError
from appliance.logs import start_logging
from appliance.power.command import wake
from appliance.settings import Settings, read_settings
from appliance.units import iso

INSTALLED_SETTINGS = Path("/etc/mantel/mantel.toml")


def main(argv: Sequence[str] | None = None) -> None:
    words = _parser().parse_args(argv)
    start_logging()
    try:
        settings = read_settings(file=words.config)
        # Read once; a child process or a crash report must not meet it.
        os.environ.pop("MANTEL_ADMIN_PASSWORD", None)
        sys.exit(asyncio.run(words.call(settings, words)))
    except MantelError as error:
        sys.exit(f"mantel: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mantel", description="The shelf that a household's media stands on."
    )
    default = INSTALLED_SETTINGS if INSTALLED_SETTINGS.exists() else None
    parser.add_argument("--config", type=Path, default=default, metavar="FILE", help="settings, TOML")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the page, the TVs and the players")
    serve.add_argument(
        "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings, TOML"
    )
    serve.set_defaults(call=_serve)

    user = commands.add_parser("user", help="accounts, without the page").add_subparsers(required=True)
    add = user.add_parser("add", help="a new account; the password is asked for, or read from stdin")
    add.add_argument("name")
    add.add_argument("--role", choices=("viewer", "editor", "admin"), required=True)
    add.set_defaults(call=_user_add)
    user.add_parser("list", help="all accounts").set_defaults(call=_user_list)
    reset = user.add_parser("reset", help="a new password; also lifts throttles")
    reset.add_argument("name")
    reset.set_defaults(call=_user_reset)

    wake = commands.add_parser("wake", help="wake a machine by its name")
    wake.add_argument("name")
    wake.set_defaults(call=_wake)
    scan = commands.add_parser("scan", help="bring the index in line with the disk")
    scan.add_argument("--adopt", action="store_true", help="accept a new or replaced library root")
    scan.set_defaults(call=_scan)
    doctor = commands.add_parser("doctor", help="look at everything, and say what to do about each fault")
    doctor.set_defaults(call=_doctor)
    lockdown = commands.add_parser("lockdown", help="end every session, link, pairing and cast at once")
    lockdown.set_defaults(call=_lockdown)
    for name, call, text in (
        ("backup", _backup, "a consistent copy of all state but the media, while everything runs"),
        ("restore", _restore, "fill an empty state folder from a backup; ends all sessions and links"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("file", type=Path, metavar="FILE")
        command.set_defaults(call=call)
    certificate = commands.add_parser(
        "certificate", help="make or renew what the household's own authority signs, for TLS"
    )
    certificate.add_argument("folder", type=Path, metavar="FOLDER", help="where keys and certificates lie")
    certificate.set_defaults(call=_certificate)
    migrate = commands.add_parser("migrate-database", help="from SQLite to PostgreSQL, each row compared")
    migrate.add_argument("url", metavar="URL", help="postgresql+asyncpg://…")
    migrate.add_argument("--daemon", type=Path, metavar="FILE", help="the daemon's analytics.db instead")
    migrate.set_defaults(call=_migrate_database)
    return parser


async def _serve(settings: Settings, _words: argparse.Namespace) -> int:
    from appliance.wiring import serve

    await serve(settings)
    return 0


def _password() -> str:
    """From the terminal, twice, or one line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise MantelError("the two passwords differ")
    return first


async def _user_add(settings: Settings, words: argparse.Namespace) -> int:
    person = await command_line.add_user(settings, words.name, words.role, _password())
    print(f"{person.username} may sign in as {words.role}.")
    return 0


async def _user_list(settings: Settings, _words: argparse.Namespace) -> int:
    for person in await command_line.list_users(settings):
        seen = iso(person.last_login_at) if person.last_login_at else "never"
        print(f"{person.username:<40} {person.role.name.lower():<8} last signed in {seen}")
    return 0


async def _user_reset(settings: Settings, words: argparse.Namespace) -> int:
    person = await command_line.reset_user(settings, words.name, _password())
    print(f"{person.username} has a new password; every device has to sign in again.")
    return 0


async def _wake(settings: Settings, words: argparse.Namespace) -> int:
    return 0 if await wake(settings, words.name) else 1


async def _scan(settings: Settings, words: argparse.Namespace) -> int:
    from appliance.library.command import scan

    return await scan(settings, words.adopt)


async def _doctor(settings: Settings, _words: argparse.Namespace) -> int:
    from appliance.doctor import findings

    faults = 0
    async for finding in findings(settings):
        print(finding.line(), flush=True)
        faults += finding.ok is False
    print(f"{faults} to mend." if faults else "All is well.")
    return 1 if faults else 0


async def _lockdown(settings: Settings, _words: argparse.Namespace) -> int:
    await command_line.lockdown(settings)
    print("Every session, link, pairing and cast has ended.")
    return 0


async def _backup(settings: Settings, words: argparse.Namespace) -> int:
    from appliance.backup import backup

    print(f"{words.file} is written, {await backup(settings, words.file.absolute())}.")
    return 0


async def _restore(settings: Settings, words: argparse.Namespace) -> int:
    from appliance.backup import restore

    print(f"The state of {await restore(settings, words.file)} is back; everyone signs in anew.")
    return 0


async def _certificate(settings: Settings, words: argparse.Namespace) -> int:
    from appliance.authority import renew_for

    renewed, mark = renew_for(settings, words.folder.absolute())
    print("The server's certificate is new." if renewed else "The server's certificate is good.")
    print(f"Fingerprint of the authority (SHA-256): {mark}")
    return 0


async def _migrate_database(settings: Settings, words: argparse.Namespace) -> int:
    from appliance.migrate_database import migrate_daemon, migrate_database

    moving = (
        migrate_daemon(words.daemon, words.url) if words.daemon else migrate_database(settings, words.url)
    )
    tables = rows = 0
    async for table, count in moving:
        print(f"{table:<20} {count}", flush=True)
        tables, rows = tables + 1, rows + count
    setting = "MANTEL_ANALYTICS_DATABASE_URL" if words.daemon else "MANTEL_DATABASE_URL"
    print(f"{rows} rows of {tables} tables are there, each as it was. Set {setting}; the old file stays.")
    return 0


if __name__ == "__main__":
    main()
