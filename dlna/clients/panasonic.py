"""Panasonic Viera. Sources: minidlna clients.c, gerbera quirks.h, UMS Panasonic-Viera.conf."""

from __future__ import annotations

from dlna.clients.client import Client

# `Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50`, with `X-PANASONIC-DMP-Profile`
VIERA = Client(
    "panasonic",
    signs=(
        ("user-agent", r"Panasonic"),
        ("x-panasonic-dmp-profile", r"."),
        ("x-panasonic-registration", r"."),
        ("description", r"(?i)panasonic"),
    ),
    # It sends no sort criteria and shows what comes.
    forced_sort="+upnp:class,+upnp:originalDiscNumber,+upnp:originalTrackNumber,+dc:title",
    # A date is shown in place of the title's second line (UMS).
    dates=False,
)

FAMILIES = (VIERA,)
