"""A small box without Java: files are described and streamed, and the reports say why there are none."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.house import files_when, house, sign_in

REPORTS = [
    "/api/analytics/popular",
    "/api/analytics/users/engagement",
    "/api/analytics/storage/summary",
    "/api/analytics/search-insights",
    "/api/stats",
]


@pytest.mark.timeout(120)
async def test_the_appliance_is_whole_without_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    clip = tmp_path / "library" / "clip.mp4"
    made = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=2", "-pix_fmt", "yuv420p", str(clip)]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *made], check=True)
    async with house(tmp_path, analytics="off") as home, sign_in(home) as http:
        (found,) = await files_when(home, http, 1)
        async with asyncio.timeout(60):
            while not (found.get("duration_sec") and found.get("resolution")):
                await asyncio.sleep(0.2)
                async with http.get(f"/files/{found['id']}") as answer:
                    found = await answer.json()
        assert found["duration_sec"] == pytest.approx(2, abs=0.2)
        assert found["resolution"] == "320x240"
        async with http.get(f"/files/{found['id']}/stream") as answer:
            assert await answer.read() == clip.read_bytes()
        for report in REPORTS:
            async with http.get(report) as answer:
                assert answer.status == 503, report
                assert "switched off" in (await answer.json())["detail"]
    assert "Traceback" not in "".join(home.output)
