"""A TV as the house knows it. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from appliance.power.neighbours import Neighbour

LONGEST_NAME = 40
"""Characters."""


class State(StrEnum):
    ASKING = "asking"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Tv:
    id: str
    key: str
    """Interface and MAC; the address too where several share the MAC; on `lo` the address."""
    name: str
    family: str
    state: State
    code: str
    """Four digits that it shows while it asks."""
    folders: tuple[str, ...]
    """Folder ids that it is limited to; empty: no limit."""
    user_id: str | None
    address: str
    user_agent: str
    first_seen_at: int
    """Epoch milliseconds, as `last_seen_at`."""
    last_seen_at: int

    @property
    def mac(self) -> str | None:
        """None on `lo`."""
        word = self.key.split("/")[1]
        return word if ":" in word else None


def key_of(address: str, interface: str, own: bool, table: tuple[Neighbour, ...]) -> str | None:
    """Who is at `address`, by the neighbour table. None while the kernel does not know its MAC.

    `own`: the peer is this machine itself, which has no neighbour entry.
    """
    if interface == "lo" or own:
        return f"{interface}/{address}"
    here = [n for n in table if n.interface == interface]
    mac = next((n.mac for n in here if n.address == address), None)
    if mac is None:
        return None
    shared = len({n.address for n in here if n.mac == mac}) > 1
    return f"{interface}/{mac}/{address}" if shared else f"{interface}/{mac}"


def clean_name(text: str) -> str:
    """A device's own words for itself, fit to be shown: one line, no control or direction characters."""
    plain = unquote(text, errors="replace")
    kept = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in plain if c != "\ufffd")
    return re.sub(r"\s+", " ", kept).strip()[:LONGEST_NAME].strip()


FAMILY_NAMES = {
    "samsung": "Samsung TV",
    "samsung-new": "Samsung TV",
    "samsung-player": "Samsung player",
    "samsung-a": "Samsung TV",
    "lg": "LG TV",
    "lg-old": "LG TV",
    "radio": "Radio",
    "yamaha": "Yamaha receiver",
    "technisat": "Technisat radio",
    "asus": "Asus player",
    "sony-bravia": "Sony TV",
    "sony-bravia-xr": "Sony TV",
    "sony-player": "Sony player",
    "panasonic": "Panasonic TV",
    "philips": "Philips TV",
    "netfront": "Vizio TV",
    "xbox-360": "Xbox 360",
    "xbox-one": "Xbox",
    "playstation-3": "PlayStation 3",
    "playstation-4": "PlayStation 4",
    "roku": "Roku",
    "vlc": "VLC",
    "kodi": "Kodi",
    "bubbleupnp": "BubbleUPnP",
}


def name_of(own_name: str, family: str, address: str) -> str:
    """What an admin sees until a name was given."""
    return clean_name(own_name) or f"{FAMILY_NAMES.get(family, 'TV')} at {address}"[:LONGEST_NAME]
