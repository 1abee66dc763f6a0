"""What the parse cell keeps from whom it reads: as a child of ours, and as the unit that systemd starts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.library.cell_unit import serve
from appliance.library.parse import PARSE_SOCKET, Killed, NoProgram, Unreadable, in_cell, parse
from appliance.library.probe import ffprobe_arguments
from tests import media

HOSTILE = (Path(__file__).parents[2] / "fakes" / "hostile_reader.py").read_text()


def listen(at: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(at))
    listener.listen()
    return listener


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """cell_unit as systemd starts it, and told to parse there."""
    with listen(tmp_path / "socket") as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.library.cell_unit"],
            preexec_fn=lambda: os.dup2(listener.fileno(), 3),
            pass_fds=(3,),
        )
    monkeypatch.setenv(PARSE_SOCKET, str(tmp_path / "socket"))
    yield process
    process.kill()
    process.wait()


@pytest.fixture(params=["child", "unit"])
def cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to the cell in turn."""
    monkeypatch.delenv(PARSE_SOCKET, raising=False)
    if request.param == "unit":
        request.getfixturevalue("unit")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "media").write_text("the one file")
    fd = os.open(tmp_path / "media", os.O_RDONLY)
    yield fd
    os.close(fd)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-c", code, *arguments]


def running_with(word: str) -> list[Path]:
    """Processes with `word` in their arguments."""
    return [p for p in Path("/proc").glob("[0-9]*/cmdline") if word.encode() in _read(p)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


async def until_gone(word: str) -> None:
    async with asyncio.timeout(20):
        while running_with(word):
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("cell")
async def test_a_hostile_program_in_the_cell_reaches_nothing(
    tmp_path: Path, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANTEL_ADMIN_PASSWORD", "planted")
    (tmp_path / "secret").write_text("secret")
    called: list[object] = []
    server = await asyncio.start_server(lambda *peer: called.append(peer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        said = await parse(file, python(HOSTILE, str(tmp_path), str(port)))
    finally:
        server.close()
    assert said.decode() == "[] the one file\n"
    assert not called


@pytest.mark.usefixtures("cell")
async def test_a_program_that_does_not_end_is_killed_with_its_children(file: int) -> None:
    with pytest.raises(Unreadable, match="longer than"):
        await parse(file, python("import os\nos.fork()\nwhile True: pass"), deadline=1.5)
    with pytest.raises(Unreadable, match="more than"):
        await parse(file, python("while True: print('x' * 65536)"))
    await until_gone("os.fork()")


@pytest.mark.usefixtures("cell")
async def test_its_status_and_last_word_are_told(file: int) -> None:
    async with in_cell(file, python("raise SystemExit(7)"), 5) as program:
        assert await program.wait() == 7
    async with in_cell(file, python("while True: pass"), 5) as program:
        program.kill()
        assert await program.wait() == -9
    with pytest.raises(Unreadable, match=r"^the last word$"):
        await parse(file, python("import sys\nsys.exit('first\\nthe last word')"))
    with pytest.raises(NoProgram, match="no-such-program is not installed"):
        await parse(file, ["no-such-program"])


@pytest.mark.usefixtures("cell")
async def test_one_that_the_kernel_kills_is_not_called_unreadable_for_good(file: int) -> None:
    with pytest.raises(Killed):
        await parse(file, python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))


@pytest.mark.usefixtures("cell")
async def test_many_at_once_each_read_their_own_file(tmp_path: Path) -> None:
    async def read(number: int) -> bytes:
        path = tmp_path / str(number)
        path.write_text(str(number))
        fd = os.open(path, os.O_RDONLY)
        try:
            return await parse(fd, python("import sys; print(sys.stdin.read())"))
        finally:
            os.close(fd)

    assert await asyncio.gather(*map(read, range(12))) == [b"%d\n" % number for number in range(12)]


@pytest.mark.usefixtures("cell")
async def test_ffprobe_seeks_in_the_file_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(media.film())
    fd = os.open(tmp_path / "film.mp4", os.O_RDONLY)
    try:
        assert b'"codec_name": "h264"' in await parse(fd, ffprobe_arguments())
    finally:
        os.close(fd)


@pytest.mark.usefixtures("unit")
async def test_who_leaves_the_session_is_killed_with_its_program(file: int) -> None:
    """A double fork with a session of its own: the process group does not know it any more."""
    leaving = "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork(): time.sleep(1e6)\n"
    assert await parse(file, python(leaving)) == b""
    await parse(file, python("pass"))
    await until_gone("time.sleep(1e6)")


async def test_a_caller_that_is_killed_takes_its_program_along(
    file: int, tmp_path: Path, unit: subprocess.Popen[bytes]
) -> None:
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asking.connect(str(tmp_path / "socket"))
    endless = ["/usr", "60", "1024", "/usr/bin/python3", "-c", "while 'left alone': pass"]
    read_end, write_end = os.pipe()
    socket.send_fds(asking, ["\0".join(endless).encode()], [file, write_end, write_end])
    async with asyncio.timeout(20):
        while not running_with("left alone"):
            await asyncio.sleep(0.02)
    asking.close()
    await until_gone("left alone")
    os.close(read_end)
    os.close(write_end)
    assert unit.poll() is None


async def test_a_caller_may_leave_at_the_moment_its_program_ends(
    file: int, tmp_path: Path, unit: subprocess.Popen[bytes]
) -> None:
    """Both are known at once: the unit sleeps while they happen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.connect(str(tmp_path / "socket"))
        words = ["/usr", "60", "1024", "/usr/bin/python3", "-c", "input('last words')"]
        read_end, write_end = os.pipe()
        socket.send_fds(asking, ["\0".join(words).encode()], [read_end, file, file])
        async with asyncio.timeout(20):
            while not (there := running_with("last words")):
                await asyncio.sleep(0.02)
        unit.send_signal(signal.SIGSTOP)
        os.close(write_end)
        await until_gone("last words")
    assert len(there) == 1
    unit.send_signal(signal.SIGCONT)
    assert await parse(file, python("print(1)")) == b"1\n"
    assert unit.poll() is None
    os.close(read_end)


async def test_what_is_no_request_is_refused_and_harms_nobody(
    file: int, tmp_path: Path, unit: subprocess.Popen[bytes]
) -> None:
    for words, given in (
        (b"", []),
        (b"x", [file]),
        (b"x", [file] * 3),
        (b"/usr\0one\0two\0/bin/true", [file] * 3),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.connect(str(tmp_path / "socket"))
            socket.send_fds(asking, [words], given)
            answer = await asyncio.to_thread(asking.recv, 16)
            assert answer == (b"127" if len(given) == 3 else b"")
    assert await parse(file, python("print(1)")) == b"1\n"
    assert unit.poll() is None


async def test_without_its_unit_nothing_is_parsed_by_a_child(
    tmp_path: Path, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PARSE_SOCKET, str(tmp_path / "nobody"))
    with pytest.raises(NoProgram, match="mantel-parse does not answer"):
        await parse(file, python("print(1)"))
    with listen(tmp_path / "deaf") as listener:
        monkeypatch.setenv(PARSE_SOCKET, str(tmp_path / "deaf"))
        asked = asyncio.create_task(parse(file, python("print(1)")))
        await asyncio.sleep(0)
        accepted, _ = await asyncio.to_thread(listener.accept)
        accepted.close()
        with pytest.raises(NoProgram, match="mantel-parse has gone"):
            await asked


def test_it_ends_when_nobody_asks(tmp_path: Path) -> None:
    with listen(tmp_path / "socket") as listener:
        serve(listener, idle=0.01)
