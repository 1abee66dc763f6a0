"""A film of an old kind, made playable by the real daemon and sent by the real appliance."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from tests import media
from tests.house import files_when, house, sign_in
from tests.ports import free_port

pytestmark = [pytest.mark.jar, pytest.mark.slow, pytest.mark.timeout(240)]


async def test_an_old_film_plays_on_a_phone(tmp_path: Path) -> None:
    old = ("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=4", "-f", "lavfi", "-i", "sine=d=4")
    films = tmp_path / "library"
    films.mkdir()
    (films / "Old.avi").write_bytes(
        media.ffmpeg(*old, "-c:v", "mpeg4", "-vtag", "DIVX", "-c:a", "mp2", format_name="avi")
    )
    (films / "New.mp4").write_bytes(media.film())
    copies = tmp_path / "copies"
    async with (
        house(
            tmp_path, module="appliance.run", analytics="on", analytics_port=str(free_port()),
            phone_copies=str(copies),
        ) as home,
        sign_in(home) as http,
    ):  # fmt: skip
        ids = {file["name"]: file["id"] for file in await files_when(home, http, 2)}
        async with asyncio.timeout(180):
            while True:
                async with http.get(f"/files/{ids['Old.avi']}/phone") as answer:
                    if answer.status == 200:
                        copy = await answer.read()
                        break
                    assert answer.status == 404
                await asyncio.sleep(0.5)
        async with http.get(f"/files/{ids['New.mp4']}/phone") as answer:
            assert answer.status == 404
    (tmp_path / "copy.mp4").write_bytes(copy)
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", tmp_path / "copy.mp4"],
        capture_output=True, check=True,
    )  # fmt: skip
    found = json.loads(said.stdout)
    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac"]
    assert float(found["format"]["duration"]) == pytest.approx(4, abs=0.2)
