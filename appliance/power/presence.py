"""Whether a machine is awake: asked by ping, TCP and SSDP; any answer counts, a refusal too."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Sequence

KNOCK_ON = (22, 445, 80, 443)
"""Ports of what a machine that is woken mostly is: a server, a PC with shares, a TV with a page."""
SSDP_GROUP, SSDP_PORT = "239.255.255.250", 1900
SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n'
)
"""UDA 1.1 §1.3.2. Whatever it is, it says so."""
PATIENCE = 1.5
"""Seconds for one look."""


async def is_awake(address: str, ports: Sequence[int] = KNOCK_ON) -> str | None:
    """How it answered (`ping`, `port 22`, `SSDP`), or None."""
    asked = (_ping(address), _search(address), *(_knock(address, port) for port in ports))
    looks = [asyncio.create_task(look) for look in asked]
    try:
        for look in asyncio.as_completed(looks, timeout=PATIENCE + 0.5):
            if answer := await look:
                return answer
    except TimeoutError:
        pass
    finally:
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
    return None


async def _knock(address: str, port: int) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return f"port {port}"  # somebody is there to refuse
    except (OSError, TimeoutError):
        return None
    writer.close()
    return f"port {port}"


async def _ping(address: str) -> str | None:
    """ICMP echo by the kernel's unprivileged socket; systemd opens it to all, else ports must do."""
    try:
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except OSError:
        return None
    with asking:
        asking.setblocking(False)
        loop = asyncio.get_running_loop()
        # Type 8, code 0; the kernel fills checksum and identifier (RFC 792).
        echo = struct.pack("!BBHHH", 8, 0, 0, 0, 1) + os.urandom(8)
        try:
            async with asyncio.timeout(PATIENCE):
                await loop.sock_connect(asking, (address, 0))
                await loop.sock_sendall(asking, echo)
                answer = await loop.sock_recv(asking, 256)
        except (OSError, TimeoutError):
            return None
    return "ping" if answer[:1] == b"\0" and answer[-8:] == echo[-8:] else None


async def _search(address: str) -> str | None:
    """M-SEARCH to it and to all; TVs that drop ping and every port we know answer this."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            out = socket.inet_aton(_our_address_towards(address))
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)
            for target in (SSDP_GROUP, address):
                await loop.sock_sendto(asking, SEARCH, (target, SSDP_PORT))
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer, sender = await loop.sock_recvfrom(asking, 2048)
                    if sender[0] == address and answer.startswith(b"HTTP/1.1 200"):
                        return "SSDP"
        except (OSError, TimeoutError):
            return None


def _our_address_towards(address: str) -> str:
    """Sends nothing: connecting a UDP socket looks up the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((address, SSDP_PORT))
        return str(asking.getsockname()[0])
