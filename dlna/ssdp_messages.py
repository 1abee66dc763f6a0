"""SSDP as text: reading what arrives, writing what we say. No socket here (UDA 1.1 §1.2, §1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate

from dlna.device import DEVICE_TYPE, SERVICE_TYPES, Device

MAX_AGE = 86_400
"""Seconds. A PS4 stops playing when it runs out, however often it is refreshed (gerbera#821)."""

LONGEST = 4096
"""Bytes of a datagram that we read; a real M-SEARCH has about 150."""

_VERSIONED = re.compile(r"(urn:[^:]+:(?:device|service):[^:]+):(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """A request or notification: `method` is upper case, header names are lower case."""

    method: str
    headers: dict[str, str]


def read(data: bytes) -> Message | None:
    """A datagram as a message, or None for what is no HTTP-over-UDP request. Never raises."""
    if len(data) > LONGEST:
        return None
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    first = lines[0].split()
    if len(first) != 3 or first[1] != "*" or not first[2].upper().startswith("HTTP/1."):
        return None
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Message(first[0].upper(), headers)


def is_search(message: Message) -> bool:
    """An M-SEARCH for discovery. MAN is quoted by the book, and bare on some TVs."""
    man = message.headers.get("man", "").strip("\"' ").lower()
    return message.method == "M-SEARCH" and man == "ssdp:discover"


def patience(message: Message) -> float:
    """Seconds over which the answers may be spread: MX, kept between 0 and 5, 1 where it makes no sense."""
    text = message.headers.get("mx", "")
    if not re.fullmatch(r"[+-]?\d{1,9}", text):
        return 1.0
    return float(min(max(int(text), 0), 5))


def matches(device: Device, wanted: str) -> list[tuple[str, str]]:
    """(ST, USN) pairs that answer a search target; the ST is echoed as it was asked."""
    asked = wanted.strip()
    folded = asked.lower()
    if folded == "ssdp:all":
        return device.targets()
    if folded == "upnp:rootdevice":
        return [(asked, f"{device.udn}::upnp:rootdevice")]
    if folded == device.udn.lower():
        return [(asked, device.udn)]
    version = _VERSIONED.fullmatch(asked)
    for kind in (DEVICE_TYPE, *SERVICE_TYPES):
        # All of ours are version 1: a higher one is not answered, version 0 is lenience.
        if version and version[1].lower() == kind.rpartition(":")[0].lower() and int(version[2]) <= 1:
            return [(asked, f"{device.udn}::{kind}")]
    return []


def answer(device: Device, location: str, boot_id: int, target: str, usn: str) -> bytes:
    """The reply to one matching search target."""
    return _text(
        "HTTP/1.1 200 OK",
        ("CACHE-CONTROL", f"max-age={MAX_AGE}"),
        ("DATE", formatdate(usegmt=True)),
        ("EXT", ""),
        ("LOCATION", location),
        ("SERVER", device.server),
        ("ST", target),
        ("USN", usn),
        ("BOOTID.UPNP.ORG", str(boot_id)),
        ("CONFIGID.UPNP.ORG", str(device.config_id)),
        ("Content-Length", "0"),
    )


def alive(device: Device, location: str, boot_id: int) -> Iterator[bytes]:
    """One full set of ssdp:alive."""
    for target, usn in device.targets():
        yield _text(
            "NOTIFY * HTTP/1.1",
            ("HOST", "239.255.255.250:1900"),
            ("CACHE-CONTROL", f"max-age={MAX_AGE}"),
            ("LOCATION", location),
            ("NT", target),
            ("NTS", "ssdp:alive"),
            ("SERVER", device.server),
            ("USN", usn),
            ("BOOTID.UPNP.ORG", str(boot_id)),
            ("CONFIGID.UPNP.ORG", str(device.config_id)),
        )


def update(device: Device, location: str, boot_id: int, next_boot_id: int) -> Iterator[bytes]:
    """ssdp:update: an interface came or went, the others go on (UDA 1.1 §1.2.4)."""
    for target, usn in device.targets():
        yield _text(
            "NOTIFY * HTTP/1.1",
            ("HOST", "239.255.255.250:1900"),
            ("LOCATION", location),
            ("NT", target),
            ("NTS", "ssdp:update"),
            ("USN", usn),
            ("BOOTID.UPNP.ORG", str(boot_id)),
            ("CONFIGID.UPNP.ORG", str(device.config_id)),
            ("NEXTBOOTID.UPNP.ORG", str(next_boot_id)),
        )


def byebye(device: Device, boot_id: int) -> Iterator[bytes]:
    """One full set of ssdp:byebye."""
    for target, usn in device.targets():
        yield _text(
            "NOTIFY * HTTP/1.1",
            ("HOST", "239.255.255.250:1900"),
            ("NT", target),
            ("NTS", "ssdp:byebye"),
            ("USN", usn),
            ("BOOTID.UPNP.ORG", str(boot_id)),
            ("CONFIGID.UPNP.ORG", str(device.config_id)),
        )


def _text(first: str, *headers: tuple[str, str]) -> bytes:
    return "\r\n".join([first, *(f"{n}: {v}" for n, v in headers), "", ""]).encode("latin-1")
