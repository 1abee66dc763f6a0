"""What this media server is: names, numbers and types that the wire repeats everywhere."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass
from functools import cached_property

DEVICE_TYPE = "urn:schemas-upnp-org:device:MediaServer:1"
CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory:1"
CONNECTION_MANAGER = "urn:schemas-upnp-org:service:ConnectionManager:1"
REGISTRAR = "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1"
SERVICE_TYPES = (CONTENT_DIRECTORY, CONNECTION_MANAGER, REGISTRAR)

MULTICAST = ("239.255.255.250", 1900)
"""UPnP Device Architecture 1.1 §1.1.1."""


@dataclass(frozen=True)
class Device:
    """One media server. `udn` and `port` are the same after a restart, or TVs lose it."""

    udn: str
    """`uuid:…`"""
    name: str
    """Shown on the TV's list of sources."""
    version: str
    config_id: int = 1
    """CONFIGID.UPNP.ORG: changes only when the description does (0 to 2^24-1)."""

    @cached_property
    def server(self) -> str:
        """The SERVER header. DLNADOC makes Sony and Samsung TVs list it as a media server."""
        return f"Linux/{platform.release().split('-')[0]} UPnP/1.0 DLNADOC/1.50 Mantel/{self.version}"

    def targets(self) -> list[tuple[str, str]]:
        """(NT, USN) of every advertisement (UDA 1.1 table 1-1)."""
        return [
            ("upnp:rootdevice", f"{self.udn}::upnp:rootdevice"),
            (self.udn, self.udn),
            (DEVICE_TYPE, f"{self.udn}::{DEVICE_TYPE}"),
            *((kind, f"{self.udn}::{kind}") for kind in SERVICE_TYPES),
        ]


def new_udn() -> str:
    """A name for a server that has none yet."""
    return f"uuid:{uuid.uuid4()}"
