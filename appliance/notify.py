"""Telling systemd how we are (sd_notify(3)); silent where nobody listens."""

import os
import socket


def notify(state: str) -> None:
    """Send `state` (`READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`) to the service manager."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(address)
        sock.sendall(state.encode())


def watchdog_seconds() -> float | None:
    """How often systemd wants to hear WATCHDOG=1: half of what it gives us; None: never."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2_000_000 if microseconds.isdigit() else None
