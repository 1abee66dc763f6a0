"""A media server over the in-memory catalog, as a process of its own for a namespace.

    python -m tests.dlna.serving FOLDER INTERFACE[,INTERFACE] [ALIVE]

Serves each file of FOLDER until SIGTERM, on the interfaces named, `auto` for those that Mantel picks itself.
ALIVE: seconds between announcements, ± a third. A line `changed CONTAINER…` on its standard input is a change
each of the library, `traffic` asks for what each interface sent and heard, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from dlna.catalog import ROOT, Caption, Container, Item, MediaKind, Object, Resource
from dlna.device import Device
from dlna.server import MediaServer
from dlna.ssdp import Rhythm
from tests.fakes.memory_catalog import MemoryCatalog

UDN = "uuid:6d6d1b9e-2f0a-4f3e-9a55-000000000001"
TYPES = {
    ".mp4": ("video/mp4", MediaKind.VIDEO),
    ".mp3": ("audio/mpeg", MediaKind.AUDIO),
    ".jpg": ("image/jpeg", MediaKind.IMAGE),
}


def catalog_of(folder: Path) -> MemoryCatalog:
    """Root, one folder "f1", and an item for each file that lies in `folder`."""
    objects: list[Object] = []
    files: dict[str, Path] = {}
    for number, path in enumerate(sorted(folder.iterdir())):
        mime, kind = TYPES[path.suffix]
        resource = Resource(
            f"/m/token{number}/media{path.suffix}", mime, path.stat().st_size, duration=10.0, kind=kind
        )
        files[resource.path] = path
        captions = (Caption(f"/m/token{number}/captions.srt", "srt"),) if kind is MediaKind.VIDEO else ()
        objects.append(Item(f"i{number}", "f1", path.stem, kind, (resource,), captions=captions))
    objects.insert(0, Container("f1", ROOT, "Folders", len(objects)))
    objects.insert(0, Container(ROOT, "-1", "Mantel", 1))
    return MemoryCatalog(objects, files)


async def main(folder: Path, interfaces: list[str] | None, rhythm: Rhythm) -> None:
    catalog = catalog_of(folder)
    server = MediaServer(Device(UDN, "Shelf", "0.1"), catalog, 8200, interfaces, rhythm=rhythm)
    await server.start()
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)

    def line() -> None:
        words = sys.stdin.readline().split()
        if not words:
            loop.remove_reader(sys.stdin)
        elif words[0] == "changed":
            for container in words[1:]:
                catalog.system_update_id += 1
                server.content_changed({container: catalog.system_update_id})
        elif words[0] == "traffic" and server.ssdp:
            print(json.dumps({name: asdict(one) for name, one in server.ssdp.traffic.items()}), flush=True)

    loop.add_reader(sys.stdin, line)
    print("serving", flush=True)
    await stopped.wait()
    await server.stop()
    print("stopped", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    alive = float(words[2]) if len(words) > 2 else 45.0
    asyncio.run(
        main(
            Path(words[0]),
            None if words[1] == "auto" else words[1].split(","),
            Rhythm(alive, alive / 3),
        )
    )
