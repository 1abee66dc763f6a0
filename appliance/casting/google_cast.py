"""Google Cast devices: found by mDNS, driven by pychromecast.

The library has a thread for each device and calls back from it. Here its blocking calls run in threads and
its callbacks come into the loop, so that nobody else meets a thread. Its own discovery is not used: it asks
each device over HTTP and resolves in threads; ours takes what mDNS says and checks that it is on the link.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pychromecast
from pychromecast.const import CAST_TYPE_CHROMECAST, CAST_TYPE_GROUP, CAST_TYPES
from pychromecast.controllers.media import MediaStatus, MediaStatusListener
from pychromecast.controllers.receiver import CastStatus, CastStatusListener
from pychromecast.error import PyChromecastError
from pychromecast.models import CastInfo, HostServiceInfo
from pychromecast.response_handler import WaitResponse
from pychromecast.socket_client import ConnectionStatus, ConnectionStatusListener
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from appliance.casting.media import CAST_AUDIO_SINK, CAST_SINK
from appliance.casting.player import clean_name
from dlna.casting.playback import Away, Media, Playback, PlayerError, Refused, Transport
from dlna.interfaces import Interface, facing

log = logging.getLogger(__name__)

SERVICE = "_googlecast._tcp.local."
RESOLVE_PATIENCE = 3_000
"""Milliseconds for the answer to who it is and where."""
CONNECT_PATIENCE = 15.0
LOAD_PATIENCE = 30.0
"""Seconds from LOAD to its answer: the receiver app is launched first, and then opens the film."""
ACTION_PATIENCE = 10.0
MEDIA_NAMESPACE = "urn:x-cast:com.google.cast.media"
DEVICE_PORT = 8009
"""Groups of speakers listen elsewhere."""

_TRANSPORTS = {
    "PLAYING": Transport.PLAYING,
    "BUFFERING": Transport.BUFFERING,
    "LOADING": Transport.BUFFERING,
    "PAUSED": Transport.PAUSED,
}
_METADATA = {"video": 1, "audio": 3, "image": 4}
"""metadataType: movie, music track, photo (Google Cast media messages)."""


@dataclass(frozen=True)
class CastFound:
    """What mDNS says of one device."""

    uuid: UUID
    name: str
    model: str
    address: str
    port: int

    @property
    def has_screen(self) -> bool:
        return self.cast_type == CAST_TYPE_CHROMECAST

    @property
    def cast_type(self) -> str:
        if self.port != DEVICE_PORT and self.model.lower() == "google cast group":
            return CAST_TYPE_GROUP
        return CAST_TYPES.get(self.model.lower(), (CAST_TYPE_CHROMECAST, None))[0]

    @property
    def sink(self) -> frozenset[str]:
        return CAST_SINK if self.has_screen else CAST_AUDIO_SINK


class CastDiscovery:
    """Tells of devices that come and go. `mdns` is shared with whoever else speaks mDNS here."""

    def __init__(
        self,
        mdns: AsyncZeroconf,
        interfaces: Callable[[], Sequence[Interface]],
        on_found: Callable[[CastFound], None],
        on_gone: Callable[[UUID], None],
    ) -> None:
        self._mdns, self._interfaces = mdns, interfaces
        self._on_found, self._on_gone = on_found, on_gone
        self._by_name: dict[str, UUID] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._browser: AsyncServiceBrowser | None = None

    async def start(self) -> None:
        self._browser = AsyncServiceBrowser(self._mdns.zeroconf, SERVICE, handlers=[self._changed])

    async def stop(self) -> None:
        if self._browser:
            await self._browser.async_cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look_again(self) -> None:
        """Tell anew of those that mDNS knows."""
        for name in tuple(self._by_name):
            await self._resolve(self._mdns.zeroconf, name)

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            if uuid := self._by_name.pop(name, None):
                self._on_gone(uuid)
            return
        task = asyncio.create_task(self._resolve(zeroconf, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _resolve(self, zeroconf: Zeroconf, name: str) -> None:
        told = AsyncServiceInfo(SERVICE, name)
        if not await told.async_request(zeroconf, RESOLVE_PATIENCE) or not told.port:
            return
        near = self._interfaces()
        addresses = [a for a in told.parsed_addresses(IPVersion.V4Only) if facing(a, near)]
        texts = {
            key.decode("utf-8", "replace"): (value or b"").decode("utf-8", "replace")
            for key, value in told.properties.items()
        }
        try:
            uuid = UUID(texts.get("id", ""))
        except ValueError:
            return  # some emulators send what is no UUID
        if not addresses:
            log.debug("Cast device %s names no address on our links", name[:80])
            return
        model = clean_name(texts.get("md", ""), "Cast device")
        found = CastFound(uuid, clean_name(texts.get("fn", ""), model), model, addresses[0], told.port)
        self._by_name[name] = uuid
        self._on_found(found)


class CastDevice(MediaStatusListener, CastStatusListener, ConnectionStatusListener):
    """One connected device; made by `connect`. A `casting.player.Connection`."""

    def __init__(self, cast: pychromecast.Chromecast) -> None:
        self._cast = cast
        self._loop = asyncio.get_running_loop()
        self._media = MediaStatus()
        self._volume: tuple[float | None, bool | None] = (None, None)
        self._loading = False
        self._error: str | None = None
        self._last = Playback()
        self._closed = False
        self.on_change: Callable[[Playback], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None

    @classmethod
    async def connect(cls, found: CastFound) -> CastDevice:
        """Raises Away."""
        place = HostServiceInfo(found.address, found.port)
        told = CastInfo(
            {place}, found.uuid, found.model, found.name, found.address, found.port, found.cast_type, None
        )
        cast = pychromecast.get_chromecast_from_cast_info(
            told, zconf=None, tries=2, retry_wait=1.0, timeout=ACTION_PATIENCE
        )
        _one_at_a_time(cast.socket_client)
        device = cls(cast)
        cast.media_controller.register_status_listener(device)
        cast.register_status_listener(device)
        cast.register_connection_listener(device)
        try:
            await device._in_thread(cast.wait, CONNECT_PATIENCE)
        except (PyChromecastError, OSError, RuntimeError) as error:
            await device.close()
            raise Away(f"{found.name} does not answer: {error}") from error
        device._take_volume(cast.status)
        await device._learn_what_plays()
        return device

    async def _learn_what_plays(self) -> None:
        """What an app shows already is asked for once: the library comes back before it is told."""
        status = self._cast.status
        if status is None or MEDIA_NAMESPACE not in status.namespaces:
            return
        answer = WaitResponse(ACTION_PATIENCE, "GET_STATUS")

        def ask() -> None:
            self._cast.media_controller.update_status(callback_function=answer.callback)
            answer.wait_response()

        with contextlib.suppress(PlayerError):
            await self._ask("GET_STATUS", ask)
        self._take_media(self._cast.media_controller.status)

    @property
    def playback(self) -> Playback:
        media = self._media
        transport = _TRANSPORTS.get(media.player_state, Transport.IDLE)
        if self._loading and transport is Transport.IDLE:
            transport = Transport.BUFFERING
        idle = transport is Transport.IDLE
        position = media.adjusted_current_time
        if position is not None and media.duration:
            position = min(position, media.duration)
        return Playback(
            transport=transport,
            url=media.content_id,
            position=None if idle or self._loading else position,
            duration=None if idle or self._loading else media.duration,
            volume=self._volume[0],
            muted=self._volume[1],
            can_pause=idle or media.supports_pause,
            can_seek=idle or media.supports_seek,
            ended=media.idle_reason == "FINISHED" if idle and media.idle_reason else None,
            error=self._error,
        )

    async def load(self, media: Media, position: float = 0) -> None:
        self._loading, self._error = True, None
        self._report()
        answer = WaitResponse(LOAD_PATIENCE, "LOAD")
        metadata: dict[str, Any] = {"metadataType": _METADATA[media.kind]}
        if media.artist:
            metadata["artist"] = media.artist
        if media.album:
            metadata["albumName"] = media.album
        subtitles = next((s for s in media.subtitles if s.mime_type == "text/vtt"), None)
        more = {"duration": media.duration_sec} if media.duration_sec else {}

        def load() -> None:
            self._cast.media_controller.play_media(
                media.url,
                media.mime_type,
                title=media.title,
                thumb=media.art_url,
                current_time=position if position >= 1 else None,
                # The default is LIVE, which takes the seek bar away.
                stream_type="BUFFERED",
                metadata=metadata,
                subtitles=subtitles.url if subtitles else None,
                subtitles_lang=subtitles.language or "und" if subtitles else "und",
                media_info=more,
                callback_function=answer.callback,
            )
            answer.wait_response()

        try:
            await self._ask("LOAD", load)
            told = answer.response or {}
            if told.get("type") in ("LOAD_FAILED", "LOAD_CANCELLED", "INVALID_REQUEST", "LAUNCH_ERROR"):
                raise Refused("LOAD", told.get("detailedErrorCode"), str(told.get("type")))
        except PlayerError as error:
            self._error = str(error)
            raise
        finally:
            self._loading = False
            self._report()

    async def play(self) -> None:
        await self._ask("PLAY", self._cast.media_controller.play, ACTION_PATIENCE)

    async def pause(self) -> None:
        await self._ask("PAUSE", self._cast.media_controller.pause, ACTION_PATIENCE)

    async def stop(self) -> None:
        await self._ask("STOP", self._cast.media_controller.stop, ACTION_PATIENCE)

    async def seek(self, position: float) -> None:
        paused = self._media.player_state == "PAUSED"
        await self._ask("SEEK", self._cast.media_controller.seek, position, ACTION_PATIENCE)
        if paused:
            await self.pause()  # the library's seek always starts

    async def set_volume(self, volume: float) -> None:
        await self._ask("SET_VOLUME", self._cast.set_volume, min(max(volume, 0.0), 1.0), ACTION_PATIENCE)

    async def set_muted(self, muted: bool) -> None:
        await self._ask("SET_VOLUME", self._cast.set_volume_muted, muted, ACTION_PATIENCE)

    async def close(self) -> None:
        """Hang up; what plays goes on."""
        self._closed = True
        with contextlib.suppress(PyChromecastError, TimeoutError, RuntimeError):
            await self._in_thread(self._cast.disconnect, 3.0)

    async def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """In a thread of its own, which holds up neither the loop's, where files are opened while a LOAD
        waits, nor our end: a device may be silent for half a minute."""
        answer = self._loop.create_future()

        def tell(result: Any, error: BaseException | None) -> None:
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        def run() -> None:
            result = error = None
            try:
                result = call(*arguments)
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(tell, result, error)

        threading.Thread(target=run, name="cast", daemon=True).start()
        return await answer

    async def _ask(self, what: str, call: Callable[..., Any], *arguments: Any) -> None:
        try:
            await self._in_thread(call, *arguments)
        except pychromecast.error.RequestFailed as error:
            raise Refused(what, None, str(error)) from error
        except (PyChromecastError, OSError, RuntimeError) as error:
            raise Away(f"{what}: {error}") from error

    # Called from the device's thread

    def new_media_status(self, status: MediaStatus) -> None:
        self._enter(self._take_media, status)

    def load_media_failed(self, queue_item_id: int, error_code: int) -> None:
        pass  # the answer to LOAD says the same

    def new_cast_status(self, status: CastStatus) -> None:
        self._enter(self._take_volume, status)

    def new_connection_status(self, status: ConnectionStatus) -> None:
        if status.status in ("LOST", "FAILED", "DISCONNECTED"):
            self._enter(self._lost)

    def _enter(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before the thread
            self._loop.call_soon_threadsafe(call, *arguments)

    # In the loop

    def _take_media(self, status: MediaStatus) -> None:
        self._media = status
        self._report()

    def _take_volume(self, status: CastStatus | None) -> None:
        if status:
            self._volume = (status.volume_level, status.volume_muted)
            self._report()

    def _lost(self) -> None:
        if not self._closed:
            self._closed = True
            self.on_lost()

    def _report(self) -> None:
        now = self.playback
        if now != self._last:
            self._last = now
            self.on_change(now)


def _one_at_a_time(client: Any) -> None:
    """The library writes from its own thread and from each caller's, without a lock: two at once spoil the
    TLS stream (seen: the device hung up over a bad record MAC)."""
    send, lock = client.send_message, threading.RLock()

    def send_message(*arguments: Any, **named: Any) -> None:
        with lock:
            send(*arguments, **named)

    client.send_message = send_message
