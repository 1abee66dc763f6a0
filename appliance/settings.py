"""Every setting, read once at the start: one TOML file, and each key as an environment variable, which wins.

`library = ["/srv/media"]` in the file is `MANTEL_LIBRARY=/srv/media` in the environment.
The dataclass below is the list; docs/settings.md is checked against it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from appliance.errors import BadSetting
from appliance.units import GIB, SECONDS

PREFIX = "MANTEL_"


class Secret:
    """A setting that appears in no error, log, argv or example: only `reveal()` tells it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def _setting(parse: Callable[[str, Any], Any], default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or any(ord(c) < 32 for c in value):
        raise BadSetting(name, value, "a text of one line is allowed")
    return value.strip()


def _choice(*allowed: str) -> Callable[[str, Any], str]:
    def parse(name: str, value: Any) -> str:
        if isinstance(value, bool):
            value = "on" if value else "off"
        if value not in allowed:
            raise BadSetting(name, value, f"one of {', '.join(allowed)} is allowed")
        return str(value)

    return parse


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def parse(name: str, value: Any) -> int:
        text = str(value)
        if isinstance(value, bool) or not re.fullmatch(r"\d{1,18}", text) or not low <= int(text) <= high:
            raise BadSetting(name, value, f"a whole number from {low} to {high} is allowed")
        return int(text)

    return parse


def _size(name: str, value: Any) -> int:
    """Bytes, or a number with KiB, MiB, GiB or TiB behind it."""
    match = re.fullmatch(r"(\d{1,15})\s*(|[KMGT]iB)", str(value))
    if isinstance(value, bool) or not match:
        raise BadSetting(name, value, "a number of bytes, or like 500 MiB or 20 GiB, is allowed")
    power = ("", "KiB", "MiB", "GiB", "TiB").index(match[2])
    return int(match[1]) * int(1024**power)


def _path(name: str, value: Any) -> Path:
    return Path(_text(name, value)).expanduser().absolute()


def _paths(name: str, value: Any) -> tuple[Path, ...]:
    parts = value if isinstance(value, list) else str(value).split(":")
    found = tuple(_path(name, part) for part in parts if part)
    if not found:
        raise BadSetting(name, value, "at least one folder, several separated by ':', is allowed")
    return found


def _names(name: str, value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[,:\s]+", str(value))
    return tuple(_text(name, part) for part in parts if part)


def _address(name: str, value: Any) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise BadSetting(name, value, "a numeric address such as 0.0.0.0 is allowed") from None


def _timezone(name: str, value: Any) -> ZoneInfo:
    if value not in available_timezones():
        raise BadSetting(name, value, "a time zone such as Europe/Oslo is allowed")
    return ZoneInfo(value)


def _database(*schemes: str) -> Callable[[str, Any], Secret]:
    def parse(name: str, value: Any) -> Secret:
        if not any(str(value).startswith(scheme) for scheme in schemes):
            shown = urlsplit(str(value)).scheme + ":…"
            raise BadSetting(name, shown, f"a URL that begins with {' or '.join(schemes)} is allowed")
        return Secret(str(value))

    return parse


def _command(name: str, value: Any) -> tuple[str, ...]:
    import shlex

    words = tuple(value) if isinstance(value, list) else tuple(shlex.split(str(value)))
    if not words:
        raise BadSetting(name, value, "a command and its arguments are allowed")
    return words


def _secret(name: str, value: Any) -> Secret:
    return Secret(str(value))


@dataclass(frozen=True)
class Settings:
    """One field a setting, in the order of docs/settings.md."""

    library: tuple[Path, ...] = _setting(_paths, (Path("library"),), "media roots, separated by `:`")
    state: Path = _setting(_path, Path("var"), "databases, thumbnails, keys, bookkeeping")
    bind: str = _setting(_address, "0.0.0.0", "address of the web page and API")  # noqa: S104
    http_port: int = _setting(_whole(0, 65535), 8000, "port of the web page and API")
    https_port: int | None = _setting(_whole(0, 65535), None, "the same over TLS; unset: no TLS")
    tls_cert: Path | None = _setting(_path, None, "certificate chain, PEM")
    tls_key: Path | None = _setting(_path, None, "private key, PEM")
    plain_http: str | None = _setting(
        _choice("full", "trust"), None, "what the plain port serves: `full` without TLS, `trust` with it"
    )
    lan_port: int = _setting(_whole(0, 65535), 8200, "UPnP/DLNA and the media URLs of TVs; plain HTTP")
    internal_port: int = _setting(
        _whole(0, 65535), 8001, "hooks from the daemon and /metrics; 127.0.0.1 only"
    )
    analytics: str = _setting(
        _choice("on", "off"), "on", "`off`: no Java, no reports; our own probe describes files"
    )
    analytics_port: int = _setting(_whole(0, 65535), 8080, "the analytics daemon; 127.0.0.1 only")
    database_url: Secret | None = _setting(
        _database("sqlite+aiosqlite:", "postgresql+asyncpg:"),
        None,
        "SQLite under the state folder unless set",
    )
    analytics_database_url: Secret | None = _setting(
        _database("jdbc:sqlite:", "jdbc:postgresql:"), None, "SQLite under the state folder unless set"
    )
    interfaces: tuple[str, ...] | None = _setting(
        _names,
        None,
        "where SSDP, mDNS and the LAN port are served; unset: every interface with a private address",
    )
    hosts: tuple[str, ...] = _setting(_names, (), "further Host names of the page")
    trusted_proxies: tuple[str, ...] = _setting(_names, (), "proxies whose X-Forwarded-For counts")
    public_peers: str = _setting(
        _choice("on", "off"), "off", "`on`: peers with a public address are answered too"
    )
    admin_password: Secret | None = _setting(
        _secret, None, "creates `admin` at the first start; ignored later"
    )
    tv_access: str = _setting(
        _choice("ask", "open"), "ask", "`open`: every TV on the LAN may browse and play"
    )
    guest: str = _setting(_choice("on", "off"), "off", "`on`: visitors may enter without a password")
    scan_command: tuple[str, ...] = _setting(_command, (), "run on each upload before it is published")
    upload_limit: int | None = _setting(_size, None, "largest upload, in bytes; unset: none")
    free_space: int = _setting(_size, 1 * GIB, "bytes that stay free on the disk")
    rescan_seconds: int = _setting(
        _whole(5, 86_400), 300 * SECONDS, "seconds between full looks at the folders"
    )
    timezone: ZoneInfo | None = _setting(_timezone, None, "day borders in reports; unset: the system's")
    log_days: int = _setting(_whole(1, 3650), 90, "days that the access log is kept")
    phone_copies: Path | None = _setting(
        _path, None, "folder where the daemon keeps copies of films that phones cannot play; unset: none"
    )
    phone_copies_space: int = _setting(_size, 20 * GIB, "bytes that all these copies may take")
    name: str = _setting(_text, "Mantel", "shown on TVs and phones; also `<name>.local`")

    @property
    def keys(self) -> Path:
        """Folder of signing keys and service tokens, 0700."""
        return self.state / "keys"

    @property
    def appliance_database_url(self) -> str:
        """SQLAlchemy URL of the appliance's own store."""
        if self.database_url:
            return self.database_url.reveal()
        return f"sqlite+aiosqlite:///{self.state / 'mantel.db'}"


def set_by_environment(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Names of the fields that the environment sets."""
    environ = os.environ if environ is None else environ
    given = {key.removeprefix(PREFIX).lower() for key in environ if key.startswith(PREFIX) and environ[key]}
    return frozenset(field.name for field in fields(Settings)) & given


def read_settings(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Settings from `file` (TOML; missing is fine unless named by the caller) and the environment.

    Raises BadSetting for an unknown key or a bad value.
    """
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadSetting(
                "--config", str(file), f"a readable file is needed ({error.strerror})"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadSetting("--config", str(file), f"TOML is needed: {error}") from error
    for key, value in environ.items():
        if key.startswith(PREFIX) and value != "":
            given[key.removeprefix(PREFIX).lower()] = value
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise BadSetting(PREFIX + key.upper(), "…", f"no such setting; known are {', '.join(known)}")
        values[key] = known[key].metadata["parse"](PREFIX + key.upper(), value)
    values.setdefault("library", (Path("library").absolute(),))
    values.setdefault("state", Path("var").absolute())
    settings = Settings(**values)
    _check_together(settings)
    return settings


def _check_together(settings: Settings) -> None:
    tls = (settings.https_port is not None, settings.tls_cert is not None, settings.tls_key is not None)
    if any(tls) and not all(tls):
        raise BadSetting(
            "MANTEL_HTTPS_PORT", settings.https_port, "needs MANTEL_TLS_CERT and MANTEL_TLS_KEY too"
        )
    code = Path(__file__).resolve().parent
    for root in settings.library:
        others = [(settings.state, "the state folder"), (code, "Mantel's own code")]
        if settings.phone_copies:
            others.append((settings.phone_copies, "the folder of copies for phones"))
        for other, what in others:
            real, inner = root.resolve(), other.resolve()
            if real == inner or real.is_relative_to(inner) or inner.is_relative_to(real):
                raise BadSetting(
                    "MANTEL_LIBRARY", str(root), f"must not contain, or lie in, {what} ({other})"
                )
    for root in settings.library:
        for other_root in settings.library:
            if root is not other_root and root.resolve().is_relative_to(other_root.resolve()):
                raise BadSetting("MANTEL_LIBRARY", str(root), f"must not lie in another root ({other_root})")
