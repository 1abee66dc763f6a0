"""The whole appliance as a TV meets it: found across a switch, browsed by folders, played from any place."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.house import ADMIN, CHECKOUT, PASSWORD, environment
from tests.netns import Host, House

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240)]

FILM = ("Folders", "Films", "The Long Way to Tromsø")
LONG_FILM = ("Folders", "Films", "The Long Way Back")
TIMES = 80
"""The long film is the other this many times: 32 min, 55 MB. VLC reads 16 MiB ahead, so that a seek within a
short one would ask the server nothing."""
SEEK_SECONDS = 1500
FILES = 13
SHELF_SECONDS = 60


@pytest.fixture
def library(tmp_path: Path, media: Path) -> Path:
    """The usual files, and a long film."""
    folder = tmp_path / "library"
    shutil.copytree(media, folder)
    films = folder / "Films"
    looped = ("-stream_loop", str(TIMES - 1), "-i", films / f"{FILM[-1]}.mp4", "-c", "copy")
    command = ("ffmpeg", "-nostdin", "-v", "error", *looped, "-movflags", "+faststart")
    subprocess.run([*command, films / f"{LONG_FILM[-1]}.mp4"], check=True, timeout=60)
    return folder


@pytest.fixture
def home(tmp_path: Path, library: Path) -> Iterator[House]:
    """A house whose server runs `mantel serve`, all its files on the shelf."""
    # Ports that are free here are free in a namespace of its own too.
    variables = environment(tmp_path, library, interfaces="lan0", tv_access="open")
    log = tmp_path / "log"
    with House() as house, log.open("w") as output:
        command = (sys.executable, "-m", "appliance", "serve")
        house.server.popen(*command, env=variables, cwd=tmp_path, stdout=output, stderr=output)
        try:
            wait_for_files(house.server, f"http://127.0.0.1:{variables['MANTEL_HTTP_PORT']}")
            yield house
        finally:
            print(log.read_text())


def wait_for_files(server: Host, url: str) -> None:
    """Returns once the shelf is full."""
    login = json.dumps({"username": ADMIN, "password": PASSWORD}).encode()
    as_json = {"Content-Type": "application/json"}
    end = time.monotonic() + SHELF_SECONDS
    token, count = "", 0
    while count < FILES:
        assert time.monotonic() < end, f"{count} files on the shelf"
        try:
            if not token:
                token = fetch(server, urllib.request.Request(url + "/auth/login", login, as_json))["token"]
            asked = urllib.request.Request(
                url + "/files?page_size=100", headers={"Authorization": f"Bearer {token}"}
            )
            count = len(fetch(server, asked)["items"])
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
        time.sleep(0.1)


def fetch(server: Host, request: urllib.request.Request) -> dict[str, Any]:
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with server.entered(), without_proxy.open(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def on(host: Host, module: str, *words: str) -> dict[str, Any]:
    done = host.run(sys.executable, "-m", f"tests.system.{module}", *words, cwd=CHECKOUT, timeout=200)
    print(done.stderr)
    met: dict[str, Any] = json.loads(done.stdout)
    return met


@contextmanager
def asked_by(host: Host, text: Path) -> Iterator[None]:
    """Writes all that this host says by TCP to the file `text`, until the block ends."""
    with text.open("wb") as output:
        sniffer = host.popen(
            *("tcpdump", "-l", "-n", "-A", "-s0", "-i", "lan0", f"tcp and src host {host.address}"),
            stdout=output,
            stderr=subprocess.PIPE,
        )
        assert sniffer.stderr
        assert any(b"listening on" in line for line in sniffer.stderr)
        yield
        sniffer.terminate()
        sniffer.wait(10)


def test_vlc_finds_it_opens_folders_and_plays_from_where_it_is_told(
    home: House, library: Path, tmp_path: Path
) -> None:
    with asked_by(home.tv, tmp_path / "asked"):
        met = on(home.tv, "vlc_at_home", "lan0", str(SEEK_SECONDS), *LONG_FILM)
    assert met["looking"]
    assert met["server"] == "Mantel"
    assert met["opened"][0][0] == "Folders"
    assert met["opened"][1:] == [
        ["Clips", "Films", "Music", "Photos"],
        ["Summer in Lot 12", LONG_FILM[-1], FILM[-1]],
    ]
    assert met["url"].startswith(f"http://{home.server.address}:")
    assert met["seekable"]
    assert met["length_ms"] == pytest.approx(24_000 * TIMES, rel=0.01)
    assert (met["started"], met["went_on"]) == (True, True), met
    asked = (tmp_path / "asked").read_text("latin-1")
    assert "ContentDirectory:1#Browse" in asked
    size = (library / "Films" / f"{LONG_FILM[-1]}.mp4").stat().st_size
    # At `size` itself it looks whether the film is still growing.
    starts = [int(first) for first in re.findall(r"Range: bytes=(\d+)-", asked)]
    assert any(size // 2 < first < size for first in starts), starts


def test_a_tv_finds_it_opens_folders_and_fetches_two_ranges(home: House, library: Path) -> None:
    film = (library / "Films" / f"{FILM[-1]}.mp4").read_bytes()
    met = on(home.tv, "tv_at_home", home.tv.address, *FILM, "0-65535,100000-100999")
    assert len(met["locations"]) == 1
    assert met["locations"][0].startswith(f"http://{home.server.address}:")
    assert met["server"] == "Mantel"
    assert FILM[-1] in met["opened"][-1]
    assert met["protocol_info"].startswith("http-get:*:video/mp4:")
    assert "DLNA.ORG_OP=01" in met["protocol_info"]
    for one, (first, last) in zip(met["fetched"], ((0, 65535), (100_000, 100_999)), strict=True):
        assert one["status"] == 206
        assert one["sha256"] == hashlib.sha256(film[first : last + 1]).hexdigest()
        wire = dict(one["raw_headers"])
        # Some TVs compare names letter by letter, so this lookup does too.
        assert wire["Content-Range"] == f"bytes {first}-{last}/{len(film)}"
        assert wire["Content-Length"] == str(last + 1 - first)
        assert wire["Content-Type"] == "video/mp4"
        assert wire["Accept-Ranges"] == "bytes"
        assert "DLNA.ORG_OP=01" in wire["contentFeatures.dlna.org"]
        assert wire["transferMode.dlna.org"] == "Streaming"
