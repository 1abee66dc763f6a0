"""What survives a crash, what the daemon may say, and what it is told."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from appliance.database import Database
from appliance.errors import Invalid
from appliance.journal.journal import Journal
from appliance.journal.store import after
from appliance.library.changes import merge
from appliance.library.facts import read_facts
from appliance.library.items import Change, File, FileQuery
from appliance.library.library import Library
from tests.appliance.library.conftest import EVERYBODY, put, settle

FEED = Path(__file__).parents[2] / "fixtures/feed"


async def only(library: Library) -> File:
    (file,) = (await library.page(FileQuery(), EVERYBODY)).items
    return file


async def test_a_crash_between_trash_and_index_loses_nothing(
    library: Library, root: Path, database: Database
) -> None:
    put(root, "Films/a.mp4", b"film")
    await settle(library)
    file = await only(library)
    # The file was moved, the index was not told any more.
    (root / "Films/a.mp4").rename(root / ".mantel/trash" / file.id)
    again = Library(database, Journal(database), [root], state=root.parent / "state")
    await again.start()
    assert [one.file.id for one in await again.trashed()] == [file.id]
    assert (await again.restore(file.id)).id == file.id
    assert (root / "Films/a.mp4").read_bytes() == b"film"
    # The file was put back, the index was not told any more.
    await again.delete(file.id, EVERYBODY, None)
    await again.stop()
    (root / ".mantel/trash" / file.id).rename(root / "Films/a.mp4")
    last = Library(database, Journal(database), [root], state=root.parent / "state")
    await last.start()
    await settle(last)
    assert (await only(last)).id == file.id
    assert await last.trashed() == ()
    await last.stop()


async def test_a_trash_that_cannot_be_read_at_the_start_is_not_taken_for_an_empty_one(
    library: Library, root: Path, database: Database
) -> None:
    put(root, "a.mp4", b"film")
    await settle(library)
    file = await only(library)
    await library.delete(file.id, EVERYBODY, None)
    trash = root / ".mantel/trash"
    trash.rename(root / "elsewhere")
    trash.write_bytes(b"what a dying disk makes of a folder")
    again = Library(database, Journal(database), [root], state=root.parent / "state")
    await again.start()
    trash.unlink()
    (root / "elsewhere").rename(trash)
    assert [one.file.id for one in await again.trashed()] == [file.id]
    assert (await again.restore(file.id)).id == file.id
    await again.stop()


async def in_turn(library: Library, *doings: Coroutine[Any, Any, Any]) -> None:
    """All know the files as they are now, and wait for their turns, in this order."""
    waiting: list[asyncio.Task[Any]] = []
    async with library._looking, asyncio.timeout(10):
        for doing in doings:
            waiting.append(asyncio.create_task(doing))
            while len(library._looking._waiters or ()) < len(waiting):
                await asyncio.sleep(0.01)
    await asyncio.gather(*waiting)


async def test_a_name_that_another_file_took_meanwhile(library: Library, root: Path) -> None:
    put(root, "a.mp4", b"one")
    put(root, "b.mp4", b"the other")
    await settle(library)
    ids = {file.name: file.id for file in (await library.page(FileQuery(), EVERYBODY)).items}
    one, other = ids["a.mp4"], ids["b.mp4"]
    await in_turn(
        library,
        library.change(one, EVERYBODY, name="away.mp4"),
        library.change(other, EVERYBODY, name="a.mp4"),
        library.change(one, EVERYBODY, name="c.mp4"),
    )
    assert (root / "c.mp4").read_bytes() == b"one"
    assert (root / "a.mp4").read_bytes() == b"the other"
    assert (await library.file(one, EVERYBODY)).name == "c.mp4"
    await in_turn(
        library,
        library.change(one, EVERYBODY, name="away.mp4"),
        library.change(other, EVERYBODY, name="c.mp4"),
        library.delete(one, EVERYBODY, None),
    )
    assert (root / "c.mp4").read_bytes() == b"the other"
    assert (await library.file(other, EVERYBODY)).name == "c.mp4"
    assert [thrown.file.id for thrown in await library.trashed()] == [one]
    assert (root / ".mantel/trash" / one).read_bytes() == b"one"


async def test_the_trash_of_a_disk_that_comes_later_is_known_then(
    library: Library, root: Path, database: Database
) -> None:
    put(root, "a.mp4", b"film")
    await settle(library)
    file = await only(library)
    # The file was moved, the index was not told any more; and the disk is still spinning up.
    (root / "a.mp4").rename(root / ".mantel/trash" / file.id)
    root.rename(root.with_name("unplugged"))
    again = Library(database, Journal(database), [root], state=root.parent / "state")
    await again.start()
    assert await again.trashed() == ()
    root.with_name("unplugged").rename(root)
    await settle(again)
    assert [one.file.id for one in await again.trashed()] == [file.id]
    assert (await again.restore(file.id)).id == file.id
    await again.stop()


async def test_the_daemon_is_told_of_a_file_as_the_feed_says(
    library: Library, root: Path, database: Database
) -> None:
    put(root, b"Films/\xff.mp4", b"film")
    await settle(library)
    golden = json.loads((FEED / "ingest-request.json").read_text())["events"]
    (added,) = (event for event in golden if event["type"] == "file_added")
    async with database.read() as connection:
        (row,) = await after(connection, 0, 10)
    assert set(row.payload) == (set(added["payload"]) - {"uploadedBy"}) | {"pathBase64"}
    assert {k: type(v) for k, v in row.payload.items() if k != "pathBase64"} == {
        k: type(v) for k, v in added["payload"].items() if k != "uploadedBy"
    }
    assert row.payload["root"] == str(root)
    assert base64.b64decode(row.payload["pathBase64"]) == b"Films/\xff.mp4"


async def test_facts_of_the_daemon_count_for_their_content_alone(library: Library, root: Path) -> None:
    put(root, "film.mp4", b"film")
    await settle(library)
    file = await only(library)
    said = json.loads((FEED / "hook-file-analyzed.json").read_text())["facts"][0]
    said |= {"fileId": file.id, "size": file.size_bytes, "mtimeNs": str(file.mtime_ns)}
    assert await library.write_facts([read_facts({**said, "size": 5})]) == 0
    assert await library.write_facts([read_facts(said)]) == 1
    now = await only(library)
    assert (now.sha256, now.duration_sec, now.resolution) == (said["sha256"], 6492.32, "1920x1080")
    assert now.title == "The Long Way to Tromsø"
    assert await library.write_facts([read_facts({**said, "durationSec": 1.0})], "probe") == 0
    put(root, "film.mp4", b"another film")
    await settle(library)
    now = await only(library)
    assert (now.id, now.sha256, now.duration_sec, now.facts) == (file.id, None, None, {})


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ([], "facts"),
        ({"fileId": "../etc/passwd"}, "fileId"),
        ({"fileId": "a" * 16, "size": -1}, "size"),
        ({"fileId": "a" * 16, "size": 1, "mtimeNs": "now"}, "mtimeNs"),
    ],
)
def test_facts_of_nothing_are_refused(said: object, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_facts(said)
    assert caught.value.field == field


def test_facts_out_of_measure_are_left_out() -> None:
    facts = read_facts(
        {
            "fileId": "a" * 16,
            "size": 1,
            "mtimeNs": "1",
            "sha256": "no",
            "durationSec": float("inf"),
            "resolution": "0x0",
            "rotation": 45,
            "bitrate": True,
            "tags": {"title": "a\u202eb\n" + "x" * 999, "artist": 7, "unknown": "x"},
            "codecs": {"video": "h264", "frameRate": -1, "audio": ["x"]},
            "subtitles": [{"language": "de"}, "x"] * 99,
        }
    )
    assert (facts.sha256, facts.duration_sec, facts.resolution) == (None, None, None)
    assert (facts.rotation, facts.bitrate, facts.codecs) == (None, None, {"video": "h264"})
    assert facts.tags == {"title": ("a\ufffdb␊" + "x" * 999)[:200]}
    assert facts.subtitles is not None
    assert len(facts.subtitles) <= 32


def test_merged_changes_say_what_is_true_in_the_end() -> None:
    first = Change(1, added=("a", "b"), changed=("c",), folders=("f",))
    second = Change(2, changed=("a",), removed=("b", "c"), folders=("g", "f"))
    both = merge(first, second)
    assert both == Change(2, ("a",), (), ("b", "c"), ("f", "g"))
    assert merge(both, Change(3, added=("c",))).removed == ("b",)
