"""Work that waits for a disk, in a thread, so that a request which is cancelled leaves nothing half-done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(
    function: Callable[..., T],
    *arguments: Any,
    undo: Callable[[T], object] | None = None,
    pool: Executor | None = None,
) -> T:
    """As asyncio.to_thread, but the thread is done before this returns, cancelled or not.

    So nobody closes a descriptor that a thread still uses. When the caller was cancelled and cannot take
    the result any more, `undo` gets it: `os.close` for one that was opened.
    """
    job = asyncio.get_running_loop().run_in_executor(pool, function, *arguments)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        if job.exception() is None and undo:
            undo(job.result())
        raise
