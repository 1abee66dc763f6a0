"""schemathesis against the real appliance: whatever the OpenAPI document allows, and what it does not.

Nothing may end in a 5xx but a part that is away (503), every status is documented, and every refusal
is a problem+json.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.house import house, sign_in

EXAMPLES = 8
ENDS_THE_RUN = (
    "/lockdown",
    "/auth/logout",
    "/auth/me",
    "/sessions/{session_id}",
    "/users/{user_id}",
    # Lasts as long as its listener.
    "/events/live",
)
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(600)
async def test_no_request_breaks_it(tmp_path: Path) -> None:
    async with house(tmp_path) as home, sign_in(home) as http:
        argv = [str(Path(sys.executable).with_name("schemathesis")), "run", home.url + "/openapi.json"]
        argv += ["--checks", CHECKS, "--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing"]
        argv += ["--header", f"Authorization: {http.headers['Authorization']}", "--no-color", "--seed", "1"]
        argv += ["--header", f"Origin: {home.url}"]
        argv += ["--continue-on-failure", "--request-timeout", "20"]
        # Without the daemon these are 503, which is right and looks like a fault.
        # tus has its own answers, and real clients drive it elsewhere.
        argv += ["--exclude-path-regex", "^/api/|^/files/tus"]
        for path in ENDS_THE_RUN:
            argv += ["--exclude-path", path]
        run = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path
        )
        said = (await run.communicate())[0].decode()
        (tmp_path / "schemathesis.txt").write_text(said)
        assert run.returncode == 0, said[-6000:]
        assert not [line for line in home.output if "Traceback" in line], "".join(home.output)[-3000:]
        assert re.search(r"Tested\D+\d+|\d+ passed", said), said[-1000:]
