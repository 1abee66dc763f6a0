"""A household's network out of Linux network namespaces: a switch, a server, a TV, a phone.

    with House() as house:
        renderer = house.tv.popen("gmediarender", "-I", "lan0")
        house.phone.run("curl", "-f", f"http://{house.server.address}:8000/healthz")

Needs root and iproute2. No host has a way out: what is sent stays among them. Namespaces carry the process
id of the test run, so two runs do not meet, and what a killed run left is removed by the next.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RUNNING_AS = re.compile(r"mantel-(\d+)-\d+-.+")
NUMBERS = {"server": 10, "tv": 20, "phone": 30, "ctl": 40}
"""Last part of a host's address on each of its LANs. Hosts of other names count on from 50."""
EVERYONE = ("server", "tv", "phone", "ctl")

_count = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


class Host:
    """One machine. `address` and `mac` are those on its first LAN; further ones by interface name."""

    def __init__(self, name: str, netns: str) -> None:
        self.name = name
        self.netns = netns
        """Name under /run/netns."""
        self.addresses: dict[str, str] = {}
        self.macs: dict[str, str] = {}
        self._started: list[subprocess.Popen[Any]] = []

    @property
    def address(self) -> str:
        return next(iter(self.addresses.values()))

    @property
    def mac(self) -> str:
        return next(iter(self.macs.values()))

    def run(
        self, *command: str | Path, check: bool = True, timeout: float = 60, **kwargs: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs `command` on this host to its end; its output is captured as text unless told otherwise.

        Raises CalledProcessError (check) and TimeoutExpired (seconds).
        """
        kwargs = {"text": True, "stdin": subprocess.DEVNULL} | kwargs
        if "stdout" not in kwargs and "stderr" not in kwargs:
            kwargs["capture_output"] = True
        if "input" in kwargs:
            del kwargs["stdin"]
        try:
            return subprocess.run(self.command(*command), check=check, timeout=timeout, **kwargs)
        except subprocess.CalledProcessError as error:
            error.add_note(f"on {self.name}: {error.stdout or ''}{error.stderr or ''}")
            raise

    def popen(self, *command: str | Path, **kwargs: Any) -> subprocess.Popen[Any]:
        """Starts `command` on this host in a session of its own. It ends with the house at the latest."""
        kwargs = {"stdin": subprocess.DEVNULL, "start_new_session": True} | kwargs
        process = subprocess.Popen(self.command(*command), **kwargs)
        self._started.append(process)
        return process

    def command(self, *command: str | Path) -> list[str]:
        """The words that run `command` on this host, for asyncio.create_subprocess_exec and the like."""
        return ["ip", "netns", "exec", self.netns, *map(str, command)]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread opens inside the block belong to this host, also after the block.

        Only the calling thread moves: an executor's threads stay where they are.
        """
        with open(f"/proc/self/task/{threading.get_native_id()}/ns/net") as home:
            with open(f"/run/netns/{self.netns}") as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def wait_for_port(self, port: int, timeout: float = 10) -> None:
        """Returns as soon as a TCP connection to this host's own address succeeds; TimeoutError (seconds)."""
        end = time.monotonic() + timeout
        while True:
            try:
                with self.entered(), socket.create_connection((self.address, port), timeout=1):
                    return
            except OSError as error:
                if time.monotonic() > end:
                    raise TimeoutError(f"{self.name} does not listen on {port}") from error
                time.sleep(0.05)

    def stop(self) -> None:
        """Ends what `popen` started, each with its session: SIGTERM, after 2 s SIGKILL."""
        for process in reversed(self._started):
            _signal_session(process, signal.SIGTERM)
        for process in reversed(self._started):
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                pass
            _signal_session(process, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self._started.clear()


class House:
    """LANs by interface name, each a switch and its hosts: lan0 is 10.77.0.0/24, the next 10.77.1.0/24.

    `House({"lan0": EVERYONE, "lan1": ("server", "desk")})` gives the server two legs. A host's multicast goes
    out on its first LAN unless a socket says otherwise.
    """

    server: Host
    tv: Host
    phone: Host
    ctl: Host

    def __init__(self, lans: Mapping[str, Sequence[str]] | None = None) -> None:
        self._lans = lans or {"lan0": EVERYONE}
        self._prefix = f"mantel-{os.getpid()}-{next(_count)}"
        self.switch = f"{self._prefix}-switch"
        """Namespace of the bridges: `br-lan0` … sees all frames of a LAN, for tcpdump."""
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> House:
        _remove_leftovers()
        try:
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def _build(self) -> None:
        _ip("netns", "add", self.switch)
        for third, (interface, names) in enumerate(self._lans.items()):
            bridge = f"br-{interface}"
            kind = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0".split()
            _ip("-n", self.switch, "link", "add", bridge, *kind)
            _ip("-n", self.switch, "link", "set", bridge, "up")
            for name in names:
                self._plug(self._host(name), interface, bridge, third)

    def _host(self, name: str) -> Host:
        if name not in self.hosts:
            host = self.hosts[name] = Host(name, f"{self._prefix}-{name}")
            setattr(self, name, host)
            _ip("netns", "add", host.netns)
            _ip("-n", host.netns, "link", "set", "lo", "up")
        return self.hosts[name]

    def _plug(self, host: Host, interface: str, bridge: str, third: int) -> None:
        others = [name for name in self.hosts if name not in NUMBERS]
        number = NUMBERS[host.name] if host.name in NUMBERS else 50 + 10 * others.index(host.name)
        address, mac = f"10.77.{third}.{number}", f"02:77:00:00:{third:02x}:{number:02x}"
        port = f"{interface}-{number}"
        peer = ("peer", "name", interface, "address", mac, "netns", host.netns)
        _ip("-n", self.switch, "link", "add", port, "type", "veth", *peer)
        _ip("-n", self.switch, "link", "set", port, "master", bridge, "up")
        _ip("-n", host.netns, "addr", "add", f"{address}/24", "brd", "+", "dev", interface)
        _ip("-n", host.netns, "link", "set", interface, "up")
        if not host.addresses:
            _ip("-n", host.netns, "route", "add", "224.0.0.0/4", "dev", interface)
        host.addresses[interface], host.macs[interface] = address, mac

    def _remove(self) -> None:
        for host in self.hosts.values():
            host.stop()
        for netns in (*(host.netns for host in self.hosts.values()), self.switch):
            subprocess.run(["ip", "netns", "del", netns], check=False, capture_output=True)


def leave_for_own_lan() -> str:
    """The calling thread, and what it starts from now on, are alone on a LAN; its address there.

    For programs that refuse loopback (libupnp's). Raises OSError without root.
    """
    if _libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "lan0", "type", "veth", "peer", "name", "switch0")
    for end in ("switch0", "lan0"):
        _ip("link", "set", end, "up")
    _ip("addr", "add", "10.77.0.10/24", "brd", "+", "dev", "lan0")
    _ip("route", "add", "224.0.0.0/4", "dev", "lan0")
    return "10.77.0.10"


def _remove_leftovers() -> None:
    """Removes the namespaces of test runs that are no more."""
    folder = Path("/run/netns")
    for entry in folder.iterdir() if folder.is_dir() else ():
        match = RUNNING_AS.fullmatch(entry.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            subprocess.run(["ip", "netns", "del", entry.name], check=False, capture_output=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()} (root is needed)")


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _signal_session(process: subprocess.Popen[Any], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
