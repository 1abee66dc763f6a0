"""Every feature's routes without the features: for tests that walk tables and documents."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from unittest.mock import MagicMock

from quart import Blueprint, Quart

import appliance


def every_blueprint(but: tuple[str, ...] = ()) -> list[Blueprint]:
    """`blueprint(...)` of each `routes.py`; what they take is not called while routes are made."""
    found = []
    for package in pkgutil.iter_modules(appliance.__path__):
        name = f"appliance.{package.name}.routes"
        if not package.ispkg or package.name in but or importlib.util.find_spec(name) is None:
            continue
        maker = importlib.import_module(name).blueprint
        made = maker(*(MagicMock(name=parameter) for parameter in inspect.signature(maker).parameters))
        found += made if isinstance(made, list | tuple) else [made]
    return found


def routes(app: Quart) -> set[tuple[str, str]]:
    """(method, rule), HEAD left out."""
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD"}}
