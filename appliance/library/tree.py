"""Opening and listing beneath a root's descriptor, so that no name ever leads out of it.

Rule 1: a path is root-relative bytes; it is resolved from the root's descriptor, never from a string path.
Rule 2: no symbolic link, no magic link and no mount point is followed.
Rule 3: only regular files are opened for reading, and without waiting for one (a FIFO would block).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.library.names import is_hidden

DEEPEST = 64
"""Folders inside folders; what lies deeper is not looked at."""

# openat2(2): number and flags are the same on every architecture.
_OPENAT2 = 437
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


REMOTE = frozenset("nfs nfs4 cifs smb3 9p afs ceph fuse.sshfs fuse.rclone virtiofs".split())
"""File systems whose other users' changes are not noticed here."""
RENUMBERED = frozenset("vfat msdos exfat fuse fuseblk 9p cifs smb3".split())
"""File systems that may give a file another inode, and its old one to another file, at any time; so may all
of FUSE. FAT and exFAT have none on the disk: the kernel makes them up."""


@dataclass(frozen=True)
class Seen:
    """One name in a folder, as the disk has it."""

    name: bytes
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True)
class Listing:
    folders: tuple[Seen, ...]
    files: tuple[Seen, ...]
    mounts: frozenset[bytes] = frozenset()
    """Names on which another file system is mounted: it is not entered, and what it hides is not gone."""


def signed(inode: int) -> int:
    """An inode number as a signed 64-bit integer, which is what a database column holds."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def open_beneath(root: int, path: bytes, flags: int) -> int:
    """A descriptor of `path` beneath the root's descriptor. Raises OSError, also for a link on the way."""
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    if not flags & os.O_PATH:  # openat2 refuses the two together
        flags |= os.O_NONBLOCK
    parts = path.split(b"/") if path else [b"."]
    if b".." in parts or b"" in parts or b"\0" in path:
        raise OSError(errno.EXDEV, "no path beneath a root", path)
    how = _OpenHow(flags, 0, _RESOLVE)
    found = int(
        _libc.syscall(_OPENAT2, root, path or b".", ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how)))
    )
    if found >= 0:
        return found
    code = ctypes.get_errno()
    if code not in (errno.ENOSYS, errno.EPERM):  # EPERM: a container's filter that does not know the call
        raise OSError(code, os.strerror(code), path)
    return _open_by_steps(root, parts, flags)


def _open_by_steps(root: int, parts: list[bytes], flags: int) -> int:
    device = os.fstat(root).st_dev
    at = os.dup(root)
    try:
        for last, part in ((n == len(parts) - 1, part) for n, part in enumerate(parts)):
            step = flags if last else os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, step, dir_fd=at)
            os.close(at)
            at = inner
            if os.fstat(at).st_dev != device:
                raise OSError(errno.EXDEV, "a mount point", part)
        return at
    except BaseException:
        os.close(at)
        raise


@contextmanager
def opened(root: int, path: bytes, flags: int) -> Iterator[int]:
    fd = open_beneath(root, path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def make_folder(root: int, parent: bytes, name: bytes) -> int:
    """A folder in a folder, durable; fine when it is there. Returns its inode. Raises OSError."""
    with opened(root, parent, os.O_RDONLY | os.O_DIRECTORY) as fd:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o775, dir_fd=fd)
            os.fsync(fd)
    with opened(root, parent + b"/" + name if parent else name, os.O_PATH | os.O_DIRECTORY) as made:
        return signed(os.fstat(made).st_ino)


def rename_new(source: int, name: bytes, target: int, new_name: bytes) -> None:
    """Rename between two open folders, durable, never over another file: FileExistsError then.

    On exFAT `ONE.mp4` is there when `One.mp4` is: within its folder a file is not in its own way.
    """
    try:
        _rename_free(source, name, target, new_name)
    except FileExistsError:
        if not _is_other_spelling(source, name, target, new_name):
            raise
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
    os.fsync(target)
    if source != target:
        os.fsync(source)


def _is_other_spelling(source: int, name: bytes, target: int, new_name: bytes) -> bool:
    """Whether what is in the way is the file itself. Through FUSE its two spellings have two inodes, but one
    alone is listed. In another folder `A.mp4` is another file than our `a.mp4`."""
    if name.lower() != new_name.lower() or not os.path.samestat(os.fstat(source), os.fstat(target)):
        return False
    listed = set(map(os.fsencode, os.listdir(target)))
    return name in listed and new_name not in listed


def _rename_free(source: int, name: bytes, target: int, new_name: bytes) -> None:
    """Without RENAME_NOREPLACE (exFAT, NFS) an empty placeholder takes the name first."""
    if _libc.renameat2(source, name, target, new_name, _RENAME_NOREPLACE) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(code, os.strerror(code), new_name)
    os.close(os.open(new_name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, dir_fd=target))
    try:
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
    except OSError:
        os.unlink(new_name, dir_fd=target)
        raise


def filesystem(fd: int) -> str:
    """The type of the file system that a folder lies on, by the mount table (proc(5), mountinfo); or ""."""
    device = os.fstat(fd).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [wanted] and after.split()[:1]:
            return after.split()[0]
    return ""


def open_file(root: int, path: bytes) -> int:
    """A regular file for reading. Raises OSError; anything but a regular file is ENOENT."""
    fd = open_beneath(root, path, os.O_RDONLY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, "no regular file", path)
    return fd


def inode_at(root: int, path: bytes) -> int | None:
    """The inode that lies at `path` now; None when nothing does."""
    try:
        with opened(root, path, os.O_PATH) as fd:
            return signed(os.fstat(fd).st_ino)
    except OSError:
        return None


def list_folder(root: int, path: bytes) -> Listing:
    """What lies in a folder: folders and regular files, hidden names left out. Raises OSError."""
    folders, files, mounts = [], [], []
    with opened(root, path, os.O_RDONLY | os.O_DIRECTORY) as fd:
        device = os.fstat(fd).st_dev
        with os.scandir(fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if is_hidden(name):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone since the folder was read
                if found.st_dev != device:
                    mounts.append(name)
                    continue
                seen = Seen(name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, signed(found.st_ino))
                if stat.S_ISDIR(found.st_mode):
                    folders.append(seen)
                elif stat.S_ISREG(found.st_mode):
                    files.append(seen)
    return Listing(tuple(folders), tuple(files), frozenset(mounts))
