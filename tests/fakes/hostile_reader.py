"""A program that a stranger's file has taken over: it says what it could do, and what its input holds.

`hostile_reader.py FOLDER PORT`: FOLDER belongs to whom it attacks, on PORT of 127.0.0.1 somebody listens.
"""

import contextlib
import os
import socket
import subprocess
import sys

folder, port = sys.argv[1], int(sys.argv[2])
could = []


def attempt(name, do):
    try:
        do()
    except BaseException:
        return
    could.append(name)


def write_somewhere():
    """In any folder that is seen, and in those that are often everybody's."""
    seen = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/home", "/root"]
    for top, inner, _ in os.walk("/"):
        inner[:] = [
            name for name in inner if os.path.join(top, name) not in ("/proc", "/sys", "/usr", "/opt")
        ]
        seen.append(top)
    for name in seen:
        with contextlib.suppress(OSError):
            open(name + "/mantel-hostile", "w").close()
            return
    raise OSError


def look_around():
    """Into the process that started us, and into others of our user."""
    os.listdir(f"/proc/{os.getppid()}/fd")


attempt("reads the folder", lambda: open(folder + "/secret").read())
attempt("lists the folder", lambda: os.listdir(folder))
attempt("reads passwords", lambda: open("/etc/passwd").read())
attempt("writes there", lambda: open(folder + "/new", "w"))
attempt("writes somewhere", write_somewhere)
attempt("writes to its input", lambda: open("/proc/self/fd/0", "r+"))
attempt("calls out", lambda: socket.create_connection(("127.0.0.1", port), 2))
attempt("sends", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)))
attempt("hoards", lambda: bytearray(3 << 30))
attempt("sees secrets", lambda: os.environ["MANTEL_ADMIN_PASSWORD"])
attempt("has another file", lambda: [os.fstat(n) for n in range(3, 64) if n != 3])
attempt("looks into its parent", look_around)
attempt(
    "becomes root", lambda: subprocess.run(["/usr/bin/su", "-c", "true"], check=True, capture_output=True)
)
print(could, sys.stdin.read())
