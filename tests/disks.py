"""A real disk of a test's own: a filesystem in a file, on a loop device that the kernel keeps slow."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_V1 = Path("/sys/fs/cgroup/blkio")
_V2 = Path("/sys/fs/cgroup")


@contextmanager
def slow_disk(
    image: Path, size: int, *, read: int = 0, write: int = 0
) -> Iterator[tuple[Path, Callable[[int], None]]]:
    """A mounted ext4 of `size` bytes that reads and writes so many bytes a second (0: as it can).

    Gives the mount point, and a function that makes the disk slow for a process; on kernels with blkio groups
    of the old kind it is slow for everybody. Needs root.
    """
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0", str(image)], check=True)
    made = ["losetup", "--find", "--show", "--direct-io=on", str(image)]
    device = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    mount = image.with_suffix(".mnt")
    mount.mkdir()
    group = _V2 / f"mantel-test-{os.getpid()}"
    try:
        subprocess.run(["mount", device, str(mount)], check=True)
        number = os.stat(device).st_rdev
        name = f"{os.major(number)}:{os.minor(number)}"
        if _V1.is_dir():
            limits = {"read": read, "write": write}
            for way, speed in limits.items():
                (_V1 / f"blkio.throttle.{way}_bps_device").write_text(f"{name} {speed}")

            def join(pid: int) -> None:
                pass

        else:
            with contextlib.suppress(OSError):
                (_V2 / "cgroup.subtree_control").write_text("+io")
            group.mkdir()
            (group / "io.max").write_text(f"{name} rbps={read or 'max'} wbps={write or 'max'}")

            def join(pid: int) -> None:
                (group / "cgroup.procs").write_text(str(pid))

        try:
            yield mount, join
        finally:
            if _V1.is_dir():
                for way in ("read", "write"):
                    (_V1 / f"blkio.throttle.{way}_bps_device").write_text(f"{name} 0")
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)
        with contextlib.suppress(OSError):
            mount.rmdir()
        subprocess.run(["losetup", "-d", device], check=False)
        image.unlink()
        if group.is_dir():
            with contextlib.suppress(OSError):
                group.rmdir()


class Stick:
    """A small ext4 that comes and goes at `at`, as a USB disk does; its files stay. Needs root."""

    def __init__(self, image: Path, at: Path, size: int) -> None:
        self.at, self._image = at, image
        at.mkdir(exist_ok=True)
        with image.open("wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        self.plug()

    def plug(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.at)], check=True)

    def pull(self) -> None:
        """At once, whoever has files open there."""
        subprocess.run(["umount", "-l", str(self.at)], check=True)

    @property
    def plugged(self) -> bool:
        return os.path.ismount(self.at)

    def fill(self) -> None:
        """Somebody else takes all room that is left."""
        with (self.at / ".somebody-else").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))

    def empty(self) -> None:
        (self.at / ".somebody-else").unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Take a file out of the page cache."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
