"""Tokens, made and read. Pure: keys in, text out; nothing here knows what is revoked.

- access: a JWT (RFC 7519), HS256, 15 minutes; carries session, person and auth epoch, never a role.
- refresh: opaque to its bearer; derived from the session's id and a counter, so that the successor of a
  spent one can be told again within the grace without being stored (RFC 9700 §4.14.2).
- device: tells a device that signed in before from one that never did. Opens nothing.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from dataclasses import dataclass

import jwt

from appliance.accounts.keys import Keys
from appliance.units import DAYS, MINUTES, SECONDS

ACCESS_LIFE = 15 * MINUTES
REFRESH_LIFE = 7 * DAYS
DEVICE_LIFE = 400 * DAYS
CLOCK_LEEWAY = 20 * SECONDS
AUDIENCE = "mantel:access"


@dataclass(frozen=True)
class Access:
    """What an access token says."""

    session_id: str
    epoch: int
    token_id: str


def access_token(keys: Keys, session_id: str, epoch: int, token_id: str, now: float | None = None) -> str:
    """`now`: epoch seconds."""
    issued = int(time.time() if now is None else now)
    claims = {
        "sid": session_id,
        "epoch": epoch,
        "jti": token_id,
        "aud": AUDIENCE,
        "iat": issued,
        "exp": issued + ACCESS_LIFE,
    }
    return jwt.encode(claims, keys.derive("access"), algorithm="HS256", headers={"kid": keys.kid})


def read_access_token(keys: Keys, token: str) -> Access | None:
    """None for anything that is not a live access token of ours."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        claims = jwt.decode(
            token,
            keys.derive("access", str(kid)),
            algorithms=["HS256"],
            audience=AUDIENCE,
            leeway=CLOCK_LEEWAY,
            options={"require": ["exp", "iat", "sid", "epoch", "jti", "aud"]},
        )
        return Access(str(claims["sid"]), int(claims["epoch"]), str(claims["jti"]))
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        return None


def new_token_id() -> str:
    return secrets.token_hex(16)


def refresh_token(keys: Keys, session_id: str, counter: int, kid: str | None = None) -> str:
    return _sealed(keys, "refresh", f"{session_id}.{counter}", kid)


def read_refresh_token(keys: Keys, token: str) -> tuple[str, int] | None:
    """(session id, counter), or None for what we did not make."""
    said = _unsealed(keys, "refresh", token)
    session_id, _, counter = (said or "").rpartition(".")
    return (session_id, int(counter)) if session_id and counter.isdigit() else None


def device_token(keys: Keys, device: str) -> str:
    return _sealed(keys, "device", device)


def read_device_token(keys: Keys, token: str | None) -> str | None:
    """The device's id, or None."""
    return _unsealed(keys, "device", token) if token else None


def _sealed(keys: Keys, purpose: str, said: str, kid: str | None = None) -> str:
    kid = kid or keys.kid
    mac = hmac.digest(keys.derive(purpose, kid), said.encode(), "sha256")
    return f"{said}.{kid}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _unsealed(keys: Keys, purpose: str, token: str) -> str | None:
    said, _, rest = token[:400].rpartition(".")
    said, _, kid = said.rpartition(".")
    if not rest or not said or kid not in dict(keys.signing) or not token.isascii():
        return None
    return said if hmac.compare_digest(_sealed(keys, purpose, said, kid), token) else None
