"""Room on the disk for what was announced, so that two uploads do not both count on the same bytes."""

from __future__ import annotations

import asyncio
import os

from appliance.errors import NoRoom
from appliance.library.roots import Root


class Space:
    """Reservations by upload, counted against each root's device. `stays_free` is in bytes."""

    def __init__(self, stays_free: int) -> None:
        self.stays_free = stays_free
        self._to_come: dict[str, tuple[int, int]] = {}
        """Upload → (device, bytes that are still to come)."""
        self._lock = asyncio.Lock()

    async def reserve(self, upload_id: str, root: Root, to_come: int, *, force: bool = False) -> None:
        """Raises NoRoom unless `force` (it was granted before a restart)."""
        async with self._lock:
            if not force:
                room = await asyncio.to_thread(_free, root) - self.stays_free - self._reserved(root.device)
                if to_come > room or room <= 0:
                    raise NoRoom("The upload", to_come, room)
            self._to_come[upload_id] = (root.device, max(0, to_come))

    def came(self, upload_id: str, to_come: int) -> None:
        """Fewer bytes are to come now."""
        if upload_id in self._to_come:
            self._to_come[upload_id] = (self._to_come[upload_id][0], max(0, to_come))

    async def require(self, root: Root) -> None:
        """For an upload whose length nobody said: raises NoRoom as soon as the disk fills up."""
        room = await asyncio.to_thread(_free, root) - self.stays_free
        if room <= 0:
            raise NoRoom("The upload", 0, room)

    def release(self, upload_id: str) -> None:
        self._to_come.pop(upload_id, None)

    def _reserved(self, device: int) -> int:
        return sum(to_come for on, to_come in self._to_come.values() if on == device)


def _free(root: Root) -> int:
    """Bytes that a user without rights may still write. Raises Unavailable."""
    found = os.fstatvfs(root.require().fd)
    root.require()  # it may have gone meanwhile, and then this was not its room
    return found.f_bavail * found.f_frsize
