"""What is being sent right now, by session, so that a revoked session's streams end at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


class Running:
    """A body that may last registers how it can be ended; revoking calls that."""

    def __init__(self) -> None:
        self._cancels: dict[str, set[Callable[[], object]]] = {}

    @contextmanager
    def register(self, session_id: str | None, cancel: Callable[[], object]) -> Iterator[None]:
        """While the block runs, revoking `session_id` calls `cancel` (once; `task.cancel` will do)."""
        if session_id is None:
            yield
            return
        held = self._cancels.setdefault(session_id, set())
        held.add(cancel)
        try:
            yield
        finally:
            held.discard(cancel)
            if not held and self._cancels.get(session_id) is held:
                del self._cancels[session_id]

    def sessions(self) -> frozenset[str]:
        """Sessions with something running."""
        return frozenset(self._cancels)

    def count(self, session_id: str) -> int:
        return len(self._cancels.get(session_id, ()))

    def cut(self, session_id: str) -> None:
        """End all that runs for this session."""
        for cancel in tuple(self._cancels.get(session_id, ())):
            try:
                cancel()
            except Exception:
                log.exception("could not end a stream of a revoked session")
