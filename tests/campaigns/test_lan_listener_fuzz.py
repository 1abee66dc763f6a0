"""A hostile machine on the LAN: broken HTTP, SOAP, ranges and SSDP, many of each, across a switch.

MANTEL_FUZZ: how many of each (2,000 unless told). The server has to answer like before in the end, with as
much memory as it had after the first tenth, and without a traceback.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlna.device import CONTENT_DIRECTORY
from tests.netns import Host, House

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("MANTEL_FUZZ", "2000"))
SEED = int(os.environ.get("MANTEL_FUZZ_SEED", "1"))
SERVER = ("10.77.0.10", 8200)
HOST = b"Host: 10.77.0.10:8200\r\n"
GROWTH = 16 * 1024
"""KiB of resident memory that may come on top: allocators keep what a burst took."""

BODY = (
    f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:Search xmlns:u="'
    f'{CONTENT_DIRECTORY}"><ContainerID>0</ContainerID><SearchCriteria>dc:title contains &quot;a&quot; and '
    "(upnp:class derivedfrom &quot;object.item&quot; or res@size &gt; &quot;1&quot;)</SearchCriteria>"
    "<Filter>*</Filter><StartingIndex>0</StartingIndex><RequestedCount>5</RequestedCount><SortCriteria>+dc:title"
    "</SortCriteria></u:Search></s:Body></s:Envelope>"
).encode()
CALL = (
    b"POST /control/ContentDirectory HTTP/1.1\r\n" + HOST + b'SOAPACTION: "' + CONTENT_DIRECTORY.encode()
    + b'#Search"\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n' % len(BODY) + BODY
)  # fmt: skip
SEEDS = {
    "call": CALL,
    "fetch": b"GET /m/token0/media.mp4 HTTP/1.1\r\n" + HOST
    + b"Range: bytes=5-9,20-\r\nTimeSeekRange.dlna.org: npt=1-2\r\ntransferMode.dlna.org: Streaming\r\n"
    + b"getcontentFeatures.dlna.org: 1\r\nPlaySpeed.dlna.org: speed=1\r\n\r\n",
    "subscribe": b"SUBSCRIBE /events/ContentDirectory HTTP/1.1\r\n" + HOST
    + b"CALLBACK: <http://10.77.0.20:9/>\r\nNT: upnp:event\r\nTIMEOUT: Second-300\r\n\r\n",
    "describe": b"GET /description.xml HTTP/1.1\r\n" + HOST + b"User-Agent: SEC_HHP_[TV] X/1.0\r\n\r\n",
}  # fmt: skip
SEARCH = (
    b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 0\r\n'
    b"ST: ssdp:all\r\n\r\n"
)
PIECES = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\r\n",
        b"\r\n\r\n",
        b"%00",
        b"<",
        b"]]>",
        b"&#0;",
        b'"',
        b"-1",
        b"0",
        b"\xed\xa0\x80",
    ),
    *(
        b"99999999999999999999",
        b"\xc2\xb2",
        b"A" * 5000,
        b"<!DOCTYPE a [",
        b"<a>" * 500,
        b"(" * 500,
        b"bytes=",
    ),
    *(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"\n", b" ", b"=", b",", b"uuid:", b"../"),
)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A few changes: bytes flipped, pieces put in, cut out, said twice."""
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(data) + 1), dice.randint(1, 40)
        kind = dice.randrange(4)
        if kind == 0:
            data = data[:at] + dice.choice(PIECES) + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + data[at : at + length] * dice.randint(2, 9) + data[at:]
        elif at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
    return data


@pytest.fixture
def house() -> Iterator[House]:
    with House({"lan0": ("server", "tv")}) as house:
        yield house


def exchange(host: Host, data: bytes, patience: float = 0.05) -> bytes:
    """What comes back within `patience` seconds; a request that is not whole is hung up on by us."""
    with host.entered():
        talking = socket.create_connection(SERVER, 10)
    with talking:
        talking.settimeout(patience)
        try:
            talking.sendall(data)
            return talking.recv(65536)
        except OSError:
            return b""


def memory(pid: int) -> int:
    """Resident KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("the server is gone")


def test_nothing_that_comes_in_breaks_it_or_stays(house: House, tmp_path: Path) -> None:
    media, log = tmp_path / "media", tmp_path / "log"
    media.mkdir()
    (media / "film.mp4").write_bytes(bytes(range(256)) * 8)
    with log.open("w") as output:
        server = house.server.popen(
            *(sys.executable, "-m", "tests.dlna.serving", media, "lan0"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    assert server.stdout
    assert server.stdout.readline() == "serving\n"
    whole = {name: exchange(house.tv, seed, 20) for name, seed in SEEDS.items()}
    assert {name: said[9:12] for name, said in whole.items()} == {
        "call": b"200", "fetch": b"406", "subscribe": b"200", "describe": b"200",
    }  # fmt: skip
    dice = random.Random(SEED)
    with house.tv.entered():
        shouting = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    after_warming, statuses = 0, dict[bytes, int]()
    for number in range(COUNT):
        if number == COUNT // 10:
            after_warming = memory(server.pid)
        for seed in SEEDS.values():
            said = exchange(house.tv, mutated(seed, dice))
            assert not said or said.startswith(b"HTTP/"), said[:60]
            statuses[said[9:12]] = statuses.get(said[9:12], 0) + 1
        shouting.sendto(mutated(SEARCH, dice), ("239.255.255.250", 1900))
    shouting.close()
    grown = memory(server.pid) - after_warming
    print(f"{COUNT} of each with seed {SEED}: answers {statuses}; {grown} KiB more after the first tenth")
    assert grown < GROWTH
    assert b"200" in statuses
    faults = [one for one in statuses if one.startswith(b"5")]
    # UPnP's faults are 500, too many subscriptions 503, another version of HTTP 505.
    assert set(faults) <= {b"500", b"503", b"505"}
    assert exchange(house.tv, SEEDS["describe"], 20).startswith(b"HTTP/1.1 200")
    server.terminate()
    assert server.wait(10) == 0
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
