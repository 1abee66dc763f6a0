"""Events as the TVs of a house get them: moderated, to the subscriber alone, whatever the others do."""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from dlna import eventing
from tests.dlna import serving
from tests.netns import Host, House

ROOT = Path(__file__).parents[2]
SERVER = ("10.77.0.10", 8200)
Event = tuple[dict[str, str], dict[str, str]]
"""(headers with names in lower case, variables)"""


class Subscriber:
    """A TV's own little web server, which NOTIFY comes to. `status` is what it answers; None: never."""

    def __init__(self, host: Host, status: int | None = 200) -> None:
        self.status, self.events = status, queue.Queue[Event]()
        self.calls = 0
        with host.entered():
            self._listening = socket.create_server((host.address, 0))
        self.url = f"http://{host.address}:{self._listening.getsockname()[1]}/event"
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                calling, _ = self._listening.accept()
            except OSError:
                return
            self.calls += 1
            if self.status is None:
                self._kept.append(calling)
                continue
            with calling, calling.makefile("rb") as lines:
                assert lines.readline().startswith(b"NOTIFY /event")
                headers = {}
                while (line := lines.readline().strip()) and b":" in line:
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = fromstring(lines.read(int(headers["content-length"])))
                calling.sendall(f"HTTP/1.1 {self.status} x\r\nContent-Length: 0\r\n\r\n".encode())
            self.events.put((headers, {one[0].tag: one[0].text or "" for one in body}))

    def next(self) -> Event:
        return self.events.get(timeout=10)

    def until_quiet(self) -> None:
        """Takes what comes until it has been quiet for longer than two events are apart."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.events.get(timeout=eventing.SPACING + 0.3)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House({"lan0": ("server", "tv", "phone")}) as house:
        yield house


@pytest.fixture
def server(house: House, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "film.mp4").write_bytes(bytes(256))
    command = (sys.executable, "-m", "tests.dlna.serving", tmp_path, "lan0")
    process = house.server.popen(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "serving\n"
    yield process
    process.terminate()
    assert process.wait(5) == 0


def change(server: subprocess.Popen[str], *containers: str) -> None:
    assert server.stdin
    server.stdin.write(f"changed {' '.join(containers)}\n")
    server.stdin.flush()


def ask(host: Host, method: str, **headers: str) -> tuple[int, dict[str, str]]:
    with host.entered():
        connection = http.client.HTTPConnection(*SERVER, timeout=10)
        connection.connect()
    named = {name.upper(): value for name, value in headers.items()}
    connection.request(method, "/events/ContentDirectory", headers=named)
    answer = connection.getresponse()
    connection.close()
    return answer.status, {name.upper(): value for name, value in answer.getheaders()}


def subscribe(host: Host, *urls: str, timeout: str = "Second-300") -> tuple[int, dict[str, str]]:
    callback = "".join(f"<{url}>" for url in urls)
    return ask(host, "SUBSCRIBE", callback=callback, nt="upnp:event", timeout=timeout)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_the_first_change_is_told_soon_and_the_others_gathered(changes: list[float]) -> None:
    sent: list[float] = []
    due: float | None = None
    for now in [*sorted(changes), float("inf")]:
        if due is not None and due <= now:
            sent.append(due)
            due = None
        if due is None and now < float("inf"):
            due = now + eventing.wait_before(now, sent[-1] if sent else float("-inf"))
            quiet = not sent or now - sent[-1] >= 2
            assert due - now <= (0.2 if quiet else 2.0)
    assert all(later - earlier >= 1.999 for earlier, later in pairwise(sent))
    assert sent[-1] > max(changes)


@pytest.mark.netns
def test_changes_reach_a_subscriber_in_order_and_gathered(
    house: House, server: subprocess.Popen[str]
) -> None:
    tv = Subscriber(house.tv)
    status, said = subscribe(house.tv, tv.url, timeout="Second-infinite")
    assert (status, said["TIMEOUT"]) == (200, "Second-1800")
    assert said["SID"].startswith("uuid:")
    assert "DATE" in said
    headers, first = tv.next()
    assert (headers["seq"], headers["sid"], headers["nts"]) == ("0", said["SID"], "upnp:propchange")
    assert headers["nt"] == "upnp:event"
    assert headers["content-type"] == 'text/xml; charset="utf-8"'
    assert first == {"TransferIDs": "", "SystemUpdateID": "1", "ContainerUpdateIDs": ""}
    began = time.monotonic()
    change(server, "f1")
    headers, told = tv.next()
    print(f"a change was told after {1000 * (time.monotonic() - began):.0f} ms")
    assert (headers["seq"], told) == ("1", {"SystemUpdateID": "2", "ContainerUpdateIDs": "f1,2"})
    change(server, "f1", "f2", "f1", "f3")
    headers, told = tv.next()
    print(f"the next came {time.monotonic() - began:.2f} s after the first change")
    assert (headers["seq"], told["SystemUpdateID"]) == ("2", "6")
    assert told["ContainerUpdateIDs"] == "f1,5,f2,4,f3,6"
    assert time.monotonic() - began > 1.9
    assert ask(house.tv, "UNSUBSCRIBE", sid=said["SID"])[0] == 200
    assert ask(house.tv, "SUBSCRIBE", sid=said["SID"], timeout="Second-300")[0] == 412
    tv.close()


@pytest.mark.netns
def test_nobody_but_the_caller_is_called_back(house: House, server: subprocess.Popen[str]) -> None:
    tv, victim = Subscriber(house.tv), Subscriber(house.phone)
    for urls in (
        (victim.url,),
        (tv.url, victim.url),
        ("http://10.77.0.10:8200/",),
        ("http://127.0.0.1:80/",),
        ("http://tv.local/",),
        ("http://10.77.0.20@10.77.0.30/",),
        ("https://10.77.0.20/",),
        ("http://169.254.169.254/",),
        (),
    ):
        assert subscribe(house.tv, *urls)[0] == 412, urls
    assert ask(house.tv, "SUBSCRIBE", callback=f"<{tv.url}>")[0] == 412
    assert ask(house.tv, "SUBSCRIBE", callback=f"<{tv.url}>", nt="upnp:other")[0] == 412
    assert ask(house.tv, "SUBSCRIBE", callback=f"<{tv.url}>", sid="uuid:1", nt="upnp:event")[0] == 400
    granted = [subscribe(house.tv, f"{tv.url}/{number}") for number in range(9)]
    assert [status for status, _ in granted] == [200] * 8 + [503]
    # Another's subscription is none of the phone's business.
    assert ask(house.phone, "SUBSCRIBE", sid=granted[0][1]["SID"])[0] == 412
    assert ask(house.phone, "UNSUBSCRIBE", sid=granted[0][1]["SID"])[0] == 412
    assert subscribe(house.phone, victim.url)[0] == 200
    victim.next()
    assert victim.calls == 1
    tv.close()
    victim.close()


@pytest.mark.netns
def test_the_dead_hold_up_nobody_and_are_dropped(house: House, server: subprocess.Popen[str]) -> None:
    good, silent, broken = Subscriber(house.phone), Subscriber(house.tv, None), Subscriber(house.tv, 500)
    assert subscribe(house.tv, silent.url)[0] == 200
    sid = subscribe(house.tv, broken.url)[1]["SID"]
    gone = subscribe(house.tv, "http://10.77.0.20:9/")[1]["SID"]
    assert subscribe(house.phone, good.url)[0] == 200
    assert [good.next()[0]["seq"]] == ["0"]
    for number in (1, 2):  # with the initial one the broken TV has failed three times
        change(server, "f1")
        assert good.next()[0]["seq"] == str(number)
    assert [broken.next()[0]["seq"] for _ in range(3)] == ["0", "1", "2"]
    for lost in (sid, gone):
        for _ in range(50):  # the answer to the third is on its way
            if ask(house.tv, "SUBSCRIBE", sid=lost)[0] == 412:
                break
            time.sleep(0.05)
        assert ask(house.tv, "SUBSCRIBE", sid=lost)[0] == 412
    for subscriber in (good, silent, broken):
        subscriber.close()


@pytest.mark.netns
def test_gupnp_is_told_of_a_change(house: House, server: subprocess.Popen[str]) -> None:
    """GUPnP's own control point finds the server, subscribes to all three services and hears a change."""
    dumper = house.tv.popen(
        "gupnp-event-dumper", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert dumper.stdout
    heard = []
    for line in dumper.stdout:
        _, udn, service, name, value = line.strip().split("|")
        assert udn == serving.UDN
        heard.append((service.rpartition(":")[2], name, value))
        if len(heard) == 10:  # all initial values
            change(server, "f1")
        if name == "ContainerUpdateIDs" and value:
            break
    assert ("ContentDirectory", "SystemUpdateID", "1") in heard
    assert ("ContentDirectory", "SystemUpdateID", "2") in heard
    assert heard[-1] == ("ContentDirectory", "ContainerUpdateIDs", "f1,2")
    assert {service for service, _, _ in heard} == {
        "ContentDirectory",
        "ConnectionManager",
        "X_MS_MediaReceiverRegistrar",
    }
    dumper.terminate()
    dumper.wait(5)
