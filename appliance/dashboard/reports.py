"""The daemon's reports, asked with parameters rebuilt here: nothing of a client's URL is passed on."""

from __future__ import annotations

import json
import re
from typing import Any

import aiohttp

from appliance.errors import Invalid, NotFound, Unavailable
from appliance.settings import Secret
from appliance.units import MIB, SECONDS

REPLY_TIMEOUT = aiohttp.ClientTimeout(total=2 * SECONDS)
LARGEST_REPORT = 4 * MIB
RANGE = re.compile(r"[1-9]\d{0,2}d")


def checked_range(value: str | None, default: str) -> str:
    """`7d`, `30d` …: whole days up to 999."""
    value = value or default
    if not RANGE.fullmatch(value):
        raise Invalid("range", value, "days such as 7d or 30d are allowed")
    return value


class Reports:
    """GETs to the daemon. Raises Unavailable when it is off, away or wrong; NotFound without a report."""

    def __init__(self, base_url: str | None, token: Secret | None) -> None:
        self._url, self._token = base_url, token
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        if self._url and self._token:
            headers = {"Authorization": f"Bearer {self._token.reveal()}"}
            self._http = aiohttp.ClientSession(self._url, headers=headers, timeout=REPLY_TIMEOUT)

    async def stop(self) -> None:
        if self._http:
            await self._http.close()

    async def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON of `path`, one of the contract's report routes."""
        if self._http is None:
            raise Unavailable("The report", "analytics is switched off on this box.")
        try:
            async with self._http.get(path, params=parameters) as response:
                if response.status == 404:
                    raise NotFound("report", path)
                if response.status != 200:
                    raise Unavailable("The report", f"the analytics daemon answered {response.status}.")
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_REPORT:
                        raise ValueError("report too large")
                return json.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable("The report", "the analytics daemon does not answer now.") from error
