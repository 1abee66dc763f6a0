"""What a foreign device tells us to fetch is fetched from that device alone.

A description names URLs: control, events, SCPD, icons. Each must be plain HTTP at the numeric address that
sent the SSDP message; redirects are not followed; answers are capped in size and time. So a hostile LOCATION
makes us ask nobody but its sender.
"""

from __future__ import annotations

import asyncio
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

import aiohttp
from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import (
    UpnpCommunicationError,
    UpnpConnectionError,
    UpnpConnectionTimeoutError,
    UpnpError,
)

KIB = 1024
LARGEST_ANSWER = 512 * KIB
"""The largest SCPD seen on a TV is below 100 KiB; a GetProtocolInfo of 271 profiles below 40 KiB."""
PATIENCE = 10.0
"""Seconds. UDA 1.1 §3.2.2 allows 30 for an action; those carry their own timeout."""


class ForeignUrl(UpnpError):
    """A URL that does not belong to the device that named it."""

    def __init__(self, url: str, sender: str) -> None:
        super().__init__(f"{url[:200]!r} is not a plain HTTP address of {sender}")
        self.url, self.sender = url, sender


def own_url(url: str, sender: str) -> str:
    """`url`, if it is plain HTTP at the numeric address `sender`. Raises ForeignUrl."""
    try:
        parts = urlsplit(url)
        same = IPv4Address(parts.hostname or "") == IPv4Address(sender)
        port = parts.port
    except (ValueError, AddressValueError):
        raise ForeignUrl(url, sender) from None
    if parts.scheme != "http" or not same or port == 0 or parts.username or parts.password or "\\" in url:
        raise ForeignUrl(url, sender)
    if not url.isascii() or any(ord(c) <= 32 for c in url):
        raise ForeignUrl(url, sender)
    return url


def foreign_session() -> aiohttp.ClientSession:
    """A session for `OneDevice`: a connection for each request, no cookies, no proxy.

    libupnp (gmediarender, many speakers) says keep-alive and closes: a kept connection loses every other SOAP
    request, and those may not be repeated.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit_per_host=8),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


class OneDevice(UpnpRequester):
    """Requests to one device and to no other."""

    def __init__(self, session: aiohttp.ClientSession, sender: str) -> None:
        self._session, self.sender = session, sender

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """Raises ForeignUrl, or the library's errors of communication."""
        url = own_url(http_request.url, self.sender)
        seconds = http_request.timeout or PATIENCE
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.request(
                    http_request.method,
                    url,
                    headers=http_request.headers,
                    data=http_request.body,
                    allow_redirects=False,
                ) as response,
            ):
                body = await response.content.read(LARGEST_ANSWER + 1)
                while len(body) <= LARGEST_ANSWER and (more := await response.content.read(64 * KIB)):
                    body += more
        except TimeoutError as error:
            raise UpnpConnectionTimeoutError(f"{self.sender} did not answer in {seconds:g} s") from error
        except aiohttp.ClientConnectionError as error:
            raise UpnpConnectionError(str(error)) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise UpnpCommunicationError(repr(error)) from error
        if len(body) > LARGEST_ANSWER:
            raise UpnpCommunicationError(f"{self.sender} answered with more than {LARGEST_ANSWER} bytes")
        # Devices label UTF-8 as all sorts of things; what is not UTF-8 is most often Latin-1.
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            text = body.decode("latin-1")
        return HttpResponse(response.status, response.headers, text)
