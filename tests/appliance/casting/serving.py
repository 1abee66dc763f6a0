"""`mantel serve` on a host of a house."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.house import environment
from tests.netns import House

PORT = 8000


@asynccontextmanager
async def serving(
    house: House,
    folder: Path,
    module: tuple[str, ...] = ("appliance", "serve"),
    on: str = "server",
    **settings: str,
) -> AsyncIterator[str]:
    """On that host, over the library in `folder`; its address. Fails at its end if the log tells of a fault.

    `module`: `appliance.run` for the daemon too.
    """
    host = house[on]
    variables = environment(
        folder,
        folder / "library",
        bind=host.address,
        http_port=str(PORT),
        lan_port="8200",
        interfaces="lan0",
        **settings,
    )
    with (folder / "log").open("wb") as log:
        process = host.popen(sys.executable, "-m", *module, env=variables, cwd=folder, stdout=log, stderr=log)
        try:
            await asyncio.to_thread(host.wait_for_port, PORT, 60)
            yield f"http://{host.address}:{PORT}"
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 60)
    assert "Traceback" not in (folder / "log").read_text(), (folder / "log").read_text()
