"""Spans: which bytes of a file one player took, in one piece, and when.

Rules:
1. Contiguous requests of one player for one file are one span; a jump begins another.
2. A download is one row when it ends: DOWNLOAD if its last byte left, else a closed span of what did.
3. A span has its event id from the first byte, grows by versions, and is closed after IDLE of silence.
4. Nothing here does I/O: `SpanBook` takes the time from its caller and returns entries to write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from appliance.accounts.caller import Caller
from appliance.journal.entry import Action, Entry, uuid7
from appliance.units import KIB, MIB, SECONDS, iso

IDLE = 30 * SECONDS
CHECKPOINT = 15 * SECONDS
OVERLAP = 1 * MIB
"""Bytes a player may ask for again (read-ahead thrown away) and still be going on."""
FIRST_BYTES = 64 * KIB
"""A span this long is written at once; a shorter one waits, since most are probes that grow or end."""


@dataclass
class Span:
    """One contiguous piece. `sent` is called by the body; the book looks at the rest."""

    key: tuple[str, str]
    file_id: str
    size_bytes: int
    first_byte: int
    source: str
    user_id: str | None
    device: str | None
    ip: str
    user_agent: str
    started_at: int
    ended_at: int
    event_id: str = field(default_factory=uuid7)
    bytes: int = 0
    version: int = 0
    """0 until it was written once."""
    written_bytes: int = 0
    written_at: int = 0
    """Epoch milliseconds of the last version; the start until there is one."""
    readers: int = 0
    """Responses that are sending now."""
    closed: bool = False

    @property
    def next_byte(self) -> int:
        return self.first_byte + self.bytes

    def entry(self) -> Entry:
        """The row as it stands now; each call is a new version."""
        self.version += 1
        self.written_bytes = self.bytes
        return Entry(
            Action.STREAM,
            user_id=self.user_id,
            device=self.device,
            file_id=self.file_id,
            bytes_served=self.bytes,
            ip=self.ip,
            user_agent=self.user_agent,
            payload={
                "source": self.source,
                "firstByte": self.first_byte,
                "bytes": self.bytes,
                "sizeBytes": self.size_bytes,
                "startedAt": iso(self.started_at),
                "endedAt": iso(self.ended_at),
                "closed": self.closed,
            },
            at=self.ended_at,
            event_id=self.event_id,
            version=self.version,
        )


class Sending:
    """One response's hold on a span: `sent(count)` after each write, `close()` in the end."""

    def __init__(self, book: SpanBook, span: Span, offset: int) -> None:
        self._book, self._span, self._offset, self._open = book, span, offset, True

    def sent(self, count: int) -> None:
        """`count` more bytes have left."""
        self._offset += count
        span = self._span
        span.bytes = max(span.bytes, self._offset - span.first_byte)
        span.ended_at = self._book.now()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._span.readers -= 1
            self._span.ended_at = self._book.now()


class Downloading:
    """One response that is kept as a file: `sent(count)` after each write, `close()` in the end."""

    def __init__(
        self, book: SpanBook, caller: Caller, file_id: str, size_bytes: int, first_byte: int
    ) -> None:
        self._book, self._open = book, True
        now = book.now()
        self._span = Span(
            ("", file_id), file_id, size_bytes, first_byte, "web", caller.user_id, caller.device,
            caller.address, caller.user_agent, now, now,
        )  # fmt: skip

    def sent(self, count: int) -> None:
        """`count` more bytes have left."""
        self._span.bytes += count

    def close(self) -> None:
        if not self._open or not self._span.bytes:
            return
        self._open, span = False, self._span
        span.ended_at, span.closed = self._book.now(), True
        entry = span.entry()
        if span.next_byte >= span.size_bytes:
            said = {"bytes": span.bytes, "sizeBytes": span.size_bytes}
            entry = replace(entry, action=Action.DOWNLOAD, payload=said)
        self._book.over.append(entry)


class SpanBook:
    """All spans that may still grow. `now` gives epoch milliseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self._open: dict[tuple[str, str], list[Span]] = {}
        self.over: list[Entry] = []
        """Downloads that ended and are not written yet."""

    def open(self, caller: Caller, file_id: str, size_bytes: int, first_byte: int, source: str) -> Sending:
        """A response to `caller` begins at `first_byte`."""
        who = caller.device or caller.session_id or caller.user_id or caller.address
        key = (who, file_id)
        spans = self._open.setdefault(key, [])
        for span in spans:
            if (
                not span.closed
                and span.next_byte - OVERLAP <= first_byte <= span.next_byte
                and (first_byte >= span.first_byte)
            ):
                break
        else:
            now = self.now()
            span = Span(
                key, file_id, size_bytes, first_byte, source, caller.user_id, caller.device,
                caller.address, caller.user_agent, now, now, written_at=now,
            )  # fmt: skip
            spans.append(span)
        span.readers += 1
        return Sending(self, span, first_byte)

    def spans(self) -> list[Span]:
        """All that may still grow."""
        return [span for spans in self._open.values() for span in spans]

    def due(self, final: bool = False) -> list[Entry]:
        """Entries to write now: new, grown for CHECKPOINT, or over. `final`: the appliance stops."""
        now = self.now()
        entries, self.over = self.over, []
        for key in list(self._open):
            for span in list(self._open[key]):
                over = final or (span.readers == 0 and now - span.ended_at >= IDLE * 1000)
                if over:
                    span.closed = True
                    self._open[key].remove(span)
                    if span.bytes:
                        entries.append(span.entry())
                elif span.bytes > span.written_bytes and (
                    (span.version == 0 and (span.bytes >= FIRST_BYTES or span.readers == 0))
                    or now - span.written_at >= CHECKPOINT * 1000
                ):
                    span.written_at = now
                    entries.append(span.entry())
            if not self._open[key]:
                del self._open[key]
        return entries
