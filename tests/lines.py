"""Reading what a program prints, with an end to the patience: a thread that waits holds up the suite."""

import asyncio
import select
from typing import IO


async def next_line(stream: IO[str], seconds: float = 30) -> str:
    """One line. Raises TimeoutError when none begins within `seconds`."""

    def read() -> str:
        ready, _, _ = select.select([stream], [], [], seconds)
        if not ready:
            raise TimeoutError(f"no line within {seconds} s")
        return stream.readline()

    return await asyncio.to_thread(read)
