"""The parse cell: strangers' bytes are read only in a process that can reach nothing.

Run as a program, `python -I -S cell.py READABLE SECONDS MEGABYTES PROGRAM ARGUMENT…`: it gives away what it
has, then becomes PROGRAM. Standard input is the one file that PROGRAM may read, standard output its answer.

- Landlock (kernel 5.13 and later): of the file system only READABLE (paths, separated by `:`) and the file on
  standard input can be opened, nothing can be written or made; no TCP (6.7), no abstract sockets (6.12).
- An own network namespace without any interface, where the kernel lets us.
- Limits on memory, CPU time, file size and descriptors; lowest CPU and disk priority. Nothing may grow but a
  file that is the standard output: that may also be opened again by its number.
- The environment is the caller's to clean (ENVIRONMENT); the deadline is the caller's to keep.

On an installed machine the same cell stands in a unit of its own: cell_unit.py.

It imports the standard library alone, so that it starts in a few milliseconds.
"""

import ctypes
import os
import resource
import stat
import sys

# linux/landlock.h; the system calls have these numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All file system rights that a version of Landlock knows."""
_TCP = 0b11
_SCOPES = 0b11
_NO_NEW_PRIVILEGES = 38  # linux/prctl.h
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # linux/sched.h
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "armv7l": 314}
_IOPRIO_IDLE = 3 << 13

ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8"}
"""All that a program in the cell needs to know."""
_LARGEST_OUTPUT = 64 << 30
"""Bytes of a file that is the standard output."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def landlock_version() -> int:
    """0 where the kernel has none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def _allow(ruleset: int, fd: int, rights: int) -> None:
    rule = _PathBeneath(rights, fd)
    _libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)


def _output_is_a_file() -> bool:
    return stat.S_ISREG(os.fstat(1).st_mode)


def _lock_files(readable: list[str]) -> None:
    version = landlock_version()
    if not version:
        return
    rights = _FS_RIGHTS[min(version, 5)]
    wanted = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = int(_libc.syscall(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), 0))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    for path in readable:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        directory = os.path.isdir(path)
        _allow(ruleset, fd, _READ_FILE | _EXECUTE | (_READ_DIR if directory else 0))
        os.close(fd)
    _allow(ruleset, 0, _READ_FILE)
    if _output_is_a_file():
        _allow(ruleset, 1, rights & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
    if _libc.syscall(_RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "landlock")
    os.close(ruleset)


def enter(readable: list[str], seconds: int, megabytes: int) -> None:
    """Give everything away that can be given away."""
    os.closerange(3, 4096)
    os.umask(0o077)
    os.nice(19)
    machine = os.uname().machine
    if machine in _IOPRIO_SET:
        _libc.syscall(_IOPRIO_SET[machine], 1, 0, _IOPRIO_IDLE)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if _libc.unshare(_NEW_NETWORK):
        _libc.unshare(_NEW_USER | _NEW_NETWORK)
    for limit, value in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _LARGEST_OUTPUT if _output_is_a_file() else 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    _lock_files(readable)


if __name__ == "__main__":
    enter(sys.argv[1].split(":"), int(sys.argv[2]), int(sys.argv[3]))
    os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - the caller's own words, no shell
