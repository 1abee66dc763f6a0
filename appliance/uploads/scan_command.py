"""The household's own check of what is uploaded: a command that says yes by exit status 0.

It runs as Mantel's own user, and nobody else may enter the inbox: `clamscan --no-summary` does as it is, and
`clamdscan` needs `--fdpass`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import Invalid, Unavailable
from appliance.units import MINUTES

log = logging.getLogger(__name__)

LONGEST = 30 * MINUTES
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR")
"""What the command may know of ours: no setting, no secret."""


async def check(command: Sequence[str], file: Path, name: str, longest: float = LONGEST) -> None:
    """Run `command` with the file's path behind it; its output goes to the log, shortened.

    Raises Invalid when it finds something (any exit status but 0), Unavailable when it cannot be run or
    takes more than `longest` seconds. Either way the file is not published.
    """
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable("The check of uploads", error.strerror or "it does not start") from error
    try:
        async with asyncio.timeout(longest):
            said, _ = await process.communicate()
    except TimeoutError:
        raise Unavailable("The check of uploads", f"it took more than {longest:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        words = said.decode(errors="replace").replace(str(file), name)[-300:].split()
        log.warning("upload refused by the scan command (%d): %s", process.returncode, " ".join(words))
        raise Invalid("file", name, "files that the check of uploads lets pass")
