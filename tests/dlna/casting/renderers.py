"""Real renderers for tests: gmediarender and Rygel's, started on a host of a house."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.netns import Host


def gmediarender(host: Host, folder: Path, name: str = "Living room") -> subprocess.Popen[Any]:
    """`fakesink sync=true` keeps time as a TV does, without picture or sound."""
    folder.mkdir(parents=True, exist_ok=True)
    return host.popen(
        "gmediarender",
        *("-f", name, "-I", "lan0", "--logfile", str(folder / "gmediarender.log")),
        *("--gstout-audiopipe=fakesink sync=true", "--gstout-videopipe=fakesink sync=true"),
        env={"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def rygel(host: Host, folder: Path, name: str = "Study") -> subprocess.Popen[Any]:
    """Rygel's playbin renderer; it wants a session bus and reads its settings from $HOME alone."""
    config = folder / ".config"
    config.mkdir(parents=True, exist_ok=True)
    sinks = "audio-sink=fakesink sync=true\nvideo-sink=fakesink sync=true"
    (config / "rygel.conf").write_text(
        "[general]\ninterface=lan0\nupnp-enabled=true\nenable-transcoding=false\n"
        f"[Playbin]\nenabled=true\ntitle={name}\n{sinks}\n"
    )
    return host.popen(
        *("dbus-run-session", "--", "rygel"),
        env={
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(config),
            "XDG_RUNTIME_DIR": str(folder),
            "PATH": "/usr/bin:/bin",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def clip(folder: Path, name: str = "clip.mp4", seconds: int = 30) -> Path:
    """A small H.264 and AAC film, as phones make them."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-nostdin", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=15:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30"),
            *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", str(target)),
        ],
        check=True,
        timeout=60,
    )
    return target
