"""Real control points on the other side of a switch find the server, browse it and fetch by ranges."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dlna import serving
from tests.netns import House

pytestmark = pytest.mark.netns
ROOT = Path(__file__).parents[2]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("film.mp4", "song.mp3", "photo.jpg"):
        (folder / name).write_bytes(bytes(range(256)) * 8)
    return folder


@pytest.fixture
def house() -> Iterator[House]:
    """Two LANs: the server has a leg on each."""
    with House({"lan0": ("server", "tv", "phone"), "lan1": ("server", "bedroom")}) as house:
        yield house


def serve(house: House, media: Path, interfaces: str = "lan0,lan1") -> subprocess.Popen[str]:
    process = house.server.popen(
        sys.executable,
        "-m",
        "tests.dlna.serving",
        media,
        interfaces,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "serving\n"
    return process


def as_tvs(house: House, *names: str) -> list[dict[str, Any]]:
    """What a control point on each of these hosts meets, all at once."""
    command = (sys.executable, "-m", "tests.dlna.control_point")
    asking = [
        house[name].popen(*command, house[name].address, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    return [json.loads(one.communicate(timeout=30)[0]) for one in asking]


def test_a_tv_on_each_network_finds_browses_and_fetches(house: House, media: Path) -> None:
    serve(house, media)
    both = as_tvs(house, "tv", "bedroom")
    for address, seen in zip(("10.77.0.10", "10.77.1.10"), both, strict=True):
        assert seen["locations"] == [f"http://{address}:8200/description.xml"]
        assert seen["answers"] == 1
        assert seen["name"] == "Shelf"
        assert [one["title"] for one in seen["fetched"]] == ["film", "photo", "song"]
        for one in seen["fetched"]:
            assert (one["status"], one["bytes"], one["range"]) == (206, 4, "bytes 1-4/2048")
            assert {"contentFeatures.dlna.org", "transferMode.dlna.org", "Content-Range", "Server"} <= set(
                one["raw_names"]
            )
            assert "DLNA.ORG_OP=01" in one["features"]


def test_gssdp_sees_it_come_and_go(house: House, media: Path) -> None:
    listener = house.tv.popen(
        *("gssdp-discover", "-i", "lan0", "--timeout=8", "--message-type=all", "--target=upnp:rootdevice"),
        stdout=subprocess.PIPE,
        text=True,
    )
    process = serve(house, media)
    assert listener.stdout
    assert any(serving.UDN in line for line in listener.stdout)
    process.terminate()
    assert process.wait(5) == 0
    assert any(line.startswith("resource unavailable") for line in listener.stdout)
