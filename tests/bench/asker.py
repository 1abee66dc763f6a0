"""A TV that asks as fast as it is answered, in a process of its own: `python -m tests.bench.asker '<json>'`.

Given {host, port, path, soapaction, bodies}: each body is asked once, in order, on one connection for as long
as the server keeps it. Says {seconds, delays: [seconds], bytes}.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any


def ask(job: dict[str, Any]) -> dict[str, Any]:
    buffer = bytearray(1 << 21)
    head = (
        f"POST {job['path']} HTTP/1.1\r\nHost: {job['host']}:{job['port']}\r\n"
        f'SOAPACTION: "{job["soapaction"]}"\r\nContent-Type: text/xml; charset="utf-8"\r\n'
    )
    requests = []
    for body in job["bodies"]:
        data = body.encode()
        requests.append(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    delays: list[float] = []
    total, connection = 0, None
    began = time.perf_counter()
    for request in requests:
        start = time.perf_counter()
        if connection is None:
            connection = _connected(job)
        try:
            connection.sendall(request)
            size, stays = _answer(connection, buffer)
        except Closed:
            # Gerbera 1.1 closes after each answer without a word of it.
            connection.close()
            connection = _connected(job)
            connection.sendall(request)
            size, stays = _answer(connection, buffer)
        delays.append(time.perf_counter() - start)
        total += size
        if not stays:
            connection.close()
            connection = None
    return {"seconds": time.perf_counter() - began, "delays": delays, "bytes": total}


class Closed(ConnectionError):
    """By the server, where an answer was due."""


def _connected(job: dict[str, Any]) -> socket.socket:
    connection = socket.create_connection((job["host"], job["port"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _answer(connection: socket.socket, buffer: bytearray) -> tuple[int, bool]:
    """(bytes of the body, whether the connection stays). Raises ConnectionError for anything but 200."""
    got, end = 0, -1
    while end < 0:
        try:
            count = connection.recv_into(memoryview(buffer)[got:])
        except ConnectionResetError:
            count = 0
        if not count:
            raise Closed("before its headers")
        got += count
        end = buffer.find(b"\r\n\r\n", 0, got)
    lines = bytes(buffer[:end]).decode("latin-1").lower().split("\r\n")
    if lines[0].split(" ")[1] != "200":
        raise ConnectionError(lines[0])
    fields = dict(line.partition(":")[::2] for line in lines[1:])
    size = int(fields["content-length"])
    left = size - (got - end - 4)
    while left > 0:
        count = connection.recv_into(buffer, min(left, len(buffer)))
        if not count:
            raise ConnectionError("closed in the middle")
        left -= count
    return size, fields.get("connection", "").strip() != "close"


if __name__ == "__main__":
    print(json.dumps(ask(json.loads(sys.argv[1] if sys.argv[1:] else sys.stdin.read()))))
