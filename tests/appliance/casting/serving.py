"""`mantel serve` on the host `server` of a house."""

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
    house: House, folder: Path, module: tuple[str, ...] = ("appliance", "serve"), **settings: str
) -> AsyncIterator[str]:
    """Over the library in `folder`; its address. Fails at its end if the log tells of a fault.

    `module`: `appliance.run` for the daemon too.
    """
    variables = environment(
        folder,
        folder / "library",
        bind=house.server.address,
        http_port=str(PORT),
        lan_port="8200",
        interfaces="lan0",
        **settings,
    )
    with (folder / "log").open("wb") as log:
        process = house.server.popen(
            sys.executable, "-m", *module, env=variables, cwd=folder, stdout=log, stderr=log
        )
        try:
            await asyncio.to_thread(house.server.wait_for_port, PORT, 60)
            yield f"http://{house.server.address}:{PORT}"
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 60)
    assert "Traceback" not in (folder / "log").read_text(), (folder / "log").read_text()
