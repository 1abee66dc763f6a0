"""A DLNA renderer that misbehaves as real ones do, and as hostile ones would; strings of a Samsung TV."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape

from aiohttp import web

UDN = "uuid:0cee0a81-0080-1000-9541-f47b5e7f8ad0"
SERVICES = ("AVTransport", "RenderingControl", "ConnectionManager")
VARIABLES = {
    "AVTransport": {
        "TransportState": "string",
        "TransportStatus": "string",
        "CurrentTrackURI": "string",
        "CurrentTrackDuration": "string",
        "RelativeTimePosition": "string",
        "AVTransportURI": "string",
        "AVTransportURIMetaData": "string",
        "TransportPlaySpeed": "string",
        "A_ARG_TYPE_InstanceID": "ui4",
        "A_ARG_TYPE_SeekMode": "string",
        "A_ARG_TYPE_SeekTarget": "string",
        "LastChange": "string",
    },
    "RenderingControl": {
        "Volume": "ui2",
        "Mute": "boolean",
        "A_ARG_TYPE_Channel": "string",
        "InstanceID": "ui4",
    },
    "ConnectionManager": {"SourceProtocolInfo": "string", "SinkProtocolInfo": "string"},
}
ACTIONS: dict[str, dict[str, tuple[tuple[str, str, str], ...]]] = {
    "AVTransport": {
        "SetAVTransportURI": (
            ("InstanceID", "in", "A_ARG_TYPE_InstanceID"),
            ("CurrentURI", "in", "AVTransportURI"),
            ("CurrentURIMetaData", "in", "AVTransportURIMetaData"),
        ),
        "Play": (("InstanceID", "in", "A_ARG_TYPE_InstanceID"), ("Speed", "in", "TransportPlaySpeed")),
        "Pause": (("InstanceID", "in", "A_ARG_TYPE_InstanceID"),),
        "Stop": (("InstanceID", "in", "A_ARG_TYPE_InstanceID"),),
        "Seek": (
            ("InstanceID", "in", "A_ARG_TYPE_InstanceID"),
            ("Unit", "in", "A_ARG_TYPE_SeekMode"),
            ("Target", "in", "A_ARG_TYPE_SeekTarget"),
        ),
        "GetTransportInfo": (
            ("InstanceID", "in", "A_ARG_TYPE_InstanceID"),
            ("CurrentTransportState", "out", "TransportState"),
            ("CurrentTransportStatus", "out", "TransportStatus"),
            ("CurrentSpeed", "out", "TransportPlaySpeed"),
        ),
        "GetPositionInfo": (
            ("InstanceID", "in", "A_ARG_TYPE_InstanceID"),
            ("TrackURI", "out", "CurrentTrackURI"),
            ("TrackDuration", "out", "CurrentTrackDuration"),
            ("RelTime", "out", "RelativeTimePosition"),
        ),
    },
    "RenderingControl": {
        "GetVolume": (
            ("InstanceID", "in", "InstanceID"),
            ("Channel", "in", "A_ARG_TYPE_Channel"),
            ("CurrentVolume", "out", "Volume"),
        ),
    },
    "ConnectionManager": {
        "GetProtocolInfo": (("Source", "out", "SourceProtocolInfo"), ("Sink", "out", "SinkProtocolInfo")),
    },
}


@dataclass
class FakeRenderer:
    """Set the flags before `start`. `calls` are the actions in order, with their bodies in `bodies`."""

    refuse_events: bool = False
    refuse_metadata: bool = False
    seeks_refused: int = 0
    seeks_ignored: int = 0
    """Accepted, and not done: gmediarender just after PLAYING."""
    pauses_refused: int = 0
    odd: dict[str, str] = field(default_factory=dict)
    """By the name of an argument: what it says instead."""
    raw: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By the name of an action: status and body that are no SOAP."""
    slow: float = 0
    """Seconds before each answer to an action."""
    description: str | None = None
    """Instead of its own."""
    redirect_to: str | None = None
    control_host: str = ""
    """Before the control URLs: a foreign host."""
    sink: str = "http-get:*:video/mp4:*,http-get:*:audio/mpeg:*"
    calls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    state: str = "NO_MEDIA_PRESENT"
    uri: str = ""
    position: int = 0

    async def start(self, address: str = "127.0.0.1") -> str:
        """Its LOCATION."""
        app = web.Application()
        app.router.add_get("/smp_15_", self._description)
        app.router.add_get("/{service}.xml", self._scpd)
        app.router.add_post("/control/{service}", self._control)
        app.router.add_route("SUBSCRIBE", "/event/{service}", self._subscribe)
        app.router.add_route("UNSUBSCRIBE", "/event/{service}", self._unsubscribe)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, 0).start()
        return f"http://{address}:{self._runner.addresses[0][1]}/smp_15_"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _description(self, request: web.Request) -> web.Response:
        if self.redirect_to:
            raise web.HTTPFound(self.redirect_to)
        if self.description is not None:
            return web.Response(text=self.description, content_type="text/xml")
        services = "".join(
            f"<service><serviceType>urn:schemas-upnp-org:service:{name}:1</serviceType>"
            f"<serviceId>urn:upnp-org:serviceId:{name}</serviceId><SCPDURL>/{name}.xml</SCPDURL>"
            f"<controlURL>{self.control_host}/control/{name}</controlURL>"
            f"<eventSubURL>/event/{name}</eventSubURL></service>"
            for name in SERVICES
        )
        return web.Response(
            content_type="text/xml",
            text='<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
            "<deviceType>urn:schemas-upnp-org:device:MediaRenderer:1</deviceType>"
            "<friendlyName>[TV]UE40D7000</friendlyName><manufacturer>Samsung Electronics</manufacturer>"
            f"<modelName>UE40D7000</modelName><UDN>{UDN}</UDN>"
            f"<serviceList>{services}</serviceList></device></root>",
        )

    async def _scpd(self, request: web.Request) -> web.Response:
        name = request.match_info["service"]
        actions = "".join(
            f"<action><name>{action}</name><argumentList>"
            + "".join(
                f"<argument><name>{n}</name><direction>{d}</direction>"
                f"<relatedStateVariable>{v}</relatedStateVariable></argument>"
                for n, d, v in arguments
            )
            + "</argumentList></action>"
            for action, arguments in ACTIONS[name].items()
        )
        variables = "".join(
            f'<stateVariable sendEvents="no"><name>{n}</name><dataType>{t}</dataType></stateVariable>'
            for n, t in VARIABLES[name].items()
        )
        return web.Response(
            content_type="text/xml",
            text='<scpd xmlns="urn:schemas-upnp-org:service-1-0">'
            "<specVersion><major>1</major><minor>0</minor></specVersion>"
            f"<actionList>{actions}</actionList>"
            f"<serviceStateTable>{variables}</serviceStateTable></scpd>",
        )

    async def _control(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.slow)
        service = request.match_info["service"]
        action = request.headers["SOAPACTION"].strip('"').partition("#")[2]
        body = await request.text()
        if not action.startswith("Get"):
            self.calls.append(action)
            self.bodies.append(body)
        if action in self.raw:
            status, text = self.raw[action]
            return web.Response(status=status, text=text, content_type="text/xml")
        handler: Callable[[str], Awaitable[dict[str, str] | int]] = getattr(self, f"_{action.lower()}")
        answer = await handler(body)
        if isinstance(answer, int):
            return web.Response(
                status=500,
                content_type="text/xml",
                text='<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
                "<faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
                f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{answer}</errorCode>'
                "<errorDescription>Transition not available</errorDescription></UPnPError></detail>"
                "</s:Fault></s:Body></s:Envelope>",
            )
        out = "".join(f"<{name}>{escape(self.odd.get(name, v))}</{name}>" for name, v in answer.items())
        kind = f"urn:schemas-upnp-org:service:{service}:1"
        return web.Response(
            content_type="text/xml",
            text='<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<u:{action}Response xmlns:u="{kind}">{out}</u:{action}Response></s:Body></s:Envelope>',
        )

    async def _setavtransporturi(self, body: str) -> dict[str, str] | int:
        if self.refuse_metadata and "DIDL-Lite" in body:
            return 402
        self.uri = body.partition("<CurrentURI>")[2].partition("</CurrentURI>")[0]
        self.state = "STOPPED"
        return {}

    async def _play(self, body: str) -> dict[str, str] | int:
        self.state = "PLAYING"
        return {}

    async def _pause(self, body: str) -> dict[str, str] | int:
        if self.pauses_refused:
            self.pauses_refused -= 1
            return 701
        self.state = "PAUSED_PLAYBACK"
        return {}

    async def _stop(self, body: str) -> dict[str, str] | int:
        self.state = "STOPPED"
        return {}

    async def _seek(self, body: str) -> dict[str, str] | int:
        if self.seeks_refused:
            self.seeks_refused -= 1
            return 701
        if self.seeks_ignored:
            self.seeks_ignored -= 1
            return {}
        hours, minutes, seconds = body.partition("<Target>")[2].partition("</Target>")[0].split(":")
        self.position = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
        return {}

    async def _gettransportinfo(self, body: str) -> dict[str, str] | int:
        return {
            "CurrentTransportState": self.state,
            "CurrentTransportStatus": "OK",
            "CurrentSpeed": "1",
        }

    async def _getpositioninfo(self, body: str) -> dict[str, str] | int:
        seconds = self.position
        return {
            "TrackURI": self.uri,
            "TrackDuration": "0:10:00",
            "RelTime": f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
        }

    async def _getvolume(self, body: str) -> dict[str, str] | int:
        return {"CurrentVolume": "20"}

    async def _getprotocolinfo(self, body: str) -> dict[str, str] | int:
        return {"Source": "", "Sink": self.sink}

    async def _subscribe(self, request: web.Request) -> web.Response:
        if self.refuse_events:
            return web.Response(status=501)
        return web.Response(headers={"SID": f"uuid:{id(request)}", "TIMEOUT": "Second-300"})

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        return web.Response()
