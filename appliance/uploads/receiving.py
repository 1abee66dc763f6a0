"""Bytes of an upload into its inbox file: checked, summed, and safe on the disk before they are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from appliance.database import Database
from appliance.errors import MantelError, TooLarge
from appliance.library.roots import Root
from appliance.units import MIB
from appliance.uploads import store
from appliance.uploads.arriving import Arriving, off_loop
from appliance.uploads.space import Space
from appliance.uploads.store import Upload
from appliance.uploads.tus import Checksum

CHECKPOINT = 64 * MIB
"""Bytes between two syncs: what a power cut may cost of an upload that goes on."""


class ChecksumMismatch(MantelError):
    """A piece did not arrive as it was sent; none of it is kept."""

    def __init__(self) -> None:
        super().__init__("The checksum is another; send the piece again.")


class Receiving:
    """`limit`: bytes of the largest upload, None for any."""

    def __init__(self, database: Database, space: Space, limit: int | None) -> None:
        self._database, self._space, self.limit = database, space, limit
        self._sums: dict[str, tuple[int, Any]] = {}
        """Running SHA-256 objects of uploads that wait for their next piece: (bytes in it, object)."""

    async def receive(
        self, upload: Upload, root: Root, chunks: AsyncIterator[bytes], checksum: Checksum | None
    ) -> None:
        """Add what comes; what came before an error is on the disk, and in the row, when this raises."""
        running = self.take_sum(upload)
        arriving = await off_loop(
            Arriving.reopen, root.fd, upload.id, upload.received, running, undo=Arriving.close
        )
        try:
            if checksum:
                await self._take_checked(upload, arriving, chunks, checksum)
            else:
                await self._take(upload, root, arriving, chunks)
        finally:
            try:
                await self._checkpoint(upload, arriving)
            finally:
                self._sums[upload.id] = (arriving.received, arriving.sum_so_far)
                arriving.close()

    def take_sum(self, upload: Upload) -> Any | None:
        """The SHA-256 object over all that was received, for who goes on with it; None where it was lost."""
        count, sha256 = self._sums.pop(upload.id, (-1, None))
        return sha256 if count == upload.received else None

    def check_limit(self, length: int) -> None:
        if self.limit is not None and length > self.limit:
            raise TooLarge("The upload", self.limit)

    def _check_length(self, upload: Upload, length: int) -> None:
        if upload.length is None:
            self.check_limit(length)
        elif length > upload.length:
            raise TooLarge("The upload", upload.length)

    async def _take(
        self, upload: Upload, root: Root, arriving: Arriving, chunks: AsyncIterator[bytes]
    ) -> None:
        async for chunk in chunks:
            self._check_length(upload, arriving.received + len(chunk))
            await arriving.write(chunk)
            if arriving.received - arriving.synced >= CHECKPOINT:
                await self._checkpoint(upload, arriving)
                if upload.length is None:
                    await self._space.require(root)

    async def _take_checked(
        self, upload: Upload, arriving: Arriving, chunks: AsyncIterator[bytes], checksum: Checksum
    ) -> None:
        """No checkpoint before the sum is right."""
        start, sum_before = arriving.received, arriving.copy_of_sum()
        found = checksum.begin()
        try:
            async for chunk in chunks:
                self._check_length(upload, arriving.received + len(chunk))
                await arriving.write(chunk)
                found.update(chunk)
            if found.digest() != checksum.digest:
                raise ChecksumMismatch()
        except BaseException:
            await off_loop(arriving.go_back, start, sum_before)
            raise

    async def _checkpoint(self, upload: Upload, arriving: Arriving) -> None:
        if arriving.synced < arriving.received:
            await arriving.sync()
            async with self._database.write() as connection:
                await store.change(connection, upload.id, received=arriving.synced)
        self._space.came(upload.id, (upload.length or arriving.received) - arriving.received)
