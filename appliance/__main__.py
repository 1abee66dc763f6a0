"""The `mantel` command: reads words, calls one function each."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import MantelError
from appliance.settings import Settings, read_settings

INSTALLED_SETTINGS = Path("/etc/mantel/mantel.toml")


def main(argv: Sequence[str] | None = None) -> None:
    words = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
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
    parser = argparse.ArgumentParser(prog="mantel", description="The shelf that a household's media stands on.")
    default = INSTALLED_SETTINGS if INSTALLED_SETTINGS.exists() else None
    parser.add_argument("--config", type=Path, default=default, metavar="FILE", help="settings, TOML")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the page, the TVs and the players")
    serve.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings, TOML")
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

    scan = commands.add_parser("scan", help="bring the index in line with the disk")
    scan.add_argument("--adopt", action="store_true", help="accept a new or replaced library root")
    scan.set_defaults(call=_scan)
    wake = commands.add_parser("wake", help="wake a machine by its name")
    wake.add_argument("name")
    wake.set_defaults(call=_wake)
    lockdown = commands.add_parser("lockdown", help="end every session, link, pairing and cast at once")
    lockdown.set_defaults(call=_lockdown)
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
