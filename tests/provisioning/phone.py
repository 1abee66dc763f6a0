"""A phone on the house's LAN that speaks HTTP to Mantel as an app without cookies would."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.netns import Host


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Phone:
    """Signed in from `sign_in` on; `port` is the web page's."""

    def __init__(self, host: Host, address: str, port: int = 8000) -> None:
        self._host = host
        self._address = address
        self._port = port
        self._token = ""

    def call(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own; header names with _ for -."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            names["Authorization"] = f"Bearer {self._token}"
        if method not in ("GET", "HEAD"):
            names["Origin"] = f"http://{self._address}" + ("" if self._port == 80 else f":{self._port}")
        with self._host.entered():
            connection = http.client.HTTPConnection(self._address, self._port, timeout=30)
            connection.connect()
        try:
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, path: str, **fields: Any) -> Answer:
        return self.call("POST", path, json.dumps(fields).encode(), Content_Type="application/json")

    def set_up(self, code: str, username: str, password: str) -> None:
        """Makes the first admin by the setup code, and is signed in as that admin."""
        self._enter(self.post("/auth/setup", code=code, username=username, password=password))

    def sign_in(self, username: str, password: str) -> None:
        self._enter(self.post("/auth/login", username=username, password=password))

    def _enter(self, answer: Answer) -> None:
        assert answer.status in (200, 201), answer
        self._token = answer.json["token"]

    def files(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.call("GET", f"/files?{urlencode(query)}")
        assert answer.status == 200, answer
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    def upload(self, name: str, content: bytes, folder: str = "", seconds: float = 0) -> Answer:
        """One file in one form, sent as slowly as `seconds`."""
        line = secrets.token_hex(16)
        parts = [('name="folder"', folder.encode())] if folder else []
        parts.append((f'name="file"; filename="{quote(name, safe=" ()")}"', content))
        form = b"".join(
            f"--{line}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
            for head, value in parts
        )
        form += f"--{line}--\r\n".encode()
        return self.call(
            "POST",
            "/files/upload",
            _slowly(form, seconds) if seconds else form,
            Content_Type=f"multipart/form-data; boundary={line}",
            Content_Length=str(len(form)),
        )


def _slowly(body: bytes, seconds: float) -> Iterator[bytes]:
    step = len(body) // 50 + 1
    for at in range(0, len(body), step):
        yield body[at : at + step]
        time.sleep(seconds / 50)
