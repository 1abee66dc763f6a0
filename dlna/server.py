"""The media server on the wire: HTTP on one port, SSDP, events. Everything it shows comes from a Catalog.

aiohttp keeps header names as they are written and sends reason phrases, which old TVs are picky about.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import lru_cache

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dlna import eventing, soap
from dlna.answers import Answers
from dlna.catalog import Away, Catalog, Changed, Viewer
from dlna.clients.recognise import Recogniser
from dlna.connection_manager import Connections
from dlna.content_directory import ContentDirectory
from dlna.description import description
from dlna.device import Device
from dlna.errors import UpnpError
from dlna.eventing import Publisher
from dlna.gate import SWEEP_SECONDS, Crowd, Entered, Turned, enter
from dlna.icons import ICONS, draw
from dlna.interface_watch import InterfaceWatch
from dlna.media_receiver_registrar import MediaReceiverRegistrar
from dlna.ssdp import Rhythm, Ssdp
from dlna.transfers import Transfers

log = logging.getLogger(__name__)
http_log = log.getChild("http")

XML = 'text/xml; charset="utf-8"'
BODY_TIMEOUT = 10.0
"""Seconds in which a SOAP body has to arrive."""
KEEP_ALIVE = 30.0
LINGERING = 1.0
"""Seconds in which the rest of a body that nobody reads may still arrive before the connection is closed."""
MEDIA = "/m/{token}/{name}"
ENTERED = web.RequestKey("entered", Entered)

Service = ContentDirectory | Connections | MediaReceiverRegistrar
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MediaServer:
    """`start()` listens and announces, `stop()` says byebye and ends within a second or two.

    `routes` are others' on the same listener: the events that renderers send to casting. `table`: (method,
    rule) of what may be served at all; None: everything that is there.
    """

    def __init__(
        self,
        device: Device,
        catalog: Catalog,
        port: int,
        named_interfaces: Sequence[str] | None = None,
        routes: Sequence[web.RouteDef] = (),
        boot_id: int | None = None,
        rhythm: Rhythm | None = None,
        table: Collection[tuple[str, str]] | None = None,
    ) -> None:
        self._device, self._catalog, self._wanted_port = device, catalog, port
        self._more_routes, self._table = routes, table
        self.recogniser = Recogniser()
        self._services: dict[str, Service] = {
            "ContentDirectory": ContentDirectory(catalog),
            "ConnectionManager": Connections(),
            "X_MS_MediaReceiverRegistrar": MediaReceiverRegistrar(),
        }
        self._publishers = {name: Publisher(one.evented) for name, one in self._services.items()}
        self._answers = Answers()
        self._crowd = Crowd()
        self._transfers = Transfers(catalog)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._socket: socket.socket | None = None
        self.ssdp: Ssdp | None = None
        self.watch = InterfaceWatch(named_interfaces, self._interfaces_changed)
        self._enter = lru_cache(256)(self._ask_the_gate)
        self._changed = Changed()
        self._boot_id, self._rhythm = boot_id, rhythm

    @property
    def port(self) -> int:
        """The port that is listened on. Only after `start()`."""
        assert self._socket
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            sock.bind(("0.0.0.0", self._wanted_port))  # noqa: S104 - the gate decides, interfaces come and go
        except OSError:
            sock.close()
            raise
        self._socket = sock
        self._runner = web.AppRunner(
            self._app(),
            access_log=None,
            logger=http_log,
            lingering_time=LINGERING,
            keepalive_timeout=KEEP_ALIVE,
            max_line_size=4096,
            max_field_size=8190,
            handler_cancellation=True,
            shutdown_timeout=1.0,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, sock, backlog=128).start()
        self.ssdp = Ssdp(self._device, self.port, boot_id=self._boot_id, rhythm=self._rhythm)
        try:
            self.ssdp.start()
        except OSError as error:
            # Another program holds 1900 for itself: TVs that know us still come by address.
            log.error("SSDP cannot listen on port 1900, TVs will not find us: %s", error)
            self.ssdp = None
        self.watch.start()
        self._tasks.append(asyncio.create_task(self._sweep()))

    async def stop(self) -> None:
        self.watch.stop()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        if self.ssdp:
            await self.ssdp.stop()
        for publisher in self._publishers.values():
            await publisher.stop()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def content_changed(self, containers: Mapping[str, int]) -> None:
        """The library is another: container id → its new update id. Subscribers hear of it soon."""
        publisher = self._publishers["ContentDirectory"]
        if publisher.pending("ContainerUpdateIDs") is None:
            self._changed = Changed()
        self._changed.containers.update(containers)
        publisher.changed(
            {
                "SystemUpdateID": str(self._catalog.system_update_id),
                "ContainerUpdateIDs": ",".join(
                    f"{container},{update}" for container, update in self._changed.containers.items()
                ),
            }
        )

    @property
    def subscribers(self) -> int:
        return sum(len(publisher) for publisher in self._publishers.values())

    def _interfaces_changed(self, now: Sequence[object]) -> None:
        self._enter.cache_clear()
        if self.ssdp:
            self.ssdp.interfaces(self.watch.current)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if self._runner and self._runner.server:
                self._crowd.sweep(self._runner.server.connections)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate], client_max_size=soap.LARGEST_CALL)
        app.router.add_get("/description.xml", self._description)
        app.router.add_get("/scpd/{service}.xml", self._scpd)
        app.router.add_get("/icons/{name}", self._icon)
        app.router.add_post("/control/{service}", self._control)
        app.router.add_route("SUBSCRIBE", "/events/{service}", self._subscribe)
        app.router.add_route("UNSUBSCRIBE", "/events/{service}", self._unsubscribe)
        app.router.add_get(MEDIA, self._media)
        app.router.add_route("OPTIONS", MEDIA, self._media)
        app.add_routes(self._more_routes)
        app.on_response_prepare.append(self._stamp)
        return app

    async def _stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = self._device.server

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._crowd.spoke(request)
        transport = request.transport
        if transport is None:
            raise web.HTTPBadRequest
        try:
            request[ENTERED] = self._enter(
                transport.get_extra_info("peername")[0],
                transport.get_extra_info("sockname")[:2],
                request.headers.get("Host"),
                request.version,
            )
            if "Origin" in request.headers and not request.path.startswith("/m/"):
                raise Turned(403, "not for web pages")
            if not self._in_table(request):
                raise web.HTTPNotFound
            return await handler(request)
        except Turned as turned:
            return web.Response(status=turned.status, text=turned.why + "\n")
        except web.HTTPException as error:
            return web.Response(status=error.status, reason=error.reason, headers=_allow(error))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("%s %s", request.method, request.match_info.route.resource)
            return web.Response(status=500)

    def _ask_the_gate(
        self, peer: str, local: tuple[str, int], host: str | None, version: tuple[int, int]
    ) -> Entered:
        """What it says holds as long as the interfaces do; a TV that scrolls asks hundreds of times."""
        return enter(peer, local, host, version, self.watch.current)

    def _in_table(self, request: web.Request) -> bool:
        resource = request.match_info.route.resource
        if self._table is None or resource is None:
            return True
        method = "GET" if request.method == "HEAD" else request.method
        return (method, resource.canonical) in self._table

    def _viewer(self, request: web.Request) -> Viewer:
        entered = request[ENTERED]
        headers = request.headers
        client = self.recogniser.client(entered.peer, headers)
        return Viewer(
            address=entered.peer,
            interface=entered.interface,
            client=client,
            user_agent=headers.get("user-agent", ""),
            name=headers.get("friendlyname.dlna.org", "") or headers.get("dlnadevicename.lge.com", ""),
            host=entered.host,
        )

    async def _media(self, request: web.Request) -> web.StreamResponse:
        return await self._transfers.answer(request, self._viewer(request))

    async def _description(self, request: web.Request) -> web.StreamResponse:
        return _xml(description(self._device, self._viewer(request).client))

    def _service(self, request: web.Request) -> tuple[Service, Publisher]:
        name = request.match_info["service"]
        if name not in self._services:
            raise web.HTTPNotFound
        return self._services[name], self._publishers[name]

    async def _scpd(self, request: web.Request) -> web.StreamResponse:
        return _xml(self._service(request)[0].scpd.document)

    async def _icon(self, request: web.Request) -> web.StreamResponse:
        icon = next((i for i in ICONS if i.path == request.path), None)
        if icon is None:
            raise web.HTTPNotFound
        return web.Response(body=draw(icon), headers={"Content-Type": icon.mime_type})

    async def _control(self, request: web.Request) -> web.StreamResponse:
        service, _ = self._service(request)
        soapaction = request.headers.get("SOAPACTION")
        if soapaction is None:
            return web.Response(status=400, text="SOAPACTION is missing\n")
        if request.content_type not in ("text/xml", "application/xml", "application/soap+xml"):
            return web.Response(status=415, text="a call is text/xml\n")
        try:
            body = await _body(request)
        except TimeoutError:
            return web.Response(status=408)
        viewer = self._viewer(request)
        try:
            answer = await self._answer(service, viewer, body, soapaction)
            return _xml(soap.for_plain_readers(answer, viewer.client))
        except UpnpError as error:
            return _xml(soap.fault(error), status=500)
        except Away:
            return _xml(soap.fault(UpnpError(720, "the disk is away")), status=500)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("%s of %s", soapaction[:80], viewer.address)
            return _xml(soap.fault(UpnpError(501)), status=500)

    async def _answer(self, service: Service, viewer: Viewer, body: bytes, soapaction: str) -> bytes:
        call = (viewer.address, viewer.client.family, viewer.host, soapaction, body)
        version = await self._catalog.version(viewer)
        if version is not None and (kept := self._answers.get(call, version)) is not None:
            await self._catalog.seen(viewer)
            return kept
        made = await self._call(service, viewer, body, soapaction)
        if version is not None and soapaction.strip(' "').endswith(("#Browse", "#Search")):
            self._answers.put(call, version, made)
        return made

    async def _call(self, service: Service, viewer: Viewer, body: bytes, soapaction: str) -> bytes:
        call = soap.read_call(body, soapaction)
        action = service.scpd.actions.get(call.action)
        if action is None or call.service.lower() != service.service_type.lower():
            raise UpnpError(401, f"{call.service[:80]}#{call.action}")
        arguments = dict(call.arguments)
        if call.action == "Browse" and "ContainerID" in arguments:
            # Xbox 360 names the object so in Browse.
            arguments.setdefault("ObjectID", arguments.pop("ContainerID"))
        checked = action.check(arguments)
        await self._catalog.seen(viewer)
        values = await service.actions[call.action](viewer, checked)
        return soap.answer(
            service.service_type, call.action, [(name, values[name]) for name in action.outputs]
        )

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        _, publisher = self._service(request)
        entered = request[ENTERED]
        sid, callback = request.headers.get("SID"), request.headers.get("CALLBACK")
        seconds = eventing.lease(request.headers.get("TIMEOUT"))
        try:
            if sid is not None:
                if callback is not None or "NT" in request.headers:
                    raise eventing.Refused(400, "SID together with NT or CALLBACK")
                return _subscribed(publisher.renew(entered.peer, sid, seconds).sid, seconds)
            if request.headers.get("NT", "").strip() != "upnp:event" or callback is None:
                raise eventing.Refused(412, "NT is not upnp:event, or CALLBACK is missing")
            own = frozenset(str(i.address) for i in self.watch.current)
            urls = eventing.callbacks_of(callback, entered.peer, own)
            one = publisher.subscribe(entered.peer, urls, seconds)
        except eventing.Refused as refused:
            return web.Response(status=refused.status, text=refused.why + "\n")
        await self._catalog.seen(self._viewer(request))
        response = _subscribed(one.sid, seconds)
        await response.prepare(request)
        await response.write_eof()
        publisher.begin(one)
        return response

    async def _unsubscribe(self, request: web.Request) -> web.StreamResponse:
        _, publisher = self._service(request)
        entered = request[ENTERED]
        try:
            if "NT" in request.headers or "CALLBACK" in request.headers:
                raise eventing.Refused(400, "SID together with NT or CALLBACK")
            publisher.unsubscribe(entered.peer, request.headers.get("SID", ""))
        except eventing.Refused as refused:
            return web.Response(status=refused.status, text=refused.why + "\n")
        return web.Response(status=200)


async def _body(request: web.Request) -> bytes:
    """Raises TimeoutError. Most calls come with their head, and nothing has to be waited for."""
    if request.content.is_eof():
        return await request.read()
    async with asyncio.timeout(BODY_TIMEOUT):
        return await request.read()


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP is the peer's fault: it was answered 400, and must not fill the log with tracebacks."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


http_log.addFilter(_is_ours)


def _xml(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body, headers={"Content-Type": XML, "EXT": ""})


def _subscribed(sid: str, seconds: int) -> web.Response:
    return web.Response(headers={"SID": sid, "TIMEOUT": f"Second-{seconds}", "Content-Length": "0"})


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
