"""Where renderers send their events: one path a renderer, on the listener that we have anyway.

The library wants a server of its own; ours is an address and a function. The path holds a random word, so
that nobody else on the network writes our state.
"""

from __future__ import annotations

import contextlib
import secrets

from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest
from async_upnp_client.event_handler import UpnpEventHandler, UpnpNotifyServer
from async_upnp_client.exceptions import UpnpError
from multidict import CIMultiDictProxy

LARGEST_EVENT = 256 * 1024
"""Bytes. A LastChange with all variables and DIDL in it is below 20 KiB."""
PATH = "/cast/events/"


class _Callback(UpnpNotifyServer):
    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def callback_url(self) -> str:
        return self._url


class Events:
    """Hands each NOTIFY to the renderer that it is for."""

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[str, UpnpEventHandler]] = {}

    def open(self, requester: UpnpRequester, renderer: str, our_origin: str) -> tuple[str, UpnpEventHandler]:
        """A word and a handler for the renderer at that address. `our_origin`: `http://10.0.0.5:8200`."""
        word = secrets.token_urlsafe(12)
        handler = UpnpEventHandler(_Callback(f"{our_origin}{PATH}{word}"), requester)
        self._handlers[word] = (renderer, handler)
        return word, handler

    def close(self, word: str) -> None:
        self._handlers.pop(word, None)

    async def notify(self, word: str, sender: str, headers: CIMultiDictProxy[str], body: bytes) -> int:
        """One NOTIFY. Returns the HTTP status to answer: 404, 400 and 412 by UDA 1.1 §4.3, else 200."""
        renderer, handler = self._handlers.get(word, ("", None))
        if handler is None or sender != renderer:
            return 404
        text = body.decode("utf-8", errors="replace")
        # An event that cannot be understood is none: polling tells the rest. 200 keeps the subscription.
        with contextlib.suppress(UpnpError, ValueError, SyntaxError):
            return int(await handler.handle_notify(HttpRequest("NOTIFY", PATH + word, headers, text)))
        return 200
