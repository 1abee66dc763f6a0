"""Signed paths on the LAN listener: who granted what to whom, until when. Pure.

`/m/<purpose>.<item>.<rendition>.<grantor>.<device>.<expiry>.<mac>/media.mp4`: TVs cannot send headers, keep
no cookies, and drop queries. The name at the end tells nothing but the type.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from appliance.units import HOURS

QUANTUM = 6 * HOURS
TV_LIFE = 24 * HOURS
"""A TV's URL lives 18 to 24 h: it is the same for a while, so that a TV's cache of thumbnails is of use."""
MAC_BYTES = 16

_PART = r"[A-Za-z0-9_-]{1,64}"
_TOKEN = re.compile(
    rf"(?P<purpose>tv|cast)\.(?P<item>{_PART})\.(?P<rendition>{_PART})\.(?P<grantor>{_PART})"
    rf"\.(?P<device>[A-Za-z0-9_-]{{0,64}})\.(?P<expires>[0-9]{{1,12}})\.(?P<mac>[A-Za-z0-9_-]{{22}})"
)


@dataclass(frozen=True)
class Grant:
    """One person's or TV's right to one rendition of one item."""

    purpose: str
    """`tv` (the grantor is a TV's id) or `cast` (the grantor is a showing's id)."""
    item: str
    """File id."""
    rendition: str
    """`o` the original; `tn`, `sm`, `med`, `lrg` pictures; `srt0`, `smi0`, `vtt0` captions by number."""
    grantor: str
    expires: int
    """Epoch seconds."""
    device: str = ""
    """Whom a cast is for; a TV's grant is for any device on the link."""


class MediaUrls:
    """Signs and reads. `key(purpose)` gives 32 bytes for each purpose (HKDF, accounts.keys)."""

    def __init__(self, key: Callable[[str], bytes], now: Callable[[], float]) -> None:
        self._key, self._now = key, now

    def path(self, grant: Grant, extension: str) -> str:
        """`extension` without the dot: that of the bytes, not of the file's name."""
        text = ".".join(
            (grant.purpose, grant.item, grant.rendition, grant.grantor, grant.device, str(grant.expires))
        )
        return f"/m/{text}.{self._mac(grant.purpose, text)}/media.{extension}"

    def expiry(self) -> int:
        """Until when a TV's path of now is good, in epoch seconds."""
        return (int(self._now()) + TV_LIFE) // QUANTUM * QUANTUM

    def for_tv(self, item: str, rendition: str, tv: str, extension: str, expires: int | None = None) -> str:
        text = f"tv.{item}.{rendition}.{tv}..{expires or self.expiry()}"
        return f"/m/{text}.{self._mac('tv', text)}/media.{extension}"

    def read(self, token: str) -> Grant | None:
        """None for what was not signed here, or has run out."""
        match = _TOKEN.fullmatch(token)
        if not match:
            return None
        text = token.rpartition(".")[0]
        if not hmac.compare_digest(match["mac"], self._mac(match["purpose"], text)):
            return None
        if int(match["expires"]) < self._now():
            return None
        return Grant(
            match["purpose"],
            match["item"],
            match["rendition"],
            match["grantor"],
            int(match["expires"]),
            match["device"],
        )

    def _mac(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self._key(f"media {purpose}"), text.encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")
