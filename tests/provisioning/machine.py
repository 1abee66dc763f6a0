"""A Debian machine on a host of a House: systemd is PID 1, root logs in by ssh, the disk is thrown away.

It is an overlay over a pristine debootstrap tree, booted by systemd-nspawn. The tree is made once and kept
in MANTEL_TEST_CACHE (default /var/cache/mantel-tests), outside the checkout. Needs root.

What this machine cannot show: memory and task limits are not enforced where the host's controllers are on
cgroup v1, and `power_cut` kills every process at once but keeps what the kernel had not yet written.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.netns import Host
from tests.provisioning.registries import CA_BUNDLE, debian_mirror, debian_sources, proxy

CACHE = Path(os.environ.get("MANTEL_TEST_CACHE", "/var/cache/mantel-tests"))
PACKAGES = (
    "systemd,systemd-sysv,dbus,python3,python3-apt,iproute2,ca-certificates,openssh-server,procps,tzdata"
)
"""What a fresh Debian or Raspberry Pi OS has and a minimal debootstrap has not."""
HALT = signal.SIGRTMIN + 3
"""systemd(1), signals: halts the machine. Sent to its init, never to systemd-nspawn."""
_count = itertools.count()


def pristine(release: str) -> Path:
    """Folder with an untouched `release` (bookworm, trixie); made now if it is missing, in about a minute."""
    CACHE.mkdir(parents=True, exist_ok=True)
    tree = CACHE / f"{release}.pristine"
    with open(CACHE / f"{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            fresh = CACHE / f"{release}.fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            subprocess.run(
                [
                    "debootstrap",
                    "--variant=minbase",
                    f"--include={PACKAGES}",
                    release,
                    fresh,
                    debian_mirror(release),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            # a machine makes its own identity at its first boot
            (fresh / "etc/machine-id").write_text("")
            (fresh / "etc/apt/sources.list").write_text(debian_sources(release))
            shutil.rmtree(fresh / "var/cache/apt/archives", ignore_errors=True)
            (fresh / "var/cache/apt/archives/partial").mkdir(parents=True)
            fresh.rename(tree)
    return tree


class Machine:
    """Booted at once; `address` answers ssh for root with `key`."""

    def __init__(self, host: Host, release: str, folder: Path) -> None:
        self.host = host
        self.release = release
        self.name = f"mantel-{os.getpid()}-{next(_count)}"
        self.root = folder / "root"
        """The machine's disk, as seen from outside while it is mounted."""
        self.key = folder / "id"
        self._folder = folder
        self._nspawn: subprocess.Popen[Any] | None = None
        self._leader = 0

    @property
    def address(self) -> str:
        return self.host.address

    def mount(self) -> None:
        for part in ("root", "upper", "work"):
            (self._folder / part).mkdir(parents=True)
        layers = (
            f"lowerdir={pristine(self.release)},upperdir={self._folder}/upper,workdir={self._folder}/work"
        )
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)

    def prepare(self, way_out: str) -> None:
        """Leaves on the disk what an owner would: an ssh key, and where apt and pip find their registries."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        ssh = self.root / "root/.ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), ssh / "authorized_keys")
        (self.root / "etc/hostname").write_text("box\n")
        (self.root / "etc/apt/apt.conf.d/90registries").write_text(
            f'Acquire::http::Proxy "{way_out}";\nAcquire::https::Proxy "{way_out}";\n'
            'APT::Keep-Downloaded-Packages "true";\n'
        )
        shutil.copy(CA_BUNDLE, self.root / "etc/ssl/registries.crt")
        (self.root / "etc/pip.conf").write_text(
            f"[global]\nproxy = {way_out}\ncert = /etc/ssl/registries.crt\ndisable-pip-version-check = true\n"
        )

    def start(self, timeout: float = 120) -> None:
        """Boots and returns when systemd has nothing left to start and ssh answers."""
        packages = CACHE / f"{self.release}.packages"
        wheels = CACHE / "wheels"
        for folder in (packages / "partial", wheels):
            folder.mkdir(parents=True, exist_ok=True)
        self._nspawn = subprocess.Popen(
            [
                *("systemd-nspawn", "-q", "-D", self.root, f"--machine={self.name}", "--boot"),
                *("--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{self.host.netns}"),
                *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"),
                # as on a real machine: its root rules its network
                "--capability=CAP_NET_ADMIN",
                f"--bind={packages}:/var/cache/apt/archives",
                f"--bind={wheels}:/root/.cache/pip",
            ],
            stdin=subprocess.DEVNULL,
            stdout=open(self._folder / "console", "ab"),
            stderr=subprocess.STDOUT,
            preexec_fn=self._own_cgroup,
        )
        end = time.monotonic() + timeout
        while not (self._leader and self._running()):
            if self._nspawn.poll() is not None or time.monotonic() > end:
                raise RuntimeError(
                    f"{self.name} does not boot: {(self._folder / 'console').read_text()[-2000:]}"
                )
            self._leader = _child(self._nspawn.pid)
            time.sleep(0.05)
        self.host.wait_for_port(22)

    def _own_cgroup(self) -> None:
        """Without it all machines share one payload group and disturb each other."""
        for group in self._cgroups():
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _cgroups(self) -> list[Path]:
        top = Path("/sys/fs/cgroup")
        hierarchies = [top / "systemd", top / "unified"] if (top / "systemd").is_dir() else [top]
        return [h / self.name for h in hierarchies if (h / "cgroup.procs").exists()]

    def _running(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def run(
        self, *command: str | Path, check: bool = True, timeout: float = 120, **kwargs: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs `command` as root on the machine, around ssh. CalledProcessError carries what it said."""
        words = ["nsenter", "-t", str(self._leader), "-a", "--wdns=/", "env", "-i"]
        words += [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL=C.UTF-8",
            "HOME=/root",
        ]
        try:
            return subprocess.run(
                [*words, *map(str, command)],
                check=check,
                timeout=timeout,
                capture_output=True,
                text=True,
                **kwargs,
            )
        except subprocess.CalledProcessError as error:
            error.add_note(f"{error.stdout}{error.stderr}")
            raise

    def halt(self, timeout: float = 90) -> None:
        """Shuts down as the power button does."""
        self._end(HALT, timeout)

    def power_cut(self) -> None:
        """Every process is gone at once, without a word."""
        self._end(signal.SIGKILL, 10)

    def reboot(self) -> None:
        self.halt()
        self.start()

    def _end(self, number: int, timeout: float) -> None:
        if self._nspawn is None:
            return
        if self._leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader, number)
        try:
            self._nspawn.wait(timeout)
        except subprocess.TimeoutExpired:
            for pid in (self._leader, self._nspawn.pid):
                if pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self._nspawn.wait(10)
        self._nspawn, self._leader = None, 0

    def remove(self) -> None:
        self.power_cut()
        subprocess.run(["umount", "-l", self.root], check=False, capture_output=True)
        for group in self._cgroups():
            for inner in sorted(group.rglob("*/"), key=lambda p: len(p.parts), reverse=True):
                with contextlib.suppress(OSError):
                    inner.rmdir()
            with contextlib.suppress(OSError):
                group.rmdir()


def _child(pid: int) -> int:
    """Process id of the only child, or 0 while there is none."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0
    return 0


@contextlib.contextmanager
def booted(host: Host, release: str, folder: Path) -> Iterator[Machine]:
    """A fresh machine on `host`, running inside the block, its registries within reach."""
    machine = Machine(host, release, folder)
    with proxy(host, release) as way_out:
        try:
            machine.mount()
            machine.prepare(way_out)
            machine.start()
            yield machine
        finally:
            machine.remove()
