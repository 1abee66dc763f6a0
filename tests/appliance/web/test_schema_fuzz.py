"""schemathesis against the real appliance: whatever the OpenAPI document allows, and what it does not.

Nothing may end in a 5xx but a part that is away (503), every status is documented, and every refusal
is a problem+json.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.house import CHECKOUT, House, files_when, house, sign_in
from tests.media import photo

ENDS_THE_RUN = (
    "/lockdown",
    "/auth/logout",
    "/auth/me",
    "/sessions/{session_id}",
    "/users/{user_id}",
    # Lasts as long as its listener.
    "/events/live",
)
MUST_BE_ANSWERED = {
    "GET /files",
    "GET /files/{file_id}",
    "PATCH /files/{file_id}",
    "GET /files/{file_id}/stream",
    "GET /files/{file_id}/thumbnail",
    "PUT /files/{file_id}/favourite",
    "PUT /files/{file_id}/position",
    "GET /folders/{folder_id}",
    "GET /shares/{share_id}",
    "GET /s/{token}/about",
    "PATCH /devices/{device_id}",
    "GET /log",
    "GET /health",
    "GET /playing",
    "GET /settings",
    "POST /uploads/known",
}
"""Routes that must have let some request through: a run of refusals alone proves little."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("phases", "examples", "least_calls"),
    [("fuzzing", 6, 300), pytest.param("examples,coverage,fuzzing", 12, 1_500, marks=pytest.mark.slow)],
)
async def test_no_request_breaks_it(tmp_path: Path, phases: str, examples: int, least_calls: int) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "beach.jpg").write_bytes(photo())
    async with house(tmp_path) as home, sign_in(home) as http:
        known = await ids(home, http)
        argv = [str(Path(sys.executable).with_name("schemathesis")), "run", home.url + "/openapi.json"]
        argv += ["--checks", CHECKS, "--max-examples", str(examples), "--phases", phases]
        argv += ["--header", f"Authorization: {http.headers['Authorization']}", "--no-color", "--seed", "1"]
        argv += ["--header", f"Origin: {home.url}"]
        argv += ["--continue-on-failure", "--request-timeout", "20", "--report", "har"]
        argv += ["--report-har-path", str(tmp_path / "calls.har")]
        # Without the daemon these are 503, which is right and looks like a fault.
        # tus has its own answers, and real clients drive it elsewhere.
        argv += ["--exclude-path-regex", "^/api/|^/files/tus"]
        for path in ENDS_THE_RUN:
            argv += ["--exclude-path", path]
        run = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "KNOWN_IDS": json.dumps(known),
                 "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks"},
        )  # fmt: skip
        said = (await run.communicate())[0].decode()
        (tmp_path / "schemathesis.txt").write_text(said)
        assert run.returncode == 0, said[-6000:]
        assert not [line for line in home.output if "Traceback" in line], "".join(home.output)[-3000:]
    calls = json.loads((tmp_path / "calls.har").read_text())["log"]["entries"]
    by_route: dict[str, set[int]] = {}
    for call in calls:
        path = urlsplit(call["request"]["url"]).path
        # A link's token begins with its id.
        for name, known_id in sorted(known.items(), key=lambda one: -len(one[1])):
            path = path.replace(known_id, f"{{{name}}}")
        by_route.setdefault(f"{call['request']['method']} {path}", set()).add(call["response"]["status"])
    answered = {route for route, statuses in by_route.items() if any(s < 300 for s in statuses)}
    assert len(calls) > least_calls, "it looked at next to nothing"
    assert answered >= MUST_BE_ANSWERED, MUST_BE_ANSWERED - answered
    assert {400, 404} <= {status for statuses in by_route.values() for status in statuses}


async def ids(home: House, http: aiohttp.ClientSession) -> dict[str, str]:
    """Of one thing of each kind that is there."""
    (file,) = await files_when(home, http, 1)
    async with http.get("/folders") as answer:
        folder = (await answer.json())["items"][0]["id"]
    async with http.post("/shares", json={"file_ids": [file["id"]]}) as answer:
        share = await answer.json()
    async with http.post("/devices", json={"name": "Box", "mac": "02:77:00:00:00:15"}) as answer:
        device = (await answer.json())["id"]
    token = share["link"].rsplit("/", 1)[1]
    return {
        "file_id": file["id"],
        "folder_id": folder,
        "share_id": share["id"],
        "device_id": device,
        "token": token,
    }
