"""A way out for a machine that has none: an HTTP proxy on its loopback that reaches package registries only.

Which registries is read from the configuration of the machine that runs the tests: its apt sources and its
pip. Nothing else is reached.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.netns import Host

APT_SOURCES = Path("/etc/apt/sources.list.d")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
RELAY_SIZE = 64 * 1024
"""Bytes passed on at a time."""


def debian_sources(release: str) -> str:
    """The machine's own Debian archive lines, in one-line style, for another release.

    Raises LookupError where the machine is not a Debian with its archive configured.
    """
    own = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().split("\n") if "=" in line)
    codename = own["VERSION_CODENAME"].strip('"')
    lines = []
    for uri, suite in _archives():
        if re.fullmatch(rf"{codename}(-updates|-security)?", suite):
            lines.append(f"deb {uri} {suite.replace(codename, release)} main")
    if not lines:
        raise LookupError(f"no apt source of {codename} found in {APT_SOURCES}")
    return "\n".join(lines) + "\n"


def debian_mirror(release: str) -> str:
    """The archive that holds `release` itself, for debootstrap."""
    return next(
        line.split()[1] for line in debian_sources(release).split("\n") if line.endswith(f"{release} main")
    )


def _archives() -> Iterator[tuple[str, str]]:
    """(URI, suite) of every source of this machine, in both of apt's styles."""
    for file in (APT_SOURCES.parent / "sources.list", *sorted(APT_SOURCES.glob("*.*"))):
        text = file.read_text() if file.exists() else ""
        if file.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", text):
                fields = dict(re.findall(r"^(\w[\w-]*):\s*(.+)$", stanza, re.MULTILINE))
                if "deb" in fields.get("Types", "").split():
                    for uri in fields["URIs"].split():
                        yield from ((uri, suite) for suite in fields["Suites"].split())
        else:
            yield from re.findall(r"^deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)", text, re.MULTILINE)


def python_index() -> str:
    """URL of the index that this machine's pip asks."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    ).stdout.strip()
    return os.environ.get("PIP_INDEX_URL") or asked or _pip_default()[0]


def _pip_default() -> tuple[str, str]:
    """(index URL, host of its files) as pip itself knows them."""
    code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url, PyPI.file_storage_domain)"
    index, files = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    return index, files


def known_hosts(release: str) -> frozenset[str]:
    """Names of the hosts that a machine of `release` may reach."""
    urls = [line.split()[1] for line in debian_sources(release).splitlines()] + [python_index()]
    return frozenset({urlsplit(url).hostname or "" for url in urls} | {_pip_default()[1]})


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if not self._known(host):
            return
        with socket.create_connection((host, int(port)), 60) as far:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            _pass_on(self.connection, far)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if not self._known(url.hostname or ""):
            return
        far = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=60)
        headers = {
            k: v for k, v in self.headers.items() if not k.lower().startswith(("proxy-", "connection"))
        }
        try:
            far.request("GET", url.path + (f"?{url.query}" if url.query else ""), headers=headers)
            answer = far.getresponse()
            self.send_response(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "keep-alive", "date", "server"):
                    self.send_header(name, value)
            if not answer.getheader("content-length") and answer.status not in (204, 304):
                self.send_header("Connection", "close")
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile, RELAY_SIZE)
        finally:
            far.close()

    def _known(self, host: str) -> bool:
        if host in self.server.hosts:
            return True
        self.server.refused.append(host)
        self.send_error(403, "not a registry of this machine")
        return False

    def log_message(self, *_: object) -> None:
        """Says nothing: apt and pip tell of their own failures."""


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(near, selectors.EVENT_READ, far)
        ready.register(far, selectors.EVENT_READ, near)
        while events := ready.select(timeout=120):
            for key, _ in events:
                data = key.fileobj.recv(RELAY_SIZE)  # type: ignore[union-attr]
                if not data:
                    return
                key.data.sendall(data)


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    hosts: frozenset[str] = frozenset()
    refused: list[str]

    def handle_error(self, *_: object) -> None:
        """A broken connection is the client's to report."""


@contextlib.contextmanager
def proxy(host: Host, release: str) -> Iterator[str]:
    """Serves on `host`'s loopback inside the block; gives the proxy's URL."""
    with host.entered():
        server = _Proxy(("127.0.0.1", 0), _Relay)
    server.hosts, server.refused = known_hosts(release), []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
