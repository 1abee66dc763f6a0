"""Forms, cut into pieces anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Invalid, TooLarge
from appliance.uploads.form import FilePart, parts
from tests.appliance.uploads.conftest import BOUNDARY, form_of

KIND = f"multipart/form-data; boundary={BOUNDARY}"


async def cut(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def read(body: bytes, size: int = 7, kind: str = KIND) -> list[tuple[str, str, bytes]]:
    found = []
    async for part in parts(kind, cut(body, size)):
        if isinstance(part, FilePart):
            found.append((part.name, part.filename, b"".join([data async for data in part.content])))
        else:
            found.append((part.name, part.value, b""))
    return found


@settings(max_examples=1000)
@given(
    st.lists(
        st.binary(max_size=200) | st.just(b"\r\n--" + BOUNDARY.encode()[:-1]) | st.just(b"\r\n"), max_size=4
    ),
    st.integers(1, 100),
)
async def test_any_content_in_any_pieces(contents: list[bytes], size: int) -> None:
    contents = [content for content in contents if b"--" + BOUNDARY.encode() not in content]
    body = form_of(*((f"{n}.bin", content) for n, content in enumerate(contents)), folder="Ferien/Süd")
    found = await read(body, size)
    assert found[0] == ("folder", "Ferien/Süd", b"")
    assert found[1:] == [("file", f"{n}.bin", content) for n, content in enumerate(contents)]


async def test_a_file_that_nobody_reads_is_passed_over() -> None:
    body = form_of(("a", b"1" * 1000), ("b", b"2"))
    names = [part.filename async for part in parts(KIND, cut(body, 50)) if isinstance(part, FilePart)]
    assert names == ["a", "b"]


@pytest.mark.parametrize("keep", [0, 10, 60, 150, -3])
async def test_a_cut_off_form_is_an_error(keep: int) -> None:
    with pytest.raises(Invalid):
        await read(form_of(("a", b"1" * 100))[:keep])


async def test_what_is_no_form() -> None:
    for kind in ("", "text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 99):
        with pytest.raises(Invalid):
            await read(b"x", kind=kind)


async def test_fields_and_heads_have_an_end() -> None:
    with pytest.raises(TooLarge):
        await read(form_of(folder="x" * 100_000), 1000)
    with pytest.raises(TooLarge):
        await read(f"--{BOUNDARY}\r\nX: ".encode() + b"x" * 100_000, 1000)
    with pytest.raises(TooLarge):
        await read(b"x" * 100_000, 1000)
