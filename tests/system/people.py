"""A phone and TVs on hosts of a house, each request of theirs by a socket of that host."""

from __future__ import annotations

import html
import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from defusedxml.ElementTree import fromstring

from tests.house import ADMIN, PASSWORD
from tests.netns import Host

CDS = "urn:schemas-upnp-org:service:ContentDirectory:1"
DIDL = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}"
DC = "{http://purl.org/dc/elements/1.1/}"
PATIENCE = 60


def request(
    host: Host, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of one request from `host`."""
    connection, path = connect(host, url)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def connect(host: Host, url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection of `host`, and the path to ask for on it."""
    parts = urlsplit(url)
    with host.entered():
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        connection.connect()
    return connection, parts.path + (f"?{parts.query}" if parts.query else "")


class Phone:
    """An admin's phone, signed in by bearer."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url
        self._headers: dict[str, str] = {}
        end = time.monotonic() + PATIENCE
        while not self._headers:
            try:
                token = self.ask("POST", "/auth/login", {"username": ADMIN, "password": PASSWORD})["token"]
                self._headers = {"Authorization": f"Bearer {token}"}
            except ConnectionRefusedError:
                assert time.monotonic() < end
                time.sleep(0.1)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that comes back; AssertionError for an error."""
        sent = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if sent else {})
        status, _, said = request(self.host, method, self.url + path, sent, headers)
        assert status < 300, (status, said)
        return json.loads(said) if said else None

    def upload(self, name: str, data: bytes, folder: str = "") -> Any:
        """The file as it stands on the shelf."""
        line = "----a-phone"
        parts = [("folder", "", folder.encode()), ("file", f'; filename="{name}"', data)]
        body = b"".join(
            f'--{line}\r\nContent-Disposition: form-data; name="{field}"{more}\r\n\r\n'.encode()
            + value
            + b"\r\n"
            for field, more, value in parts
        )
        headers = self._headers | {"Content-Type": f"multipart/form-data; boundary={line}"}
        status, _, said = request(
            self.host, "POST", self.url + "/files/upload", body + f"--{line}--\r\n".encode(), headers
        )
        assert status == 201, said
        return json.loads(said)["files"][0]

    def files(self, count: int) -> list[dict[str, Any]]:
        """All files, once there are `count`."""
        end = time.monotonic() + PATIENCE
        while len(items := self.ask("GET", "/files?page_size=100")["items"]) < count:
            assert time.monotonic() < end, f"{len(items)} files on the shelf"
            time.sleep(0.1)
        return list(items)


class Television:
    """A TV that speaks for itself: SOAP under a User-Agent of its own."""

    def __init__(self, host: Host, url: str, user_agent: str) -> None:
        self.host, self.url, self.user_agent = host, url, user_agent

    def call(self, action: str, **arguments: object) -> tuple[int, dict[str, str]]:
        """(status, output arguments or the fault's parts)"""
        inside = "".join(f"<{name}>{html.escape(str(value))}</{name}>" for name, value in arguments.items())
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<u:{action} xmlns:u="{CDS}">{inside}</u:{action}></s:Body></s:Envelope>'
        ).encode()
        headers = {
            "SOAPACTION": f'"{CDS}#{action}"',
            "Content-Type": "text/xml",
            "User-Agent": self.user_agent,
        }
        status, _, said = request(self.host, "POST", self.url + "/control/ContentDirectory", body, headers)
        return status, {one.tag.rpartition("}")[2]: one.text or "" for one in fromstring(said).iter()}

    def browse(self, object_id: str, flag: str = "BrowseDirectChildren") -> list[Any]:
        """The objects, as elements."""
        status, said = self.call(
            "Browse", ObjectID=object_id, BrowseFlag=flag, Filter="*", StartingIndex=0, RequestedCount=0,
            SortCriteria="",
        )  # fmt: skip
        assert status == 200, said
        return list(fromstring(said["Result"]))

    def search(self, criteria: str) -> list[Any]:
        status, said = self.call(
            "Search", ContainerID="0", SearchCriteria=criteria, Filter="*", StartingIndex=0, RequestedCount=0,
            SortCriteria="",
        )  # fmt: skip
        assert status == 200, said
        return list(fromstring(said["Result"]))

    def titles(self, object_id: str) -> list[str]:
        return [title(one) for one in self.browse(object_id)]

    def item(self, object_id: str, name: str) -> Any:
        """The object of that title in a container."""
        return next(one for one in self.browse(object_id) if title(one) == name)

    def fetch(self, url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        return request(self.host, method, url, None, {"User-Agent": self.user_agent, **headers})


def title(one: Any) -> str:
    return str(one.findtext(f"{DC}title"))


def url_of(one: Any) -> str:
    """Where an item's first resource is."""
    return str(one.findtext(f"{DIDL}res"))
