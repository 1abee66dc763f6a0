"""A bad Wi-Fi: frames of one host come late, out of their order, or never. Kernels without netem need it.

    with House() as house, BadWire(house, house.phone):
        ...

It takes the host's cable out of the switch and puts two TAP devices (tun(4)) in its place, with a program
between them that delays and drops.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time
from types import TracebackType

from tests.netns import Host, House

DELAY, JITTER, LOSS = 0.02, 0.03, 0.03
"""Seconds at least, seconds by chance on top, and the part of the frames that is lost; each way."""
LONGEST_QUEUE = 1000
"""Frames on the way; what comes beyond is dropped, as in a router."""
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x2, 0x1000
_FRAME = 65536


class BadWire:
    """`host` keeps its address on `lan0`; its cable is good again after the block."""

    def __init__(self, house: House, host: Host, seed: int = 1) -> None:
        self._house, self._host, self._seed = house, host, seed
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BadWire:
        host, number = self._host, self._host.address.rpartition(".")[2]
        host.run("ip", "link", "set", "lan0", "down")
        host.run("ip", "link", "set", "lan0", "name", "good0")
        near = _tap(host.netns, "lan0")
        far = _tap(self._house.switch, "bad-" + number)
        _ip(host.netns, "link", "set", "lan0", "address", host.macs["lan0"])
        _ip(host.netns, "addr", "flush", "dev", "good0")
        _ip(host.netns, "addr", "add", f"{host.address}/24", "brd", "+", "dev", "lan0")
        _ip(host.netns, "link", "set", "lan0", "up")
        _ip(host.netns, "route", "replace", "224.0.0.0/4", "dev", "lan0")
        _ip(self._house.switch, "link", "set", "bad-" + number, "master", "br-lan0", "up")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bad_wire", str(near), str(far), str(self._seed)],
            pass_fds=(near, far),
            stdout=subprocess.PIPE,
        )
        os.close(near)
        os.close(far)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process
        self._process.terminate()
        said, _ = self._process.communicate()
        print(f"{self._host.name}'s wire: {said.decode().strip()}")
        host = self._host
        _ip(host.netns, "link", "set", "good0", "name", "lan0")
        _ip(host.netns, "addr", "add", f"{host.address}/24", "brd", "+", "dev", "lan0")
        _ip(host.netns, "link", "set", "lan0", "up")
        _ip(host.netns, "route", "replace", "224.0.0.0/4", "dev", "lan0")


def _ip(netns: str, *words: str) -> None:
    subprocess.run(["ip", "-n", netns, *words], check=True, capture_output=True)


def _tap(netns: str, name: str) -> int:
    """A descriptor of a new TAP device in this namespace."""
    made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(made, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "netns", netns], check=True, capture_output=True)
    return made


def carry(near: int, far: int, seed: int) -> None:
    """Frames from each to the other until SIGTERM."""
    dice = random.Random(seed)
    other = {near: far, far: near}
    waiting: list[tuple[float, int, int, bytes]] = []
    carried = lost = 0
    try:
        while True:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, out, frame = heapq.heappop(waiting)
                try:
                    os.write(out, frame)
                except OSError:
                    lost += 1  # the device is down, or its queue is full
            pause = max(0, waiting[0][0] - now) if waiting else None
            for one in select.select([near, far], [], [], pause)[0]:
                frame = os.read(one, _FRAME)
                carried += 1
                if dice.random() < LOSS or len(waiting) >= LONGEST_QUEUE:
                    lost += 1
                    continue
                due = time.monotonic() + DELAY + dice.random() * JITTER
                heapq.heappush(waiting, (due, carried, other[one], frame))
    except KeyboardInterrupt:
        print(f"{carried} frames, {lost} of them lost")


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    carry(*map(int, sys.argv[1:]))
