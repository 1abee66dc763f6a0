"""Names and attributes of the cookies, by channel.

Over TLS the prefixes (RFC 6265bis §4.1.3) keep a plain page of the same host from planting one: a TLS request
reads only those. The refresh and device cookies travel to /auth alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.accounts import tokens
from appliance.accounts.client import Channel


@dataclass(frozen=True)
class Names:
    access: str
    refresh: str
    device: str


PLAIN = Names("mantel", "mantel_refresh", "mantel_device")
TLS = Names("__Host-mantel", "__Secure-mantel_refresh", "__Secure-mantel_device")


def names(channel: Channel) -> Names:
    return TLS if channel == "tls" else PLAIN


def cookies(channel: Channel, issued: Any) -> tuple[dict[str, Any], ...]:
    """Arguments of `set_cookie` for what a sign-in hands out; `issued` None takes all but the device away."""
    named, secure = names(channel), channel == "tls"

    def cookie(key: str, value: str, path: str, age: int) -> dict[str, Any]:
        return {
            "key": key,
            "value": value,
            "path": path,
            "max_age": age,
            "secure": secure,
            "httponly": True,
            "samesite": "Lax",
        }

    if issued is None:
        return cookie(named.access, "", "/", 0), cookie(named.refresh, "", "/auth", 0)
    return (
        cookie(named.access, issued.access, "/", tokens.ACCESS_LIFE),
        cookie(named.refresh, issued.refresh, "/auth", tokens.REFRESH_LIFE),
        cookie(named.device, issued.device, "/auth", tokens.DEVICE_LIFE),
    )
