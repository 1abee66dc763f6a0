"""One renderer: connect, play on it, and know how it stands.

State comes by events where the renderer sends them and by polling where it does not; the position is never
evented (AVTransport:1 §2.3.1), so it is polled in any case while something plays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from async_upnp_client.client import UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpActionResponseError, UpnpContentError, UpnpError
from async_upnp_client.profiles.dlna import DmrDevice, TransportState

from dlna.casting.didl import clock, didl
from dlna.casting.events import Events
from dlna.casting.foreign import ForeignUrl, OneDevice, own_url
from dlna.casting.formats import sink_types
from dlna.casting.playback import Away, BrokenDescription, Media, Playback, PlayerError, Refused, Transport

log = logging.getLogger(__name__)

CONNECT_PATIENCE = 20.0
"""Seconds for description and SCPDs together; a Samsung from standby needs eight."""
ACTION_PATIENCE = 30.0
"""UDA 1.1 §3.2.2"""
ACTIVE_EVERY, IDLE_EVERY = 1.0, 8.0
"""Seconds between polls while something is loaded, and else."""
SHORTEST_BREAK = 0.2
LOST_AFTER = 3
"""Polls in a row without an answer."""
SEEKS = 3
"""How often a renderer is asked that accepts a seek and stays where it was."""
LOOKS_AFTER_SEEK = 10
"""At its position, each SHORTEST_BREAK; while it buffers each BUFFERING_BREAK."""
BUFFERING_BREAK = 0.8
STARTS_WITHIN = 15.0
"""Seconds from Play to PLAYING on a slow TV with a big file; then a seek is tried anyway."""

_TRANSPORTS = {
    TransportState.PLAYING: Transport.PLAYING,
    TransportState.RECORDING: Transport.PLAYING,
    TransportState.PAUSED_PLAYBACK: Transport.PAUSED,
    TransportState.PAUSED_RECORDING: Transport.PAUSED,
    TransportState.TRANSITIONING: Transport.BUFFERING,
    TransportState.VENDOR_DEFINED: Transport.BUFFERING,
}


class Renderer:
    """Made by `connect`. `on_change` is called with each new state, `on_lost` once when it falls silent."""

    def __init__(self, device: DmrDevice, events: Events, word: str) -> None:
        self._dmr, self._events, self._word = device, events, word
        self._watching: asyncio.Task[None] | None = None
        self._poke = asyncio.Event()
        self._loading = self._polling = False
        self._error: str | None = None
        self._loaded_at = datetime.min.replace(tzinfo=UTC)
        self._last = Playback()
        self.on_change: Callable[[Playback], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None
        self._dmr.on_event = self._on_event

    @classmethod
    async def connect(
        cls,
        session: aiohttp.ClientSession,
        events: Events,
        *,
        location: str,
        address: str,
        udn: str,
        our_origin: str,
    ) -> Renderer:
        """Reads the description, subscribes where it may, and begins to watch.

        `our_origin`: `http://10.0.0.5:8200`, where the renderer reaches us.
        Raises BrokenDescription, Away.
        """
        requester = OneDevice(session, address)
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                device = await UpnpFactory(requester, non_strict=True).async_create_device(location)
                if not DmrDevice.is_profile_device(device):
                    raise BrokenDescription(f"{address} is no MediaRenderer with its three services")
                word, handler = events.open(requester, address, our_origin)
                dmr = DmrDevice(device, handler)
                if dmr.udn.lower() != udn.lower():
                    events.close(word)
                    raise BrokenDescription(f"{address} announced {udn} and describes {dmr.udn}")
        except TimeoutError as error:
            raise Away(f"{address} did not answer in {CONNECT_PATIENCE:g} s") from error
        except (ForeignUrl, ValueError, SyntaxError, KeyError, TypeError, RecursionError) as error:
            raise BrokenDescription(f"{address}: {error}") from error
        except UpnpError as error:
            raise _in_our_words("The description", error) from error
        renderer = cls(dmr, events, word)
        with contextlib.suppress(UpnpError, TimeoutError):
            # Refused, or no eventing at all: polling does it alone.
            await dmr.async_subscribe_services(auto_resubscribe=True)
        await renderer._look()
        renderer._watching = asyncio.create_task(renderer._watch(), name=f"watch {address}")
        return renderer

    @property
    def name(self) -> str:
        return self._dmr.name

    @property
    def maker_and_model(self) -> tuple[str, str]:
        return (self._dmr.manufacturer or "", self._dmr.model_name or "")

    @property
    def model_description(self) -> str:
        return self._dmr.model_description or ""

    @property
    def has_events(self) -> bool:
        return self._dmr.is_subscribed

    @property
    def sink(self) -> frozenset[str]:
        """MIME types that it says it takes; empty: it does not say."""
        return sink_types(self._dmr.sink_protocol_info)

    @property
    def icon_url(self) -> str | None:
        """Its biggest icon, if that is its own."""
        try:
            return own_url(self._dmr.icon, self._address) if self._dmr.icon else None
        except ForeignUrl:
            return None

    @property
    def _address(self) -> str:
        requester = self._dmr.device.requester
        assert isinstance(requester, OneDevice)
        return requester.sender

    @property
    def playback(self) -> Playback:
        dmr = self._dmr
        state = dmr.transport_state
        transport = _TRANSPORTS.get(state, Transport.IDLE) if state else Transport.IDLE
        if self._loading and transport is Transport.IDLE:
            transport = Transport.BUFFERING
        # Until it is asked again, its position is that of the thing before.
        asked_at = dmr.media_position_updated_at
        stale = transport is Transport.IDLE or asked_at is None or asked_at < self._loaded_at
        return Playback(
            transport=transport,
            url=dmr.current_track_uri or dmr.av_transport_uri,
            position=None if stale else dmr.media_position,
            duration=None if stale else dmr.media_duration or None,
            volume=None if dmr.volume_level is None else min(max(dmr.volume_level, 0.0), 1.0),
            muted=dmr.is_volume_muted,
            can_pause=dmr.can_pause,
            can_seek=dmr.has_seek_rel_time or dmr.has_seek_abs_time,
            error=self._error,
        )

    async def load(self, media: Media, position: float = 0) -> None:
        """Play `media` from `position` (seconds); returns when it plays. Raises Refused, Away."""
        self._loading, self._error, self._loaded_at = True, None, datetime.max.replace(tzinfo=UTC)
        self._report()
        try:
            if self._dmr.transport_state in (TransportState.PLAYING, TransportState.PAUSED_PLAYBACK):
                with contextlib.suppress(PlayerError):
                    await self.stop()
            await self._set_uri("SetAVTransportURI", "Current", media)
            # A TV that has not yet looked at the URL answers Play with 701; it offers Play when it has.
            with contextlib.suppress(UpnpError, TimeoutError):
                await self._dmr.async_wait_for_can_play(8)
            await self._transport("Play", Speed="1")
            if media.kind != "image" and position >= 1:
                await self._until_playing()
                await self._go_to(position, 0)
        except PlayerError as error:
            self._error = str(error)
            raise
        finally:
            self._loading, self._loaded_at = False, datetime.now(UTC)
            self._poke.set()

    async def load_next(self, media: Media) -> bool:
        """Tell what comes after, for renderers that can go on without a gap. False: this one cannot."""
        if not self._dmr.has_next_transport_uri:
            return False
        try:
            await self._set_uri("SetNextAVTransportURI", "Next", media)
        except PlayerError:
            return False
        return True

    async def play(self) -> None:
        await self._transport("Play", Speed="1")

    async def pause(self) -> None:
        """Tried again for a while: gmediarender answers 701 until it plays."""
        await self._patiently("Pause")

    async def stop(self) -> None:
        await self._transport("Stop")

    async def seek(self, position: float) -> None:
        """To `position` seconds. Tried again for a while: many answer 701, 710 or 711 until they play."""
        await self._go_to(position, self.playback.position or 0)

    async def set_volume(self, volume: float) -> None:
        """0..1"""
        await self._ask("SetVolume", self._dmr.async_set_volume_level(min(max(volume, 0.0), 1.0)))

    async def set_muted(self, muted: bool) -> None:
        await self._ask("SetMute", self._dmr.async_mute_volume(muted))

    async def close(self) -> None:
        """Unsubscribe and forget; what plays goes on."""
        if self._watching:
            self._watching.cancel()
        with contextlib.suppress(UpnpError, TimeoutError):
            async with asyncio.timeout(2):
                await self._dmr.async_unsubscribe_services()
        self._events.close(self._word)

    async def _set_uri(self, action: str, prefix: str, media: Media) -> None:
        arguments = {f"{prefix}URI": media.url, f"{prefix}URIMetaData": didl(media)}
        try:
            await self._transport(action, **arguments)
        except Refused:
            # Some small speakers choke on metadata, whatever it is.
            await self._transport(action, **arguments | {f"{prefix}URIMetaData": ""})

    async def _until_playing(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STARTS_WITHIN):
                while self._dmr.transport_state is not TransportState.PLAYING:
                    await asyncio.sleep(0.2)
                    await self._look()

    async def _go_to(self, position: float, before: float) -> None:
        """Seek from `before`, and again where it stays: gmediarender says PLAYING before it can seek, and
        accepts a seek then without doing it."""
        unit = "REL_TIME" if self._dmr.has_seek_rel_time or not self._dmr.has_seek_abs_time else "ABS_TIME"
        target = clock(position).split(".")[0]
        for _ in range(SEEKS):
            await self._patiently("Seek", Unit=unit, Target=target)
            if await self._arrives(position, before):
                return
        log.info("%s was asked to go to %s, and did not", self.name, target)

    async def _arrives(self, position: float, before: float) -> bool:
        """Whether it is soon nearer to `position` than to `before`; True where it tells no position."""
        for _ in range(LOOKS_AFTER_SEEK):
            await self._look()
            now = self._dmr.media_position
            if now is None or abs(now - position) <= abs(now - before):
                return True
            buffers = self._dmr.transport_state is TransportState.TRANSITIONING
            await asyncio.sleep(BUFFERING_BREAK if buffers else SHORTEST_BREAK)
        return False

    async def _patiently(self, action: str, **arguments: Any) -> None:
        for attempt in range(4):
            try:
                await self._transport(action, **arguments)
                return
            except Refused:
                if attempt == 3:
                    raise
                await asyncio.sleep(0.5 * (attempt + 1))

    async def _transport(self, action: str, **arguments: Any) -> None:
        service = self._av_transport()
        if not service.has_action(action):
            raise Refused(action, 401, "it has no such action")
        call = service.action(action).async_call(InstanceID=0, request_timeout=ACTION_PATIENCE, **arguments)
        await self._ask(action, call)

    async def _ask(self, action: str, call: Any) -> None:
        try:
            await call
        except UpnpError as error:
            raise _in_our_words(action, error) from error
        except ValueError as error:
            raise Refused(action, None, str(error)[:200]) from error
        finally:
            self._poke.set()

    def _av_transport(self) -> UpnpService:
        return next(s for s in self._dmr.profile_device.all_services if ":AVTransport:" in s.service_type)

    async def _watch(self) -> None:
        silent = 0
        while True:
            active = self._loading or self.playback.transport is not Transport.IDLE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poke.wait(), ACTIVE_EVERY if active else IDLE_EVERY)
            self._poke.clear()
            silent = 0 if await self._look() else silent + 1
            if silent >= LOST_AFTER:
                self.on_lost()
                return
            self._report()
            await asyncio.sleep(SHORTEST_BREAK)

    async def _look(self) -> bool:
        """Ask how it stands; whether it answered. Odd values are an answer, and the others still count."""
        self._polling = True
        try:
            await self._dmr.async_update(do_ping=True)
        except (UpnpContentError, ValueError) as error:
            log.debug("%s: an odd answer to a poll: %s", self.name, error)
        except (UpnpError, TimeoutError) as error:
            log.debug("%s: no answer to a poll: %s", self.name, error)
            return False
        finally:
            self._polling = False
        return True

    def _on_event(self, service: UpnpService, changed: object) -> None:
        if ":AVTransport:" in service.service_type and not self._polling:
            self._poke.set()  # the position goes with it, and is not in the event
        self._report()

    def _report(self) -> None:
        now = self.playback
        if now != self._last:
            self._last = now
            self.on_change(now)


def _in_our_words(action: str, error: UpnpError) -> PlayerError:
    if isinstance(error, UpnpActionResponseError):
        return Refused(action, error.error_code, error.error_desc or "no reason given")
    if isinstance(error, ForeignUrl):
        return BrokenDescription(str(error))
    if isinstance(error, (OSError, TimeoutError, aiohttp.ClientConnectionError)):
        return Away(f"{action}: {error}")
    return Refused(action, getattr(error, "status", None), str(error)[:200])
