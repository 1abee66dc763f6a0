"""ConnectionManager:1: which formats we offer. There is one connection, 0, which every fetch is."""

from __future__ import annotations

from dlna.catalog import Viewer
from dlna.device import CONNECTION_MANAGER
from dlna.errors import UpnpError
from dlna.protocol_info import SOURCES
from dlna.scpd import load

Values = dict[str, object]


class Connections:
    service_type = CONNECTION_MANAGER
    scpd = load("ConnectionManager")

    def __init__(self) -> None:
        self.actions = {
            "GetProtocolInfo": self.get_protocol_info,
            "GetCurrentConnectionIDs": self.get_current_connection_ids,
            "GetCurrentConnectionInfo": self.get_current_connection_info,
        }

    def evented(self) -> dict[str, str]:
        return {"SourceProtocolInfo": ",".join(SOURCES), "SinkProtocolInfo": "", "CurrentConnectionIDs": "0"}

    async def get_protocol_info(self, viewer: Viewer, given: dict[str, str]) -> Values:
        return {"Source": ",".join(SOURCES), "Sink": ""}

    async def get_current_connection_ids(self, viewer: Viewer, given: dict[str, str]) -> Values:
        return {"ConnectionIDs": "0"}

    async def get_current_connection_info(self, viewer: Viewer, given: dict[str, str]) -> Values:
        if given["ConnectionID"] != "0":
            raise UpnpError(706, given["ConnectionID"])
        # §2.4.6: -1 where there is no RenderingControl, no AVTransport and no peer.
        return {
            "RcsID": -1,
            "AVTransportID": -1,
            "ProtocolInfo": "",
            "PeerConnectionManager": "",
            "PeerConnectionID": -1,
            "Direction": "Output",
            "Status": "Unknown",
        }
