"""Which family a device is of: from its words, and it stays that.

A TV browses under one User-Agent and fetches under another, plainer one; a family that was once
recognised is not given up for "default", or the renderer "switches in mid-play" (UMS#754, #847, #1872).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dlna.clients import (
    bubbleupnp,
    kodi,
    lg,
    others,
    panasonic,
    philips,
    playstation,
    roku,
    samsung,
    sony,
    vlc,
    xbox,
)
from dlna.clients.client import DEFAULT, Client, Hints

FAMILIES: tuple[Client, ...] = (
    *bubbleupnp.FAMILIES,
    *kodi.FAMILIES,
    *samsung.FAMILIES,
    *lg.FAMILIES,
    *playstation.FAMILIES,
    *sony.FAMILIES,
    *panasonic.FAMILIES,
    *philips.FAMILIES,
    *xbox.FAMILIES,
    *roku.FAMILIES,
    *others.FAMILIES,
    *vlc.FAMILIES,
)
"""The first that recognises itself wins: programs before makers, makers before generic stacks."""

REMEMBERED = 256
"""Devices; the one not heard for longest goes first."""
STICKY_SECONDS = 24 * 3600.0


SIGNS = tuple(sorted({where for client in FAMILIES for where, _ in client.signs} - {"description"}))
"""Headers that tell a family."""


def family_of(hints: Hints) -> Client:
    return _family_of(tuple(hints.headers.get(name, "")[:500] for name in SIGNS), hints.description)


@lru_cache(256)
def _family_of(said: tuple[str, ...], description: str) -> Client:
    hints = Hints(dict(zip(SIGNS, said, strict=True)), description)
    return next((client for client in FAMILIES if client.is_it(hints)), DEFAULT)


@dataclass
class _Known:
    client: Client
    heard: float
    description: str = ""


class Recogniser:
    """Families by device address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def client(self, address: str, headers: Mapping[str, str]) -> Client:
        """The family behind `address` that now sends `headers`, which are asked for in lower case."""
        now = self._clock()
        known = self._known.get(address)
        if known and now - known.heard > STICKY_SECONDS:
            known = None
        found = family_of(Hints(headers, known.description if known else ""))
        if known and _is_vaguer(found, known.client):
            found = known.client
        self._remember(address, found, known.description if known else "")
        return found

    def describe(self, address: str, manufacturer: str, model: str, model_description: str = "") -> None:
        """What the device behind `address` says of itself in its own UPnP description."""
        text = " / ".join((manufacturer, model, model_description))[:500]
        found = family_of(Hints({}, text))
        known = self._known.get(address)
        if known and _is_vaguer(found, known.client):
            found = known.client
        self._remember(address, found, text)

    def remember(self, address: str, family: str) -> None:
        """What the device behind `address` was known as before we were started anew."""
        found = next((client for client in FAMILIES if client.family == family), None)
        if found is not None and address not in self._known:
            self._remember(address, found, "")

    def _remember(self, address: str, client: Client, description: str) -> None:
        self._known[address] = _Known(client, self._clock(), description)
        self._known.move_to_end(address)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _is_vaguer(found: Client, known: Client) -> bool:
    """Whether `found` tells less: nothing at all, a generic stack, or the maker without the model."""
    if found is known or known is DEFAULT:
        return False
    generic = (DEFAULT, *vlc.FAMILIES)
    if found in generic:
        return known not in generic or found is DEFAULT
    # Samsung of any age fetches as `samsung-agent/1.1`.
    if found is samsung.OLD:
        return known in samsung.FAMILIES
    return found is lg.OLD and known is lg.WEBOS
