"""Files whose names are no UTF-8, as older systems wrote them, are described and hashed like all others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests import media
from tests.house import files_when, house, sign_in
from tests.ports import free_port
from tests.system.test_thread import until

pytestmark = [pytest.mark.jar, pytest.mark.timeout(180)]

FILES = {
    b"caf\xe9.mp4": media.film,
    b"\xe9t\xe9/film \xff.mkv": media.matroska,
    b"\xe9t\xe9/Bj\xf6rk.mp3": media.song,
    b"\xe9t\xe9/\xe9.jpg": media.camera_photo,
}


async def test_names_in_latin_1_hold_nobody_up(tmp_path: Path) -> None:
    library = tmp_path / "library"
    os.makedirs(os.fsencode(library) + b"/\xe9t\xe9")
    content = {name: make() for name, make in FILES.items()}
    for name, what in content.items():
        Path(os.fsdecode(os.fsencode(library) + b"/" + name)).write_bytes(what)
    settings = {"analytics": "on", "analytics_port": str(free_port())}
    async with house(tmp_path, module="appliance.run", **settings) as home, sign_in(home) as http:
        hashes = {}
        for file in await files_when(home, http, len(FILES)):
            told = await until(http, f"/files/{file['id']}", lambda one: one["sha256"], 90)
            timed = told["type"] != "image"
            assert told["duration_sec" if timed else "resolution"], told
            async with http.get(f"/files/{file['id']}/stream") as answer:
                assert hashlib.sha256(await answer.read()).hexdigest() == told["sha256"]
            hashes[told["sha256"]] = told["name"]
        assert set(hashes) == {hashlib.sha256(what).hexdigest() for what in content.values()}
        report = await until(http, "/api/analytics/insights", lambda _: True)
        assert report["unreadable"] == []
        waiting = (await until(http, "/api/analytics/jobs", lambda _: True))["waiting"]
        assert waiting == {}
        said = "".join(home.output)
    assert not [line for line in said.splitlines() if "set aside" in line or "cannot be read" in line]
