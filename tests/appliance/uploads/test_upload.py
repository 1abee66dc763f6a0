"""Files by form: on the disk and in the list, never over another one, never by halves."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from appliance.database import Database
from tests.appliance.serving import open_descriptors, request_head, serving
from tests.appliance.uploads.conftest import BOUNDARY, MIRA, House, Web, app_of, form_of, make_house, problem


async def test_a_file_is_on_the_disk_and_in_the_list(web: Web) -> None:
    content = os.urandom(3_000_000)
    reply = await web.upload(("film.mp4", content), folder="Ferien/2026")
    assert reply.status == 201
    told = json.loads(reply.body)
    [file] = told["files"]
    assert (file["name"], file["folder"], file["size_bytes"]) == ("film.mp4", "Ferien/2026", 3_000_000)
    assert (file["uploaded_by"], file["duplicate"], told["duplicate"]) == ("mira", False, False)
    assert web.house.on_disk() == {"Ferien/2026/film.mp4": content}
    assert (await web.house.files())["Ferien/2026/film.mp4"].id == file["id"]
    assert web.house.in_inbox() == []
    [row] = await web.house.journaled("UPLOAD")
    assert (row.file_id, row.user_id, row.payload) == (file["id"], "mira", {"sizeBytes": 3_000_000})
    assert len(await web.house.journaled("FILE_ADDED")) == 1


async def test_the_next_look_finds_nothing_new(web: Web) -> None:
    await web.upload(("film.mp4", b"film"))
    before = await web.house.files()
    result = await web.house.library.scan()
    assert (result.added, result.changed, result.removed) == (0, 0, 0)
    assert await web.house.files() == before


async def test_a_taken_name_gets_a_number_and_nothing_is_overwritten(web: Web) -> None:
    (web.house.root / "a.txt").write_bytes(b"there before")
    (web.house.root / "a (2).txt").write_bytes(b"this too")
    await web.upload(("a.txt", b"one"))
    await web.upload(("a.txt", b"another"))
    assert web.house.on_disk() == {
        "a.txt": b"there before",
        "a (2).txt": b"this too",
        "a (3).txt": b"one",
        "a (4).txt": b"another",
    }


async def test_equal_content_is_told_and_not_kept_twice(web: Web) -> None:
    first = json.loads((await web.upload(("a.txt", b"the same"))).body)["files"][0]
    reply = await web.upload(("b.txt", b"the same"), folder="Other")
    told = json.loads(reply.body)
    assert (reply.status, told["duplicate"], told["files"][0]["id"]) == (200, True, first["id"])
    both = await web.upload(("b.txt", b"the same"), ("c.txt", b"not the same"))
    assert both.status == 201
    assert [file["duplicate"] for file in json.loads(both.body)["files"]] == [True, False]
    assert web.house.on_disk() == {"a.txt": b"the same", "c.txt": b"not the same"}
    assert web.house.in_inbox() == []
    assert len(await web.house.journaled("UPLOAD")) == 2


async def test_equal_content_in_a_file_that_nobody_has_summed_yet(web: Web) -> None:
    (web.house.root / "old.bin").write_bytes(b"x" * 10_000)
    (web.house.root / "other.bin").write_bytes(b"y" * 10_000)
    os.utime(web.house.root / "old.bin", (1, 1))
    os.utime(web.house.root / "other.bin", (1, 1))
    while "old.bin" not in await web.house.files():
        await web.house.library.scan()
        await asyncio.sleep(0.3)
    reply = await web.upload(("new.bin", b"x" * 10_000))
    assert (reply.status, json.loads(reply.body)["files"][0]["name"]) == (200, "old.bin")


async def test_the_same_file_twice_at_once_is_kept_once(web: Web) -> None:
    content = os.urandom(500_000)
    replies = await asyncio.gather(*(web.upload((f"{n}.bin", content)) for n in range(4)))
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 201]
    assert len(web.house.on_disk()) == 1


async def test_empty_files_are_files(web: Web) -> None:
    await web.upload(("a.txt", b""), ("b.txt", b""))
    assert web.house.on_disk() == {"a.txt": b"", "b.txt": b""}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (form_of(), "file"),
        (form_of(("a.txt", b"1"), folder="../up"), "folder"),
        (form_of(("a.txt", b"1"), folder=".mantel"), "folder"),
        (form_of(("...", b"1")), "name"),
        (form_of(("a.txt", b"1"))[:-20], "body"),
        (form_of(("a.txt", b"1")).replace(b'name="file"', b'name="other"'), "other"),
    ],
)
async def test_bad_forms_name_the_field_and_leave_nothing(web: Web, body: bytes, field: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    reply = await web.ask("POST", "/files/upload", headers, body)
    assert (reply.status, problem(reply)["field"]) == (400, field)
    assert web.house.on_disk() == {}
    assert web.house.in_inbox() == []


async def test_limit(database: Database, tmp_path: Path) -> None:
    house = make_house(database, tmp_path / "media", limit=100_000)
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        web = Web(port, house)
        reply = await web.upload(("big.bin", bytes(3_000_000)))
        assert (reply.status, problem(reply)["limit"]) == (413, 100_000)
        assert house.in_inbox() == []
        assert (await web.upload(("ok.bin", bytes(100_000)))).status == 201
    await house.library.stop()


async def test_space_that_stays_free(database: Database, tmp_path: Path) -> None:
    house = make_house(database, tmp_path / "media", free_space=2**60)
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        reply = await Web(port, house).upload(("a.bin", b"1"))
        assert (reply.status, problem(reply)["type"]) == (507, "urn:mantel:problem:no-room")
        assert house.on_disk() == {}
    await house.library.stop()


async def test_root_that_is_away(web: Web) -> None:
    (web.house.root / ".mantel" / "root-id").unlink()
    await web.house.library.scan()
    reply = await web.upload(("a.bin", b"1"))
    assert reply.status == 503
    assert web.house.on_disk() == {}


async def test_vanished_clients_leave_nothing_behind(web: Web) -> None:
    head = request_head(
        "/files/upload",
        {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": "9000000"},
        "POST",
    )
    part = form_of(("film.mp4", bytes(4_000_000)))[:-30]
    await web.upload(("warm.bin", b"up"))
    descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
    for turn in range(200):
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(head + part[: turn % 40 * 100_000])
        if turn % 2:
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.transport.abort()
    for _ in range(200):
        if (
            not web.house.in_inbox()
            and len(asyncio.all_tasks()) <= tasks
            and open_descriptors() <= descriptors
        ):
            break
        await asyncio.sleep(0.05)
    assert web.house.in_inbox() == []
    assert open_descriptors() <= descriptors
    assert len(asyncio.all_tasks()) <= tasks
    assert list(web.house.on_disk()) == ["warm.bin"]


async def test_a_client_that_stands_still_is_let_go(house: House) -> None:
    async with serving(app_of(house, idle=0.3)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": "9000"}
        writer.write(request_head("/files/upload", kind, "POST") + form_of(("a", bytes(50)))[:80])
        for _ in range(100):
            if not house.in_inbox():
                break
            await asyncio.sleep(0.05)
        assert house.in_inbox() == []
        writer.close()


async def test_the_answer_to_a_refused_body_arrives(web: Web) -> None:
    """Not a broken connection while the client is still sending."""
    body = form_of(("x.bin", bytes(20_000_000))).replace(b'name="file"', b'name="nope"')
    reply = await web.ask(
        "POST", "/files/upload", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body
    )
    assert problem(reply)["field"] == "nope"


async def test_check_of_uploads(database: Database, tmp_path: Path) -> None:
    check = "import sys; sys.exit(b'EVIL' in open(sys.argv[1], 'rb').read())"
    house = make_house(database, tmp_path / "media", (sys.executable, "-c", check))
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        web = Web(port, house)
        reply = await web.upload(("bad.exe", b"an EVIL thing"))
        assert (reply.status, problem(reply)["field"]) == (400, "file")
        assert (house.on_disk(), house.in_inbox(), await house.files()) == ({}, [], {})
        assert (await web.upload(("good.exe", b"a good thing"))).status == 201
    await house.library.stop()


@pytest.mark.parametrize(
    "command", [("/no/such/command",), (sys.executable, "-c", "import time; time.sleep(60)")]
)
async def test_a_check_that_does_not_work_publishes_nothing(
    database: Database, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.uploads.scan_command.check.__defaults__", (0.5,))
    house = make_house(database, tmp_path / "media", command)
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        reply = await Web(port, house).upload(("a.bin", b"1"))
        assert reply.status == 503
        assert (house.on_disk(), house.in_inbox()) == ({}, [])
    await house.library.stop()


async def test_known(web: Web) -> None:
    from hashlib import sha256

    first = json.loads((await web.upload(("a.txt", b"the same"))).body)["files"][0]
    asked = [
        {"name": "z.txt", "size": 8, "sha256": sha256(b"the same").hexdigest()},
        {"name": "z.txt", "size": 8, "sha256": sha256(b"not same").hexdigest()},
        {"name": "a.txt", "size": 8},
        {"name": "z.txt", "size": 9},
    ]
    body = json.dumps({"files": asked}).encode()
    reply = await web.ask("POST", "/uploads/known", {"Content-Type": "application/json"}, body)
    assert json.loads(reply.body)["files"] == [
        {"name": "z.txt", "size": 8, "known": True, "match": "content", "fileId": first["id"]},
        {"name": "z.txt", "size": 8, "known": False},
        {"name": "a.txt", "size": 8, "known": False, "match": "name", "fileId": first["id"]},
        {"name": "z.txt", "size": 9, "known": False},
    ]
    for bad in ([], {"files": 1}, {"files": [1]}, {"files": [{"name": "a", "size": -1}]}):
        reply = await web.ask(
            "POST", "/uploads/known", {"Content-Type": "application/json"}, json.dumps(bad).encode()
        )
        assert reply.status == 400


async def test_content_is_known_among_many_of_the_same_size(web: Web) -> None:
    """Cameras without compression write every photo as long as the next."""
    from hashlib import sha256

    many = [(f"{number:02}.bin", b"photo %02d" % number) for number in range(70)]
    sent = [
        one
        for n in range(0, 70, 10)
        for one in json.loads((await web.upload(*many[n : n + 10])).body)["files"]
    ]
    for place in (0, 35, 69):
        name, content = many[place]
        again = json.loads((await web.upload(("again.bin", content))).body)["files"][0]
        assert (again["id"], again["duplicate"]) == (sent[place]["id"], True)
        asked = {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()}
        [known] = await web.house.known.answer({"files": [asked]}, MIRA)
        assert (known["match"], known["fileId"]) == ("content", sent[place]["id"])
    assert len(web.house.on_disk()) == len(many)


async def test_waiting_uploads_are_known_to_their_owner_alone(house: House) -> None:
    from dataclasses import replace

    upload = await house.uploads.begin(MIRA, "film.mp4", "", 5, resumable=True)
    [mine] = await house.known.answer({"files": [{"name": "film.mp4", "size": 5}]}, MIRA)
    assert (mine["upload"], mine["offset"]) == (f"/files/tus/{upload.id}", 0)
    other = replace(MIRA, user_id="otto")
    [theirs] = await house.known.answer({"files": [{"name": "film.mp4", "size": 5}]}, other)
    assert "upload" not in theirs


@pytest.mark.slow
async def test_a_real_virus_scanner(database: Database, tmp_path: Path) -> None:
    signatures = tmp_path / "own.ndb"
    signatures.write_text(f"Mantel.Test:0:*:{b'this is what we call evil'.hex()}\n")
    command = ("clamscan", "--no-summary", f"--database={signatures}")
    house = make_house(database, tmp_path / "media", command)
    await house.library.adopt_roots()
    async with serving(app_of(house)) as port:
        web = Web(port, house)
        reply = await web.upload(("bad.txt", b"look: this is what we call evil, hidden in a text"))
        assert (reply.status, problem(reply)["field"]) == (400, "file")
        assert (house.on_disk(), house.in_inbox()) == ({}, [])
        assert (await web.upload(("good.txt", b"nothing of the kind"))).status == 201
    await house.library.stop()


async def test_uploads_and_looks_at_the_same_time(web: Web) -> None:
    """Whoever puts a file or folder into the index first, it is there once, and no look fails."""
    done = asyncio.Event()

    async def look() -> int:
        looks = 0
        while not done.is_set():
            await web.house.library.scan()
            looks += 1
        return looks

    looking = asyncio.create_task(look())
    for turn in range(8):
        replies = await asyncio.gather(
            *(web.upload((f"{n}.bin", os.urandom(20)), folder=f"new {turn}") for n in range(3))
        )
        assert [reply.status for reply in replies] == [201, 201, 201]
    done.set()
    assert await looking > 2
    await web.house.library.scan()
    assert sorted(await web.house.files()) == sorted(web.house.on_disk())
    assert len(await web.house.files()) == 24
