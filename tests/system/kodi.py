"""Kodi on a host of a house: a real one, headless, spoken to by its JSON-RPC.

    with Kodi(house.tv, folder) as kodi:
        kodi.ask("Files.GetDirectory", directory="upnp://", media="video")

It runs under Xvfb as nobody (it refuses root), with a PulseAudio of its own: without a sink that keeps time
it plays out of step.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.netns import Host
from tests.system.people import request

NOBODY = 65534
PORT = 8081
PATIENCE = 120
SETTINGS = """<settings version="2">
<setting id="services.webserver">true</setting>
<setting id="services.webserverport">8081</setting>
<setting id="services.webserverauthentication">false</setting>
<setting id="services.upnp">true</setting>
<setting id="services.upnpcontroller">false</setting>
<setting id="services.zeroconf">false</setting>
<setting id="general.addonupdates">2</setting>
<setting id="videolibrary.backgroundupdate">false</setting>
</settings>
"""
SOUND = "pulseaudio -n --exit-idle-time=-1 --load=module-null-sink --load=module-native-protocol-unix"


class Kodi:
    def __init__(self, host: Host, folder: Path) -> None:
        self._host, self._folder = host, folder
        self._url = f"http://{host.address}:{PORT}/jsonrpc"

    def __enter__(self) -> Kodi:
        home = self._folder / "kodi"
        data = home / ".kodi" / "userdata"
        data.mkdir(parents=True)
        (home / "run").mkdir(mode=0o700)
        (data / "guisettings.xml").write_text(SETTINGS)
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        for parent in self._folder.parents:  # pytest makes them for their owner alone
            if parent.stat().st_uid == os.getuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        self._folder.chmod(0o711)
        with (self._folder / "kodi.log").open("w") as log:
            screen = self._host.popen(
                *("Xvfb", "-displayfd", "1", "-screen", "0", "640x360x24", "-nolisten", "tcp"),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            assert screen.stdout
            display = screen.stdout.readline().strip()
            variables = {
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "XDG_RUNTIME_DIR": str(home / "run"),
                "DISPLAY": f":{display}",
                "LC_ALL": "C.UTF-8",
            }
            session = f"{SOUND} & exec kodi --standalone --audio-backend=pulseaudio"
            as_nobody = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
            self.process = self._host.popen(
                *(*as_nobody, "dbus-run-session", "--", "sh", "-c", session),
                env=variables,
                cwd=home,
                stdout=log,
                stderr=log,
            )
        self.until(lambda: self.ask("JSONRPC.Ping") == "pong")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.ask("Application.Quit")
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
        log = self._folder / "kodi" / ".kodi" / "temp" / "kodi.log"
        if log.exists():
            print(log.read_text()[-4000:])
        shutil.rmtree(self._folder / "kodi", ignore_errors=True)

    def ask(self, method: str, **params: Any) -> Any:
        """The result. Raises KodiError for an error that Kodi answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        _, _, said = request(
            self._host, "POST", self._url, body, {"Content-Type": "application/json", "Host": "kodi"}
        )
        answer = json.loads(said)
        if "error" in answer:
            raise KodiError(method, answer["error"])
        return answer["result"]

    def inside(self, directory: str) -> dict[str, str]:
        """Label → path of what is in a folder."""
        found = self.ask("Files.GetDirectory", directory=directory, media="video").get("files") or ()
        return {one["label"]: one["file"] for one in found}

    def until(self, true: Callable[[], Any]) -> Any:
        """What it says, once it is true."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if said := true():
                    return said
            except (OSError, urllib.error.URLError, KodiError):
                pass
            assert time.monotonic() < end, "Kodi did not come so far"
            time.sleep(0.2)


class KodiError(Exception):
    pass
