"""Nothing leads out of a root, with openat2 and without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.library import tree


@pytest.fixture(params=["openat2", "steps"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    if request.param == "steps":
        monkeypatch.setattr(tree, "_OPENAT2", 100_000)  # a call that no kernel has: ENOSYS
    media = tmp_path / "media"
    (media / "inner").mkdir(parents=True)
    (media / "inner/film.mp4").write_bytes(b"film")
    (tmp_path / "secret").write_bytes(b"secret")
    (media / "link.mp4").symlink_to(tmp_path / "secret")
    (media / "inside.mp4").symlink_to("inner/film.mp4")
    (media / "way").symlink_to(tmp_path)
    os.mkfifo(media / "pipe.mp4")
    fd = os.open(media, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_a_regular_file_opens(root: int) -> None:
    fd = tree.open_file(root, b"inner/film.mp4")
    assert os.read(fd, 10) == b"film"
    assert tree.inode_at(root, b"inner/film.mp4") == os.fstat(fd).st_ino
    os.close(fd)


@pytest.mark.parametrize(
    "path",
    [
        b"link.mp4",
        b"inside.mp4",
        b"way/secret",
        b"../secret",
        b"inner/../../secret",
        b"/etc/passwd",
        b"inner//film.mp4",
        b"inner/film.mp4\0.txt",
        b"pipe.mp4",
        b"inner",
        b"nothing",
    ],
)
def test_all_else_does_not(root: int, path: bytes) -> None:
    open_before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the way
        tree.open_file(root, path)
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_a_mount_below_is_not_entered(root: int) -> None:
    slash = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(OSError):  # noqa: PT011
        tree.open_file(slash, b"proc/version")
    assert b"proc" not in [one.name for one in tree.list_folder(slash, b"").folders]
    os.close(slash)


def test_renaming_never_replaces(root: int, tmp_path: Path) -> None:
    (tmp_path / "media/other").write_bytes(b"other")
    with pytest.raises(FileExistsError), tree.opened(root, b"inner", os.O_RDONLY | os.O_DIRECTORY) as inner:
        tree.rename_new(root, b"other", inner, b"film.mp4")
    assert (tmp_path / "media/inner/film.mp4").read_bytes() == b"film"
    assert (tmp_path / "media/other").read_bytes() == b"other"


def test_another_case_is_the_file_itself_in_its_own_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on exFAT, where every spelling of a name is taken."""

    def taken(*_: object) -> None:
        raise FileExistsError

    monkeypatch.setattr(tree, "_rename_free", taken)
    for name in ("one/a.mp4", "two/A.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    one, two = (os.open(tmp_path / name, os.O_RDONLY) for name in ("one", "two"))
    again = os.dup(one)
    try:
        for target, new_name in ((two, b"A.mp4"), (two, b"a.mp4"), (again, b"b.mp4"), (again, b"a.mp4")):
            with pytest.raises(FileExistsError):
                tree.rename_new(one, b"a.mp4", target, new_name)
        tree.rename_new(one, b"a.mp4", again, b"A.MP4")
    finally:
        for fd in (one, two, again):
            os.close(fd)
    assert (tmp_path / "one/A.MP4").read_text() == "one/a.mp4"
    assert (tmp_path / "two/A.mp4").read_text() == "two/A.mp4"
