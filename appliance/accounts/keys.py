"""The appliance's own secrets: the key that signs, and the pepper of the passwords.

They lie in `keys/` of the state folder (0700), each file 0600. Every use has its own key, derived by
HKDF (RFC 5869) from the signing key and the name of the use, so that no signature is good for two things.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.errors import BadSetting

KEY_BYTES = 32
SIGNING_FILE = "signing.json"
PEPPER_FILE = "password-pepper"


@dataclass(frozen=True)
class Keys:
    """`signing` maps kid to secret, newest last: the newest signs, all verify."""

    signing: tuple[tuple[str, bytes], ...]
    pepper: bytes

    @property
    def kid(self) -> str:
        return self.signing[-1][0]

    def derive(self, purpose: str, kid: str | None = None) -> bytes:
        """32 bytes for this purpose (`access`, `refresh`, `share` …). KeyError for an unknown kid."""
        secret = dict(self.signing)[kid or self.kid]
        return _derive(secret, purpose)

    def __repr__(self) -> str:
        return f"Keys(kid={self.kid!r})"


@lru_cache(maxsize=64)
def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"mantel {purpose}".encode()).derive(secret)


def load_keys(folder: Path) -> Keys:
    """Keys from `folder`, made there at the first start. BadSetting when others may read them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signing, pepper = folder / SIGNING_FILE, folder / PEPPER_FILE
    if not signing.exists():
        _write_signing(signing, ())
    if not pepper.exists():
        write_private(pepper, base64.b64encode(secrets.token_bytes(KEY_BYTES)))
    for file in (signing, pepper):
        mode = file.stat().st_mode & 0o777
        if mode & 0o077:
            raise BadSetting(str(file), oct(mode), "only its owner may read it: chmod 600")
    held = json.loads(signing.read_text())["keys"]
    return Keys(
        signing=tuple((key["kid"], base64.b64decode(key["secret"])) for key in held),
        pepper=base64.b64decode(pepper.read_bytes()),
    )


def renew_signing_key(folder: Path) -> None:
    """A new signing key alone: whatever the old ones signed is void. For restore and a suspected theft."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_signing(folder / SIGNING_FILE, ())


def _write_signing(file: Path, older: tuple[dict[str, str], ...]) -> None:
    new = {
        "kid": secrets.token_hex(4),
        "secret": base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
        "made_at": str(int(time.time())),
    }
    write_private(file, json.dumps({"keys": [*older, new]}, indent=1).encode())


def write_private(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `file` by `content`, whole or not at all, on the disk when this returns.

    Readable by its owner alone, unless `mode` says otherwise; nobody else reads it before it is whole.
    """
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as writing:
        os.fchmod(writing.fileno(), mode)
        writing.write(content)
        writing.flush()
        os.fsync(writing.fileno())
    new.replace(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
