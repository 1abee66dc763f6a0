"""Links, over the app and a real library: what they open, for whom, until when."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from appliance.accounts.caller import Audience, Role
from appliance.library import scan
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.sharing.routes import blueprint
from appliance.sharing.shares import Shares
from appliance.sharing.zipped import zipped
from appliance.streaming.subtitles import Subtitles
from appliance.units import DAYS
from tests.appliance.entrance import ORIGIN, Browser, House, entrance
from tests.appliance.sharing.test_without_place import PLACE, photo
from tests.appliance.web.test_revoked import served, until_closed


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes while the library looks: no second look is needed."""
    monkeypatch.setattr(scan, "SETTLED", -60)


@dataclass
class Shelf:
    house: House
    library: Library
    shares: Shares
    editor: Browser
    ids: dict[str, str]

    async def share(self, *names: str, **more: Any) -> dict[str, Any]:
        body = {"file_ids": [self.ids[name] for name in names], **more}
        answer = await self.editor.post("/shares", json=body)
        assert answer.status_code == 201, await answer.get_data()
        made: dict[str, Any] = await answer.get_json()
        made["path"] = "/s/" + made["link"].rsplit("/", 1)[1]
        return made

    async def open(self, share: dict[str, Any], cookie: str = "", **body: Any) -> tuple[int, str]:
        headers = {"Origin": ORIGIN} | ({"Cookie": cookie} if cookie else {})
        answer = await self.house.nobody.post(share["path"] + "/open", json=body, headers=headers)
        given = answer.headers.get("Set-Cookie", "")
        assert not given or f"Path={share['path']}" in given
        return answer.status_code, given.split(";")[0]

    async def get(self, path: str, cookie: str = "", **headers: str) -> Any:
        return await self.house.nobody.get(path, headers=headers | ({"Cookie": cookie} if cookie else {}))

    def stream(self, share: dict[str, Any], name: str) -> str:
        return f"{share['path']}/files/{self.ids[name]}/stream"


@asynccontextmanager
async def shelf(tmp_path: Path, database_url: str | None = None) -> AsyncIterator[Shelf]:
    root = tmp_path / "library" / "Trip"
    root.mkdir(parents=True)
    (root / "beach.jpg").write_bytes(photo("image/jpeg"))
    (root / "diary.txt").write_text("dear diary")
    (root / "clip.bin").write_bytes(b"0123456789" * 200_000)
    (tmp_path / "library" / "other.txt").write_text("not shared")
    async with entrance(tmp_path, database_url=database_url) as house:
        library = Library(house.database, house.journal, house.settings.library)
        await library.adopt_roots()
        await library.scan()
        page = await library.page(FileQuery(), frozenset(Audience))
        shares = Shares(house.database, house.accounts, library)
        # Registered late on purpose: the guard is made for all of the table's routes.
        subtitles = Subtitles(library, tmp_path / "subtitles")
        house.app.register_blueprint(blueprint(shares, library, house.journal, subtitles))
        editor = await house.sign_in("mira", Role.EDITOR)
        yield Shelf(house, library, shares, editor, {file.name: file.id for file in page.items})
        await library.stop()


async def test_nothing_is_told_before_open_and_what_is_shared_after(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt", title="Our trip")
        about = await (await at.get(share["path"] + "/about")).get_json()
        assert about == {"has_password": False, "one_time": False}
        assert (await at.get(share["path"] + "/files")).status_code == 401
        assert (await at.get(at.stream(share, "diary.txt"))).status_code == 401
        status, cookie = await at.open(share)
        assert status == 204
        files = await (await at.get(share["path"] + "/files", cookie)).get_json()
        assert (files["title"], [f["name"] for f in files["items"]]) == ("Our trip", ["diary.txt"])
        assert "uploaded_by" not in files["items"][0]
        part = await at.get(at.stream(share, "diary.txt"), cookie, Range="bytes=5-9")
        assert (part.status_code, await part.get_data()) == (206, b"diary")
        details = await (await at.editor.get(f"/shares/{share['id']}")).get_json()
        assert len(details["opens"]) == 1


async def test_the_cookie_opens_nothing_else(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share, other = await at.share("diary.txt"), await at.share("clip.bin")
        _, cookie = await at.open(share)
        paths = [
            f"/files/{at.ids['diary.txt']}/stream",
            "/auth/me",
            "/shares",
            at.stream(other, "clip.bin"),
            at.stream(other, "diary.txt"),
            other["path"] + "/files",
        ]
        for path in paths:
            assert (await at.get(path, cookie)).status_code in (401, 404), path
        for name in ("clip.bin", "other.txt"):
            assert (await at.get(at.stream(share, name), cookie)).status_code == 404
        token = cookie.split("=", 1)[1]
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"mantel={token}"}):
            assert (await at.house.nobody.get("/auth/me", headers=headers)).status_code == 401
        forged = share["path"][:-2] + "AA"
        assert (await at.get(forged + "/about")).status_code == 404


