"""A Google Cast device of our own that speaks the real protocol: TLS, protobuf, heartbeat, mDNS.

    python -m tests.fakes.cast_receiver 10.77.0.20 "Living room"

It launches the Default Media Receiver (CC1AD845), fetches what LOAD names and asks ffprobe for its length, so
that a dead or forbidden URL gives LOAD_FAILED as on a Chromecast. What it fetches it prints, a JSON object a
line. Its certificate is self-signed: senders that check Google's signature refuse it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pychromecast.generated.cast_channel_pb2 import CastMessage
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

CONNECTION = "urn:x-cast:com.google.cast.tp.connection"
HEARTBEAT = "urn:x-cast:com.google.cast.tp.heartbeat"
RECEIVER = "urn:x-cast:com.google.cast.receiver"
MEDIA = "urn:x-cast:com.google.cast.media"
DEFAULT_MEDIA_RECEIVER = "CC1AD845"
ALL_BASIC_MEDIA = 12303
"""supportedMediaCommands: pause, seek, volume, mute, tracks, rate."""


class Show:
    """What is loaded, and where it stands."""

    def __init__(self) -> None:
        self.session = 0
        self.media: dict[str, Any] = {}
        self.state = "IDLE"
        self.idle_reason: str | None = None
        self.position = 0.0
        self.since = time.monotonic()
        self.duration = 0.0

    def now(self) -> float:
        running = time.monotonic() - self.since if self.state == "PLAYING" else 0.0
        return min(self.position + running, self.duration or 1e9)

    def to(self, state: str, position: float | None = None, idle_reason: str | None = None) -> None:
        self.position = self.now() if position is None else position
        self.since, self.state, self.idle_reason = time.monotonic(), state, idle_reason

    def status(self, request: int) -> dict[str, Any]:
        told: dict[str, Any] = {
            "mediaSessionId": self.session,
            "playbackRate": 1,
            "playerState": self.state,
            "currentTime": self.now(),
            "supportedMediaCommands": ALL_BASIC_MEDIA,
            "volume": {"level": 1.0, "muted": False},
        }
        if self.state != "IDLE" and self.media:
            told["media"] = {**self.media, "duration": self.duration}
        if self.idle_reason:
            told["idleReason"] = self.idle_reason
        return {"type": "MEDIA_STATUS", "requestId": request, "status": [told] if self.session else []}


class Receiver:
    def __init__(self, name: str) -> None:
        self.name = name
        self.app: str | None = None
        self.app_session = ""
        self.volume: dict[str, Any] = {"level": 0.5, "muted": False, "controlType": "attenuation"}
        self.show = Show()
        self.senders: list[Sender] = []
        self.ending: asyncio.Task[None] | None = None

    def status(self, request: int) -> dict[str, Any]:
        app = {
            "appId": self.app,
            "displayName": "Default Media Receiver",
            "namespaces": [{"name": MEDIA}],
            "sessionId": self.app_session,
            "transportId": self.app_session,
            "statusText": "Ready To Cast",
        }
        told = {"applications": [app] if self.app else [], "volume": self.volume, "isActiveInput": True}
        return {"type": "RECEIVER_STATUS", "requestId": request, "status": told}

    async def tell(self, namespace: str, message: dict[str, Any]) -> None:
        source = self.app_session if namespace == MEDIA else "receiver-0"
        for sender in tuple(self.senders):
            await sender.send(source, "*", namespace, message)

    async def load(self, message: dict[str, Any]) -> bool:
        """Whether it can be opened: fetched as the device would, and looked at."""
        show, media = self.show, message["media"]
        show.session += 1
        show.media, show.duration = media, 0.0
        show.to("BUFFERING", float(message.get("currentTime") or 0))
        await self.tell(MEDIA, show.status(0))
        found = await asyncio.create_subprocess_exec(
            *(
                "ffprobe",
                "-v",
                "error",
                "-show_entries",
                "format=duration",
                "-of",
                "json",
                media["contentId"],
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await found.communicate()
        print(json.dumps({"load": media, "ok": found.returncode == 0, "why": err.decode()}), flush=True)
        if found.returncode:
            show.to("IDLE", 0, "ERROR")
            return False
        show.duration = float(json.loads(out).get("format", {}).get("duration") or 0)
        show.to("PLAYING")
        return True

    def watch_end(self) -> None:
        if self.ending:
            self.ending.cancel()
        self.ending = asyncio.create_task(self._end())

    async def _end(self) -> None:
        show = self.show
        if show.state == "PLAYING" and show.duration:
            await asyncio.sleep(max(show.duration - show.now(), 0))
            show.to("IDLE", show.duration, "FINISHED")
            await self.tell(MEDIA, show.status(0))


class Sender:
    """One connection of a phone, or of an appliance."""

    def __init__(
        self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.receiver, self.reader, self.writer = receiver, reader, writer
        self.heard = time.monotonic()

    async def send(self, source: str, destination: str, namespace: str, message: dict[str, Any]) -> None:
        packet = CastMessage(
            protocol_version=CastMessage.CASTV2_1_0,
            source_id=source,
            destination_id=destination,
            namespace=namespace,
            payload_type=CastMessage.STRING,
            payload_utf8=json.dumps(message),
        ).SerializeToString()
        with contextlib.suppress(ConnectionError):
            self.writer.write(struct.pack(">I", len(packet)) + packet)
            await self.writer.drain()

    async def serve(self) -> None:
        self.receiver.senders.append(self)
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                (size,) = struct.unpack(">I", await self.reader.readexactly(4))
                packet = CastMessage()
                packet.ParseFromString(await self.reader.readexactly(size))
                self.heard = time.monotonic()
                await self._take(packet)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            beating.cancel()
            self.receiver.senders.remove(self)
            self.writer.close()

    async def _beat(self) -> None:
        """A device that hears nothing for ten seconds hangs up."""
        while True:
            await asyncio.sleep(5)
            if time.monotonic() - self.heard > 10:
                self.writer.close()
                return
            await self.send("receiver-0", "*", HEARTBEAT, {"type": "PING"})

    async def _take(self, packet: Any) -> None:
        message = json.loads(packet.payload_utf8 or "{}")
        kind, request = message.get("type"), int(message.get("requestId") or 0)
        receiver = self.receiver

        async def answer(reply: dict[str, Any]) -> None:
            await self.send(packet.destination_id, packet.source_id, packet.namespace, reply)

        if packet.namespace == HEARTBEAT and kind == "PING":
            await answer({"type": "PONG"})
        elif packet.namespace == RECEIVER:
            if kind == "LAUNCH":
                receiver.app, receiver.app_session = message["appId"], str(uuid.uuid4())
                if receiver.app != DEFAULT_MEDIA_RECEIVER:
                    receiver.app = None
                    await answer({"type": "LAUNCH_ERROR", "requestId": request, "reason": "NOT_FOUND"})
                    return
            elif kind == "STOP":
                receiver.app = None
            elif kind == "SET_VOLUME":
                receiver.volume |= message["volume"]
            await answer(receiver.status(request))
            if kind != "GET_STATUS":
                await receiver.tell(RECEIVER, receiver.status(0))
        elif packet.namespace == MEDIA:
            await self._media(kind, message, request, answer)

    async def _media(self, kind: str, message: dict[str, Any], request: int, answer: Any) -> None:
        receiver, show = self.receiver, self.receiver.show
        if kind == "LOAD":
            ok = await receiver.load(message)
            await answer(show.status(request) if ok else {"type": "LOAD_FAILED", "requestId": request})
        elif kind == "GET_STATUS":
            await answer(show.status(request))
            return
        elif message.get("mediaSessionId") != show.session or show.state == "IDLE":
            await answer({"type": "INVALID_PLAYER_STATE", "requestId": request})
            return
        else:
            if kind == "PAUSE":
                show.to("PAUSED")
            elif kind == "PLAY":
                show.to("PLAYING")
            elif kind == "SEEK":
                paused = show.state == "PAUSED" and message.get("resumeState") != "PLAYBACK_START"
                show.to("PAUSED" if paused else "PLAYING", float(message["currentTime"]))
            elif kind == "STOP":
                show.to("IDLE", 0, "CANCELLED")
            await answer(show.status(request))
        receiver.watch_end()
        await receiver.tell(MEDIA, show.status(0))


def certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cast")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "key.pem")
    return context


async def run(address: str, name: str, model: str = "Chromecast") -> None:
    receiver = Receiver(name)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Sender(receiver, reader, writer).serve()

    with tempfile.TemporaryDirectory() as folder:
        context = certificate(Path(folder))
    await asyncio.start_server(connected, address, 8009, ssl=context)
    device = uuid.uuid5(uuid.NAMESPACE_DNS, f"{address} {name}")
    mdns = AsyncZeroconf(interfaces=[address])
    told = ServiceInfo(
        "_googlecast._tcp.local.",
        f"{model.replace(' ', '-')}-{device.hex}._googlecast._tcp.local.",
        port=8009,
        parsed_addresses=[address],
        server=f"{device}.local.",
        properties={"id": device.hex, "fn": name, "md": model, "ve": "05", "ca": "201221", "st": "0"},
    )
    await (await mdns.async_register_service(told))
    print(json.dumps({"ready": name}), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for sender in receiver.senders:
        sender.writer.close()
    await mdns.async_unregister_all_services()
    await mdns.async_close()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
