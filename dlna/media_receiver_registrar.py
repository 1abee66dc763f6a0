"""X_MS_MediaReceiverRegistrar:1: an Xbox 360 and Windows browse only where this says yes.

Everyone is told yes: who may see what is decided at Browse, where the person can be told how to be allowed.
"""

from __future__ import annotations

from dlna.catalog import Viewer
from dlna.device import REGISTRAR
from dlna.scpd import load

Values = dict[str, object]


class MediaReceiverRegistrar:
    service_type = REGISTRAR
    scpd = load("X_MS_MediaReceiverRegistrar")

    def __init__(self) -> None:
        self.actions = {
            "IsAuthorized": self.say_yes,
            "IsValidated": self.say_yes,
            "RegisterDevice": self.register_device,
        }

    def evented(self) -> dict[str, str]:
        return dict.fromkeys(self.scpd.evented, "0")

    async def say_yes(self, viewer: Viewer, given: dict[str, str]) -> Values:
        return {"Result": 1}

    async def register_device(self, viewer: Viewer, given: dict[str, str]) -> Values:
        return {"RegistrationRespMsg": ""}
