"""Names that clients send, made fit for a disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Invalid
from appliance.library.names import is_hidden
from appliance.library.places import check_name
from appliance.uploads.names import LONGEST_NAME, clean_folder, clean_name, numbered


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("film.mkv", "film.mkv"),
        ("C:\\Users\\Mira\\film.mkv", "film.mkv"),
        ("../../etc/passwd", "passwd"),
        (".bashrc", "bashrc"),
        ("...", None),
        ("", None),
        ("/", None),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\r\nb\0.txt", "ab.txt"),
        ("Cafe\u0301.mp3", "Café.mp3"),
        ("what?.txt", "what_.txt"),
        ("CON.txt", "_CON.txt"),
        ("trailing. . ", "trailing"),
        ("👩‍👩‍👧.jpg", "👩👩👧.jpg"),
    ],
)
def test_examples(sent: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(Invalid):
            clean_name(sent)
    else:
        assert clean_name(sent) == name


def test_long_name_keeps_its_extension() -> None:
    name = clean_name("ø" * 400 + ".mp4")
    assert name.endswith("ø.mp4")
    assert len(numbered(name, 9999).encode()) <= LONGEST_NAME


@given(st.text(min_size=1, max_size=400))
def test_whatever_is_sent_becomes_a_plain_name_or_an_error(sent: str) -> None:
    try:
        name = clean_name(sent)
    except Invalid:
        return
    assert "/" not in name
    assert not is_hidden(name.encode()) or name in ("lost+found", "@eaDir", "Thumbs.db", "desktop.ini")
    assert len(numbered(name, 9999).encode()) <= LONGEST_NAME
    assert clean_name(name) == name


@given(st.text(max_size=60))
def test_folders_never_lead_out(sent: str) -> None:
    try:
        parts = clean_folder(sent)
    except Invalid:
        return
    assert not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize("path", ["..", "a/../b", ".mantel/inbox", "a/.b", "a\0b"])
def test_folders_that_are_refused(path: str) -> None:
    with pytest.raises(Invalid):
        clean_folder(path)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("film.mkv", "film (2).mkv"),
        ("film", "film (2)"),
        ("backup.tar.gz", "backup (2).tar.gz"),
        ("Mr. Smith goes", "Mr. Smith goes (2)"),
    ],
)
def test_numbers_go_before_the_extension(name: str, second: str) -> None:
    assert numbered(name, 1) == name
    assert numbered(name, 2) == second
    check_name("name", second)
