"""Settings that may change while everything runs, as an admin chose them on the page.

Rules:
1. Default, then file, then the page's choice, then the environment: each wins over those before it.
2. What the environment sets cannot be chosen; the answer says where to change it.
3. A choice is on the disk before it counts, and counts before it is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.choices import store
from appliance.database import Database
from appliance.errors import BadSetting, Conflict, Invalid
from appliance.settings import PREFIX, Secret, Settings

log = logging.getLogger(__name__)

CHANGEABLE = ("guest", "tv_access", "upload_limit", "free_space", "log_days")
_FIELDS = {field.name: field for field in fields(Settings)}


@dataclass(frozen=True)
class Shown:
    """One setting, for the page; never a secret. `origin`: default, file, page or environment."""

    name: str
    value: Any
    default: Any
    meaning: str
    origin: str
    changeable: bool


class Choices:
    """`settings`: what file and environment say. `in_environment`: names of fields that the environment sets.

    `apply(settings)` makes the appliance follow; it is called at the start and after each change.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        in_environment: Collection[str],
        apply: Callable[[Settings], Awaitable[None]],
    ) -> None:
        self._database, self._given = database, settings
        self._in_environment, self._apply = frozenset(in_environment), apply
        self._chosen: dict[str, Any] = {}

    async def start(self) -> None:
        async with self._database.read() as connection:
            held = await store.every(connection)
        self._chosen = {name: value for name, value in held.items() if self._still_good(name, value)}
        await self._apply(self.settings)

    async def stop(self) -> None:
        """Nothing runs here."""

    def _still_good(self, name: str, value: Any) -> bool:
        """A choice of another version may be none any more: it is passed over, and the start goes on."""
        if name not in CHANGEABLE:
            return False
        try:
            parse(name, value)
        except Invalid as error:
            log.warning("a setting chosen on the page does not count: %s", error)
            return False
        return True

    @property
    def settings(self) -> Settings:
        """As they count now."""
        counting = {n: v for n, v in self._chosen.items() if n not in self._in_environment}
        return replace(self._given, **{name: parse(name, value) for name, value in counting.items()})

    def shown(self) -> list[Shown]:
        """Every setting but secrets, in the order of docs/settings.md."""
        now = self.settings
        return [
            Shown(
                name,
                _plain(getattr(now, name)),
                _plain(field.default),
                field.metadata["meaning"],
                self._origin(field),
                name in CHANGEABLE and name not in self._in_environment,
            )
            for name, field in _FIELDS.items()
            if not isinstance(getattr(now, name), Secret) and not _holds_secret(field)
        ]

    def _origin(self, field: Field[Any]) -> str:
        if field.name in self._in_environment:
            return "environment"
        if field.name in self._chosen:
            return "page"
        return "default" if getattr(self._given, field.name) == field.default else "file"

    async def change(self, values: Mapping[str, Any]) -> None:
        """Choose, or with None go back to what the file says. Invalid, Conflict; then nothing changes."""
        for name, value in values.items():
            if name not in CHANGEABLE:
                raise Invalid(name[:40], value, f"{', '.join(CHANGEABLE)} can be changed here")
            if name in self._in_environment:
                raise Conflict(f"{PREFIX}{name.upper()} is set in the environment; change it there.")
            if value is not None:
                parse(name, value)
        async with self._database.write() as connection:
            for name, value in values.items():
                if value is None:
                    await store.forget(connection, [name])
                else:
                    await store.save(connection, name, value)
        kept = {name: value for name, value in self._chosen.items() if name not in values}
        self._chosen = kept | {name: value for name, value in values.items() if value is not None}
        log.info("settings changed on the page: %s", ", ".join(sorted(values)))
        await self._apply(self.settings)


def parse(name: str, value: Any) -> Any:
    """The field's value. Invalid names the field and what is allowed."""
    if isinstance(value, list | dict):
        raise Invalid(name, value, "one value is allowed")
    try:
        return _FIELDS[name].metadata["parse"](name, value)
    except BadSetting as error:
        raise Invalid(name, value, error.allowed) from None


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Path | ZoneInfo):
        return str(value)
    return value


def _holds_secret(field: Field[Any]) -> bool:
    return "Secret" in str(field.type)
