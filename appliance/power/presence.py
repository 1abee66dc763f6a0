"""Whether a machine is awake: asked by ping and by TCP; any answer counts, a refusal too."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Sequence

KNOCK_ON = (22, 445, 80, 443)
"""Ports of what a machine that is woken mostly is: a server, a PC with shares, a TV with a page."""
PATIENCE = 1.5
"""Seconds for one look."""


async def is_awake(address: str, ports: Sequence[int] = KNOCK_ON) -> str | None:
    """How it answered (`ping`, or `port 22`), or None."""
    looks = [asyncio.create_task(_ping(address)), *(asyncio.create_task(_knock(address, p)) for p in ports)]
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
