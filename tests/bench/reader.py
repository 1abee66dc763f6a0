"""Clients of a benchmark, in a process of their own: `python -m tests.bench.reader '<json>'`.

The bytes are dropped in the kernel (MSG_TRUNC, tcp(7)), so that the reader is never what is measured.
Given {host, port, requests: [{path, headers}], readers, count, seconds, speed, ping, many}; says
{bytes, seconds, served, delays: [seconds]}, and before it `steady` when slow readers have all begun.
"""

from __future__ import annotations

import heapq
import json
import selectors
import socket
import sys
import time
from typing import Any

_DROP = bytearray(4 << 20)


class Reader:
    """One connection, reading one body after another of `count` bytes each."""

    def __init__(self, number: int, job: dict[str, Any]) -> None:
        asked = job["requests"][number % len(job["requests"])]
        lines = {"Host": f"{job['host']}:{job['port']}", **asked.get("headers", {})}
        self.request = (
            f"GET {asked['path']} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        ).encode()
        self.socket = socket.socket()
        # Loopback is a whole network: limits per address see as many people as there are readers.
        self.socket.bind(
            (f"127.0.{1 + number // 200}.{1 + number % 200}" if job.get("many") else "0.0.0.0", 0)
        )
        self.socket.connect((job["host"], job["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.left = self.got = 0
        self.asked_at = 0.0

    def ask(self) -> None:
        self.left = 0
        self.asked_at = time.perf_counter()
        self.socket.send(self.request)

    def read(self, most: int) -> bool:
        """Take what is there, up to `most` bytes; whether the body is whole."""
        try:
            if not self.left:
                self._read_head()
            count = self.socket.recv_into(_DROP, min(most, self.left, len(_DROP)), socket.MSG_TRUNC)
        except BlockingIOError:
            return False
        if not count:
            raise ConnectionError("closed in the middle")
        self.left -= count
        self.got += count
        return self.left == 0

    def _read_head(self) -> None:
        head = self.socket.recv(65536, socket.MSG_PEEK)
        end = head.find(b"\r\n\r\n")
        if not head:
            raise ConnectionError("closed before its headers")
        if end < 0:
            raise BlockingIOError
        lines = self.socket.recv(end + 4).decode("latin-1").lower().split("\r\n")
        if lines[0].split(" ")[1] not in ("200", "206"):
            raise ConnectionError(lines[0])
        self.left = next(int(one.split(":")[1]) for one in lines if one.startswith("content-length:"))


def pull(job: dict[str, Any]) -> dict[str, Any]:
    """Every reader takes `count` bodies, as fast as they come."""
    chosen = selectors.DefaultSelector()
    readers = [Reader(number, job) for number in range(job["readers"])]
    turns = {one: job.get("count", 1) for one in readers}
    delays: list[float] = []
    began = time.perf_counter()
    for one in readers:
        chosen.register(one.socket, selectors.EVENT_READ, one)
        one.ask()
    open_readers = len(readers)
    while open_readers:
        for key, _ in chosen.select():
            one = key.data
            if not one.read(1 << 62):
                continue
            delays.append(time.perf_counter() - one.asked_at)
            turns[one] -= 1
            if turns[one]:
                one.ask()
            else:
                chosen.unregister(one.socket)
                open_readers -= 1
    took = time.perf_counter() - began
    return {
        "bytes": sum(one.got for one in readers),
        "seconds": took,
        "served": len(readers),
        "delays": delays,
    }


def ping(job: dict[str, Any]) -> dict[str, Any]:
    """One small request after another on one connection, for `seconds`; each may take as long as it likes."""
    one = Reader(0, job)
    one.socket.settimeout(60)
    one.request = one.request.replace(job["requests"][0]["path"].encode(), job["ping"].encode(), 1)
    delays = []
    ends = time.perf_counter() + job["seconds"]
    while time.perf_counter() < ends:
        one.ask()
        while not one.read(1 << 20):
            pass
        delays.append(time.perf_counter() - one.asked_at)
        time.sleep(0.01)
    return {"bytes": one.got, "seconds": job["seconds"], "served": 1, "delays": delays}


def sip(job: dict[str, Any]) -> dict[str, Any]:
    """Every reader takes `speed` bytes a second for `seconds`, ten sips a second. `served`: who got 90 %."""
    readers: list[Reader] = []
    failed = 0
    for number in range(job["readers"]):
        try:
            one = Reader(number, job)
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
            one.ask()
            readers.append(one)
        except OSError:
            failed += 1
    time.sleep(0.5)
    began = time.perf_counter()
    turns = [(began + 0.1 * number / max(1, len(readers)), number) for number in range(len(readers))]
    heapq.heapify(turns)
    before = [one.got for one in readers]
    print("steady", flush=True)
    while turns and turns[0][0] < began + job["seconds"]:
        at, number = heapq.heappop(turns)
        time.sleep(max(0.0, at - time.perf_counter()))
        one = readers[number]
        # What was due by now, also what an earlier sip did not find.
        due = int(job["speed"] * (time.perf_counter() - began)) - (one.got - before[number])
        try:
            while due > 0:
                had = one.got
                one.read(due)
                if one.got == had:
                    break
                due -= one.got - had
            heapq.heappush(turns, (at + 0.1, number))
        except OSError:
            failed += 1
    took = time.perf_counter() - began
    enough = 0.9 * job["speed"] * took
    taken = [one.got - had for one, had in zip(readers, before, strict=True)]
    return {
        "bytes": sum(taken),
        "seconds": took,
        "served": sum(one >= enough for one in taken),
        "delays": [],
    }


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    play = sip if told.get("speed") else ping if told.get("ping") else pull
    print(json.dumps(play(told)))
