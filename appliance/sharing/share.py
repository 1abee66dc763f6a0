"""A link, as a value, and the two texts that stand for it. Pure.

- token: in the link itself; names the share and its generation.
- opening: in the cookie of a browser that pressed Open; good for that share alone.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from appliance.accounts.keys import Keys

MAC_BYTES = 16


@dataclass(frozen=True)
class SharedFile:
    """`size_bytes` and `mtime_ns` are those of the content that was shared."""

    file_id: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Share:
    id: str
    owner_id: str
    title: str
    created_at: int
    expires_at: int
    generation: int
    epoch: int
    password_hash: str | None
    one_time: bool
    download: bool
    with_place: bool
    revoked: bool
    bound_to: str | None


@dataclass(frozen=True)
class Opening:
    """One browser that opened a link."""

    id: str
    share_id: str
    opened_at: int
    expires_at: int
    device_name: str
    address: str


def _mac(keys: Keys, purpose: str, said: str, kid: str | None = None) -> str:
    mac = hmac.digest(keys.derive(purpose, kid), said.encode(), "sha256")[:MAC_BYTES]
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def token(keys: Keys, share: Share) -> str:
    return f"{share.id}{_mac(keys, 'share', f'{share.id}.{share.generation}')}"


def share_id_of(text: str) -> str:
    """The id that a token names; who believes it checks `is_token` then."""
    return text[:16]


def is_token(keys: Keys, share: Share, text: str) -> bool:
    said = f"{share.id}.{share.generation}"
    macs = [share.id + _mac(keys, "share", said, kid) for kid, _ in keys.signing]
    return any(hmac.compare_digest(mac.encode(), text.encode()) for mac in macs)


def opening_cookie(keys: Keys, share: Share, opening_id: str) -> str:
    return f"{opening_id}.{_mac(keys, 'share opening', f'{share.id}.{share.generation}.{opening_id}')}"


def read_opening(keys: Keys, share: Share, cookie: str | None) -> str | None:
    """The opening's id, or None for a cookie of another share, of another generation, or made up."""
    opening_id = (cookie or "").partition(".")[0]
    for kid, _ in keys.signing:
        mac = _mac(keys, "share opening", f"{share.id}.{share.generation}.{opening_id}", kid)
        if cookie and hmac.compare_digest(f"{opening_id}.{mac}".encode(), cookie.encode()):
            return opening_id
    return None
