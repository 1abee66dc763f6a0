"""The programs that Mantel stands beside. Each is started over a folder, on a free port, for one block.

Where one is not installed, Missing says how to get it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

START_SECONDS = 30
GERBERA = Path("/etc/gerbera/config.xml")
"""Gerbera 1.1 (Debian 12) cannot write one, as later ones do."""


class Missing(Exception):
    """The text is what the person may run."""


@dataclass(frozen=True)
class Peer:
    name: str
    version: str
    url: str
    pid: int


@asynccontextmanager
async def nginx(folder: Path, scratch: Path, tls: tuple[Path, Path] | None = None) -> AsyncIterator[Peer]:
    """sendfile, one worker; without tcp_nopush, which delays small ranges. `tls`: certificate and key."""
    program = _need("nginx", "apt install nginx-light")
    scratch.mkdir(parents=True, exist_ok=True)
    port = free_port()
    secure = f"ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]};" if tls else ""
    (scratch / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {scratch}/pid; error_log {scratch}/error.log; user root;\n"
        "events { worker_connections 1024; }\n"
        "http { sendfile on; access_log off; default_type video/mp4;"
        f" client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy;"
        f" fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi;"
        f" scgi_temp_path {scratch}/scgi;\n"
        f"server {{ listen 127.0.0.1:{port}{' ssl' if tls else ''} backlog=1024; {secure} root {folder};\n"
        'location = /tiny { return 200 "ok"; } } }\n'
    )
    said = subprocess.run([program, "-v"], capture_output=True, text=True).stderr
    argv = [program, "-p", str(scratch), "-c", str(scratch / "nginx.conf")]
    scheme = "https" if tls else "http"
    async with _running(argv, port) as pid:
        yield Peer("nginx", said.rpartition("/")[2].strip(), f"{scheme}://127.0.0.1:{port}", pid)


@asynccontextmanager
async def copyparty(folder: Path, scratch: Path) -> AsyncIterator[Peer]:
    """Read only for everybody, its index off."""
    if importlib.util.find_spec("copyparty") is None:
        raise Missing(".venv/bin/pip install copyparty")
    from copyparty.__version__ import S_VERSION  # type: ignore[import-not-found, unused-ignore]

    port = free_port()
    argv = [sys.executable, "-m", "copyparty", "-q", "-i", "127.0.0.1", "-p", str(port)]
    argv += ["-v", f"{folder}::r", "--no-thumb", "-nc", "1024"]
    async with _running(argv, port, {"HOME": str(scratch)}) as pid:
        yield Peer("copyparty", str(S_VERSION), f"http://127.0.0.1:{port}", pid)


@asynccontextmanager
async def minidlna(folder: Path, scratch: Path) -> AsyncIterator[Peer]:
    """Begins to scan at once; `minidlna_done` waits for it."""
    program = _need("minidlnad", "apt install minidlna")
    scratch.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (scratch / "minidlna.conf").write_text(
        f"media_dir={folder}\nport={port}\nnetwork_interface=lo\ndb_dir={scratch}/db\nlog_dir={scratch}\n"
        "inotify=no\nfriendly_name=bench\nmax_connections=300\n"
    )
    said = subprocess.run([program, "-V"], capture_output=True, text=True).stdout
    argv = [program, "-S", "-r", "-f", str(scratch / "minidlna.conf"), "-P", str(scratch / "pid")]
    async with _running(argv, port) as pid:
        yield Peer("minidlna", said.split()[-1], f"http://127.0.0.1:{port}", pid)


@asynccontextmanager
async def gerbera(folder: Path, scratch: Path, address: str) -> AsyncIterator[Peer]:
    """Over its package's configuration, with `folder` to be scanned at its start.

    `address`: ours, on `lan0`. libupnp takes no loopback, and no port below the dynamic ones (RFC 6335 §6).
    """
    program = _need("gerbera", "apt install gerbera")
    scratch.mkdir(parents=True, exist_ok=True)
    made = re.sub(r"<home>.*?</home>", f"<home>{scratch}</home>", GERBERA.read_text())
    (scratch / "config.xml").write_text(made)
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+[\d.]*", version)
    port = next(port for port in iter(free_port, 0) if port >= 49152)
    argv = [program, "-c", str(scratch / "config.xml"), "-m", str(scratch), "-p", str(port)]
    argv += ["-e", "lan0", "-a", str(folder), "-l", str(scratch / "log")]
    async with _running(argv, port, host=address) as pid:
        yield Peer("gerbera", found[0] if found else "?", f"http://{address}:{port}", pid)


def _need(program: str, how: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if not found:
        raise Missing(how)
    return found


@asynccontextmanager
async def _running(
    argv: Sequence[str], port: int, environment: dict[str, str] | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """The process id, once something listens on `port`."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                if process.returncode is not None:
                    raise RuntimeError(f"{argv[0]} ended at its start with {process.returncode}")
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
