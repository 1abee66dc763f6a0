"""Log lines for a person at a terminal, and for the journal of systemd, which adds the time itself."""

import logging
import os
import sys
from contextvars import ContextVar
from typing import TextIO

SYSTEMD_LEVELS = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""sd-daemon(3): `<N>` in front of a line is its level."""

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="")
"""Id of the request that is answered, or that began what goes on now; empty outside of one."""


class _WithRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        number = REQUEST.get()
        record.request = f"[{number}] " if number else ""
        return True


class _ForJournal(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = SYSTEMD_LEVELS.get(record.levelno, 6)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).split("\n"))


def is_journal(stream: TextIO) -> bool:
    """Whether what is written there lands in the journal; systemd.exec(5), JOURNAL_STREAM."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def start_logging() -> None:
    """Lines on stderr, with the id of their request; under systemd with their level, else with the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequest())
    if is_journal(sys.stderr):
        handler.setFormatter(_ForJournal("%(name)s: %(request)s%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname).1s %(request)s%(message)s", "%H:%M:%S")
        )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
