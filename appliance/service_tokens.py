"""The two bearer tokens between the appliance and the analytics daemon, one a direction.

Under systemd they come as credentials (LoadCredential=); else they lie in `keys/` of the state folder,
made by whoever starts first.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import BadSetting
from appliance.settings import Secret, Settings

TOKEN_BYTES = 32
TO_DAEMON, TO_APPLIANCE = "to-daemon", "to-appliance"


INSTALLED = Path("/etc/mantel/credentials")
"""Where the units of an installed Mantel take them from; root alone may read it."""


def known_token(settings: Settings, name: str) -> Secret | None:
    """The token `name` where somebody who may has a look; None, and nothing is made, where there is none."""
    for folder in (settings.keys, INSTALLED):
        try:
            return Secret((folder / name).read_text().strip())
        except OSError:
            continue
    return None


def service_token(settings: Settings, name: str, environ: Mapping[str, str] | None = None) -> Secret:
    """The token `name` (TO_DAEMON, TO_APPLIANCE). Raises BadSetting for a file that others may read."""
    given = (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY")
    if given and (Path(given) / name).exists():
        return Secret((Path(given) / name).read_text().strip())
    file = settings.keys / name
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        mode = file.stat().st_mode & 0o777
        if mode & 0o077:
            raise BadSetting(str(file), oct(mode), "only its owner may read it: chmod 600") from None
        return Secret(file.read_text().strip())
    with os.fdopen(handle, "w") as writing:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        writing.write(token + "\n")
        writing.flush()
        os.fsync(writing.fileno())
    return Secret(token)
