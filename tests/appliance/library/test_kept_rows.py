"""Rows that are kept between a player's requests are as new as the last write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.accounts.caller import Audience
from appliance.errors import NotFound
from appliance.library import store
from appliance.library.items import FileQuery
from appliance.library.kept_rows import MOST, KeptRows
from appliance.library.library import Library
from tests.appliance.library.conftest import put, settle

ALL = frozenset(Audience)
GUEST = frozenset({Audience.EVERYONE})


async def opened(library: Library, file_id: str, sees: frozenset[Audience] = ALL) -> str:
    found = await library.open(file_id, sees)
    found.close()
    return found.file.name


async def test_nothing_stays_after_a_write(library: Library, root: Path, monkeypatch: Any) -> None:
    put(root, "Films/Summer.mp4", b"film")
    await settle(library)
    [folder] = [one for one in await library.folders_at("", ALL) if one.name == "Films"]
    [file] = (await library.page(FileQuery(), ALL)).items
    read: list[str] = []
    really = store.file_with_place

    async def counted(connection: Any, file_id: str, *more: Any) -> Any:
        read.append(file_id)
        return await really(connection, file_id, *more)

    monkeypatch.setattr(store, "file_with_place", counted)
    assert [await opened(library, file.id) for _ in range(3)] == ["Summer.mp4"] * 3
    assert len(read) == 1
    await opened(library, file.id, GUEST)
    await library.change(file.id, ALL, name="Winter.mp4")
    assert await opened(library, file.id) == "Winter.mp4"
    await library.set_audience(folder.id, Audience.HOUSEHOLD)
    with pytest.raises(NotFound):
        await opened(library, file.id, GUEST)


async def test_a_row_read_before_a_write_is_not_kept_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = KeptRows()
    answers = ["old", "new"]

    async def read(*given: Any) -> str:
        if answers[0] == "old":
            rows.forget()  # a write, meanwhile
        return answers.pop(0)

    monkeypatch.setattr(store, "file_with_place", read)
    assert [await rows.row(NoDatabase(), "f", (), ALL) for _ in range(3)] == ["old", "new", "new"]


async def test_they_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    async def counted(connection: Any, file_id: str, *more: Any) -> str:
        read.append(file_id)
        return file_id

    monkeypatch.setattr(store, "file_with_place", counted)
    rows = KeptRows()
    for number in [*range(MOST + 1), 0, MOST]:
        await rows.row(NoDatabase(), str(number), (), ALL)
    assert read[MOST + 1 :] == ["0"]


class NoDatabase:
    """Where nothing is read."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[None]:
        yield


async def test_everybody_may_ask_at_once(library: Library, root: Path) -> None:
    put(root, "Summer.mp4", b"film")
    await settle(library)
    [file] = (await library.page(FileQuery(), ALL)).items
    assert await asyncio.gather(*(opened(library, file.id) for _ in range(20))) == ["Summer.mp4"] * 20