async def test_a_one_time_link_is_for_the_first_browser(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt", one_time=True)
        for _ in range(3):
            await at.get(share["path"], Accept="text/html")
            await at.get(share["path"] + "/about")
            await at.get(at.stream(share, "diary.txt"), Range="bytes=0-1")
        race = await asyncio.gather(*(at.open(share) for _ in range(5)))
        assert sorted(status for status, _ in race) == [204, 403, 403, 403, 403]
        (cookie,) = [given for status, given in race if status == 204]
        assert (await at.get(at.stream(share, "diary.txt"), cookie)).status_code == 200
        assert (await at.open(share, cookie))[0] == 204, "the same browser comes again"
        assert (await at.open(share))[0] == 403


async def test_a_password_stands_before_every_part(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt", password="sea-and-sand")
        assert "sea-and-sand" not in str(share)
        for body in ({}, {"password": "wrong"}, {"password": ""}):
            assert (await at.open(share, **body))[0] == 403
        assert (await at.get(share["path"] + "/files")).status_code == 401
        status, cookie = await at.open(share, password="sea-and-sand")
        assert status == 204
        assert (await at.get(share["path"] + "/files", cookie)).status_code == 200


async def test_links_that_are_long_over_are_forgotten(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        now = at.shares._now()
        kept, short, back = [await at.share("diary.txt", seconds=n * DAYS) for n in (60, 1, 60)]
        await at.open(short)
        assert (await at.editor.delete(f"/shares/{back['id']}")).status_code == 204

        async def known() -> set[str]:
            ids = {one["id"] for one in (kept, short, back)}
            return {i for i in ids if (await at.editor.get(f"/shares/{i}")).status_code == 200}

        for days, left in ((29, (kept, short, back)), (30.5, (kept, short)), (31.5, (kept,))):
            at.shares._now = lambda days=days: int(now + days * DAYS * 1000)
            await at.share("diary.txt")
            assert await known() == {one["id"] for one in left}, days


async def test_a_link_ends(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:

        async def over(how: str) -> None:
            share = await at.share("diary.txt")
            _, cookie = await at.open(share)
            assert (await at.get(at.stream(share, "diary.txt"), cookie)).status_code == 200
            if how == "taken back":
                assert (await at.editor.delete(f"/shares/{share['id']}")).status_code == 204
            elif how == "late":
                at.shares._now = lambda: 9_999_999_999_999
            elif how == "changed":
                file = tmp_path / "library" / "Trip" / "diary.txt"
                file.write_text("another text altogether")
                await at.library.scan()
                await at.library.scan()
            elif how == "owner's role":
                (owner,) = [u for u in await at.house.accounts.users.list() if u.username == "mira"]
                await at.house.accounts.users.change(owner.id, role=Role.VIEWER)
            elif how == "lockdown":
                await at.house.accounts.lockdown()
            answer = await at.get(at.stream(share, "diary.txt"), cookie)
            assert answer.status_code == 404, how

        for how in ("taken back", "changed", "owner's role"):
            await over(how)
            if how == "owner's role":
                (owner,) = [u for u in await at.house.accounts.users.list() if u.username == "mira"]
                await at.house.accounts.users.change(owner.id, role=Role.EDITOR)
            if how == "changed":
                (tmp_path / "library" / "Trip" / "diary.txt").write_text("dear diary")
                await at.library.scan()
                await at.library.scan()
        await over("late")


async def test_lockdown_ends_links(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt")
        _, cookie = await at.open(share)
        await at.house.accounts.lockdown()
        assert (await at.get(at.stream(share, "diary.txt"), cookie)).status_code == 404


async def test_taking_back_cuts_what_runs(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        (tmp_path / "library" / "Trip" / "clip.bin").write_bytes(b"x" * 50_000_000)
        for _ in range(2):
            await at.library.scan()
        share = await at.share("clip.bin")
        _, cookie = await at.open(share)
        async with served(at.house) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
            path = at.stream(share, "clip.bin")
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
            await at.editor.delete(f"/shares/{share['id']}")
            await asyncio.wait_for(until_closed(reader), 10)
            writer.close()


async def test_photos_go_without_place_unless_asked(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        for with_place in (False, True):
            share = await at.share("beach.jpg", with_place=with_place)
            _, cookie = await at.open(share)
            for part in ("stream", "download"):
                path = f"{share['path']}/files/{at.ids['beach.jpg']}/{part}"
                data = await (await at.get(path, cookie)).get_data()
                told = bool(Image.open(io.BytesIO(data)).getexif().get_ifd(PLACE))
                assert told is with_place


async def test_who_may_make_and_see_links(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt")
        viewer, other = (
            await at.house.sign_in("vic", Role.VIEWER),
            await at.house.sign_in("eve", Role.EDITOR),
        )
        admin = await at.house.sign_in("ada", Role.ADMIN)
        assert (await viewer.post("/shares", json={"file_ids": [at.ids["diary.txt"]]})).status_code == 403
        assert (await other.get(f"/shares/{share['id']}")).status_code == 404
        assert (await other.delete(f"/shares/{share['id']}")).status_code == 404
        assert (await (await other.get("/shares?all=1")).get_json())["items"] == []
        assert len((await (await admin.get("/shares?all=1")).get_json())["items"]) == 1
        assert (await admin.delete(f"/shares/{share['id']}")).status_code == 204


async def test_a_folder_is_shared_as_it_stands(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        sees = frozenset(Audience)
        (root,) = await at.library.folders(None, sees)
        (trip,) = await at.library.folders(root.id, sees)
        made = await at.editor.post("/shares", json={"folder_id": trip.id, "download": False})
        share = await made.get_json()
        share["path"] = "/s/" + share["link"].rsplit("/", 1)[1]
        _, cookie = await at.open(share)
        items = (await (await at.get(share["path"] + "/files", cookie)).get_json())["items"]
        assert {item["name"] for item in items} == {"beach.jpg", "diary.txt", "clip.bin"}
        denied = await at.get(f"{share['path']}/files/{at.ids['diary.txt']}/download", cookie)
        assert denied.status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"file_ids": []}, {"file_ids": ["x"], "folder_id": "y"}, {"seconds": 1}]
)
async def test_bad_links_are_named(tmp_path: Path, body: dict[str, Any]) -> None:
    async with shelf(tmp_path) as at:
        answer = await at.editor.post("/shares", json=body)
        assert answer.status_code == 400
        assert (await answer.get_json(force=True))["field"] in ("file_ids", "seconds")


async def test_all_in_one_zip(tmp_path: Path) -> None:
    async with shelf(tmp_path) as at:
        share = await at.share("diary.txt", "beach.jpg", "clip.bin", title="Trip")
        assert (await at.get(share["path"] + "/zip")).status_code == 401
        _, cookie = await at.open(share)
        answer = await at.get(share["path"] + "/zip", cookie)
        assert "Trip.zip" in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(await answer.get_data())) as found:
            assert found.testzip() is None
            assert set(found.namelist()) == {"diary.txt", "beach.jpg", "clip.bin"}
            assert found.read("clip.bin") == b"0123456789" * 200_000
            assert not Image.open(io.BytesIO(found.read("beach.jpg"))).getexif().get_ifd(PLACE)


async def test_two_of_one_name_are_both_in_the_zip() -> None:
    async def content(text: bytes) -> AsyncIterator[bytes]:
        yield text

    files = [("a.txt", content(b"1")), ("A.txt", content(b"2")), ("a.txt", content(b"3"))]
    data = b"".join([chunk async for chunk in zipped(files)])
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert {name: found.read(name) for name in found.namelist()} == {
            "a.txt": b"1",
            "A (2).txt": b"2",
            "a (3).txt": b"3",
        }


async def test_a_film_of_a_link_has_its_subtitles_and_no_other_film_has(tmp_path: Path) -> None:
    trip = tmp_path / "library" / "Trip"
    async with shelf(tmp_path) as found:
        said = "1\n00:00:00,500 --> 00:00:01,500\nGrüße aus Tromsø\n"
        for name in ("film", "other"):
            (trip / f"{name}.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + name.encode())
            (trip / f"{name}.de.srt").write_text(said)
        await found.library.scan()
        page = await found.library.page(FileQuery(), frozenset(Audience))
        found.ids |= {file.name: file.id for file in page.items}
        share = await found.share("film.mp4")
        path = f"{share['path']}/files/{found.ids['film.mp4']}/subtitles"
        assert (await found.get(path)).status_code == 401
        _, cookie = await found.open(share)
        (track,) = (await (await found.get(path, cookie)).get_json())["tracks"]
        assert (track["language"], track["url"]) == ("de", f"{path}/{track['n']}.vtt")
        text = await found.get(track["url"], cookie)
        assert text.content_type == "text/vtt; charset=utf-8"
        assert "Grüße aus Tromsø" in await text.get_data(as_text=True)
        assert (await found.get(f"{path}/9.vtt", cookie)).status_code == 404
        foreign = f"{share['path']}/files/{found.ids['other.mp4']}/subtitles"
        for url in (foreign, f"{foreign}/{track['n']}.vtt"):
            assert (await found.get(url, cookie)).status_code == 404
