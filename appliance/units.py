"""Units by name, so that no number stands without one."""

from datetime import UTC, datetime

BYTES = 1
KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

SECONDS = 1
MINUTES = 60 * SECONDS
HOURS = 60 * MINUTES
DAYS = 24 * HOURS


def iso(ms: int) -> str:
    """Epoch milliseconds as ISO 8601 UTC with milliseconds: `2026-11-22T18:04:05.123Z`."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
