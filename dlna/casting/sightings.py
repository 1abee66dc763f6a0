"""Which renderers there are, told from SSDP messages alone. Pure: messages and the time in, changes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dlna.casting.foreign import ForeignUrl, own_url

MOST_RENDERERS = 64
"""Kept at once: a household has a handful; more is somebody making them up."""
SHORTEST_AGE, LONGEST_AGE = 60.0, 86_400.0
"""Seconds that `max-age` is clamped to. UDA 1.1 §1.2.2 asks for 1800 or more; some say 1, some a year."""

_RENDERER = re.compile(r"urn:schemas-upnp-org:device:MediaRenderer:\d+", re.IGNORECASE)
_MAX_AGE = re.compile(r"max-age\s*=\s*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class Sighting:
    """One renderer as its messages tell it. Times on the monotonic clock, in seconds."""

    udn: str
    location: str
    address: str
    """Numeric IPv4: who sent the message, and the host of the location."""
    boot_id: str | None
    """BOOTID.UPNP.ORG; another one means that it has started anew and forgotten us (UDA 1.1 §1.2.2)."""
    seen_at: float
    expires_at: float


@dataclass(frozen=True)
class Appeared:
    """A renderer that is new, has moved or has started anew: connect to it (again)."""

    sighting: Sighting


@dataclass(frozen=True)
class Vanished:
    udn: str


Change = Appeared | Vanished


class Sightings:
    """The renderers seen. `see` takes each NOTIFY and each answer to M-SEARCH."""

    def __init__(self) -> None:
        self._by_udn: dict[str, Sighting] = {}

    @property
    def all(self) -> tuple[Sighting, ...]:
        return tuple(self._by_udn.values())

    def see(self, headers: Mapping[str, str], sender: str, now: float) -> Change | None:
        """What a message changes. `headers` with lower-case names; `sender` on-link and checked.

        Messages that are broken, foreign or about other devices change nothing.
        """
        target = headers.get("nt") or headers.get("st") or ""
        udn, _, _ = headers.get("usn", "").partition("::")
        if not re.fullmatch(r"uuid:[\x21-\x7e]{1,100}", udn, re.IGNORECASE):
            return None
        known = self._by_udn.get(udn)
        if headers.get("nts", "").lower() == "ssdp:byebye":
            # Only who said hello may say goodbye.
            if known and known.address == sender and self._is_renderer_or_root(target, udn):
                del self._by_udn[udn]
                return Vanished(udn)
            return None
        if not _RENDERER.fullmatch(target):
            return None
        try:
            location = own_url(headers.get("location", "").strip(), sender)
        except ForeignUrl:
            return None
        # ssdp:update says "I will call myself that next": the device goes on (UDA 1.1 §1.2.4).
        announced = headers.get("nextbootid.upnp.org")
        boot_id = announced or headers.get("bootid.upnp.org")
        seen = Sighting(udn, location, sender, boot_id, now, now + _age(headers.get("cache-control", "")))
        if known is None and len(self._by_udn) >= MOST_RENDERERS:
            return None
        if known and known.address != sender and now < known.expires_at and known.location != location:
            # The same name at two addresses: the first is believed until it expires or says goodbye.
            return None
        self._by_udn[udn] = seen
        if known is None or known.location != location or (known.boot_id != boot_id and not announced):
            return Appeared(seen)
        return None

    @staticmethod
    def _is_renderer_or_root(target: str, udn: str) -> bool:
        return bool(_RENDERER.fullmatch(target)) or target.lower() in ("upnp:rootdevice", udn.lower())

    def confirm(self, udn: str, now: float) -> None:
        """It answered otherwise (a connection, an event): as good as a message."""
        if known := self._by_udn.get(udn):
            lasting = max(known.expires_at, now + SHORTEST_AGE)
            self._by_udn[udn] = replace(known, seen_at=now, expires_at=lasting)

    def forget(self, udn: str) -> Vanished | None:
        return Vanished(udn) if self._by_udn.pop(udn, None) else None

    def silent_since(self, moment: float) -> tuple[Sighting, ...]:
        """Those not heard of after `moment`."""
        return tuple(s for s in self._by_udn.values() if s.seen_at < moment)


def _age(cache_control: str) -> float:
    match = _MAX_AGE.search(cache_control)
    return min(max(float(match[1]), SHORTEST_AGE), LONGEST_AGE) if match else 1800.0
