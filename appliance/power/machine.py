"""A machine that may be woken, its MAC, and when: as values. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as clock_time
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from appliance.errors import Invalid

LONGEST_NAME = 60
DAYS_OF_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_TIMES = 20
"""Times in one schedule."""
LONGEST_GAP = 600
"""Seconds between two looks at the schedule; a longer one means that the box was not running."""


@dataclass(frozen=True)
class Time:
    """One time of the week at which a machine is woken. `days`: 0 is Monday."""

    days: frozenset[int]
    hour: int
    minute: int

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"


@dataclass(frozen=True)
class Machine:
    """`mac` and `secure_on` as `aa:bb:cc:dd:ee:ff`; `secure_on` is a password and is never shown."""

    id: str
    name: str
    mac: str
    secure_on: str | None = field(default=None, repr=False)
    address: str | None = None
    """IPv4 where it was last seen: where it is looked for once it was asked to wake."""
    library_root: str | None = None
    """The library folder that lies on it: opening a file there wakes it."""
    times: tuple[Time, ...] = ()
    woken_at: int | None = None
    """Epoch milliseconds of the last packet."""


def read_mac(field: str, value: object) -> str:
    """A MAC, or SecureOn password, in any of the usual spellings, as `aa:bb:cc:dd:ee:ff`. Raises Invalid."""
    digits = re.sub(r"[\s:.\-]", "", value).lower() if isinstance(value, str) and len(value) <= 40 else ""
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise Invalid(field, value, "twelve hexadecimal digits like 00:11:22:33:44:55 are allowed")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def read_machine_mac(value: object) -> str:
    """The MAC of one machine: neither a group's nor nobody's. Raises Invalid."""
    mac = read_mac("mac", value)
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise Invalid("mac", value, "the address of one network card is needed, not of a group")
    return mac


def read_name(value: object) -> str:
    name = " ".join(value.split()) if isinstance(value, str) else ""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid("name", value, f"1 to {LONGEST_NAME} characters are allowed")
    return name


def read_address(value: object) -> str | None:
    if value is None or value == "":
        return None
    try:
        address = IPv4Address(value if isinstance(value, str) else "")
    except AddressValueError:
        raise Invalid("address", value, "a numeric IPv4 address is allowed") from None
    if not address.is_private or address.is_loopback or address.is_multicast:
        raise Invalid("address", value, "an address of this household's network is allowed")
    return str(address)


def read_times(value: object) -> tuple[Time, ...]:
    """`[{"days": ["mon", "fri"], "at": "07:30"}, …]`; without days: each day. Raises Invalid."""
    shape = 'a list like [{"days": ["mon", "fri"], "at": "07:30"}] is allowed'
    if not isinstance(value, list) or len(value) > MOST_TIMES:
        raise Invalid("schedule", value, shape)
    times = []
    for entry in value:
        at = (
            re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", str(entry.get("at")))
            if isinstance(entry, dict)
            else None
        )
        days = entry.get("days", list(DAYS_OF_WEEK)) if at else None
        if not at or not isinstance(days, list) or not days or not set(map(str, days)) <= set(DAYS_OF_WEEK):
            raise Invalid("schedule", entry, shape)
        times.append(Time(frozenset(DAYS_OF_WEEK.index(day) for day in days), int(at[1]), int(at[2])))
    return tuple(times)


def written_times(times: tuple[Time, ...]) -> list[Mapping[str, Any]]:
    """What `read_times` reads."""
    return [{"days": [DAYS_OF_WEEK[day] for day in sorted(t.days)], "at": str(t)} for t in times]


def is_due(times: tuple[Time, ...], after: datetime, until: datetime) -> bool:
    """Whether one of `times` lies in (after, until], both in the household's time zone.

    A time that comes twice when the clocks go back is due once; one that they leave out is due an hour
    later. What was missed while the box itself was off or asleep is not made up for.
    """
    begin, end = after.timestamp(), until.timestamp()
    if end - begin > LONGEST_GAP:
        begin = end - 60
    for day in {after.date(), until.date()}:
        for time in times:
            moment = datetime.combine(day, clock_time(time.hour, time.minute), until.tzinfo).timestamp()
            if day.weekday() in time.days and begin < moment <= end:
                return True
    return False
