"""multipart/form-data, read as it comes: fields whole, files as streams. Nothing is spooled (RFC 7578)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from appliance.errors import Invalid, TooLarge
from appliance.units import KIB

LONGEST_FIELD = 8 * KIB
LONGEST_HEAD = 16 * KIB
MOST_PARTS = 1_000


@dataclass(frozen=True)
class Field:
    name: str
    value: str


@dataclass(frozen=True)
class FilePart:
    """`content` must be read to its end before the next part is asked for."""

    name: str
    filename: str
    content: AsyncIterator[bytes]


async def parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncIterator[Field | FilePart]:
    """The parts of a form in the order sent. Raises Invalid for what is no form, TooLarge for a long one."""
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not 0 < len(boundary) <= 70:
        raise Invalid("Content-Type", content_type, "multipart/form-data with a boundary is needed")
    decoder = multipart.MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS)
    form = _Form(decoder, body)
    while not isinstance(event := await form.next(), multipart.Epilogue):
        if isinstance(event, multipart.File) and event.filename:
            content = form.content()
            yield FilePart(event.name or "", event.filename, content)
            async for _ in content:  # what nobody wanted
                pass
        elif isinstance(event, multipart.Field | multipart.File):
            yield Field(event.name or "", await form.text(event.name or ""))


class _Form:
    def __init__(self, decoder: multipart.MultipartDecoder, body: AsyncIterator[bytes]) -> None:
        self._decoder, self._body = decoder, body
        self._delimiter = b"--" + decoder.boundary

    async def next(self) -> multipart.Event:
        try:
            await self._complete_delimiter()
            while isinstance(event := self._decoder.next_event(), multipart.NeedData):
                if not self._in_data and len(self._decoder.buffer) > LONGEST_HEAD:
                    raise TooLarge("The head of a part", LONGEST_HEAD)
                await self._more()
                await self._complete_delimiter()
        except RequestEntityTooLarge:
            raise TooLarge("The number of parts", MOST_PARTS) from None
        except (ValueError, UnicodeDecodeError) as error:
            raise Invalid("body", str(error)[:60], "a whole multipart/form-data body is needed") from None
        return event

    async def _more(self) -> None:
        self._decoder.receive_data(await anext(self._body, None))

    async def _complete_delimiter(self) -> None:
        """Werkzeug 3.1 takes the CR in front of a delimiter for content when the body's pieces are cut just
        behind the delimiter: never let it see one whose end has not come."""
        while not self._decoder.complete:
            buffer = self._decoder.buffer
            at = buffer.rfind(self._delimiter)
            behind = buffer[at + len(self._delimiter) :]
            if at < 0 or (len(behind) >= 4 and behind[:4].strip(b" \t")) or len(behind) > LONGEST_HEAD:
                return
            await self._more()

    @property
    def _in_data(self) -> bool:
        return self._decoder.state in (multipart.State.DATA, multipart.State.EPILOGUE)

    async def content(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            event = await self.next()
            assert isinstance(event, multipart.Data)
            more = event.more_data
            if event.data:
                yield event.data

    async def text(self, name: str) -> str:
        value = b""
        async for data in self.content():
            value += data
            if len(value) > LONGEST_FIELD:
                raise TooLarge(f"The field {name[:40]}", LONGEST_FIELD)
        return value.decode("utf-8", "replace")
