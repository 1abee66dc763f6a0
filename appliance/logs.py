"""Log lines for a person at a terminal, and for the journal of systemd, which adds the time itself."""

import logging
import os
import sys
from typing import TextIO

SYSTEMD_LEVELS = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""sd-daemon(3): `<N>` in front of a line is its level."""


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
    """Lines on stderr; under systemd with their level, else with the time."""
    handler = logging.StreamHandler(sys.stderr)
    if is_journal(sys.stderr):
        handler.setFormatter(_ForJournal("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
