"""What each service can do: the static SCPD files, read once. The order of arguments there is the order
on the wire (Samsung TVs read output arguments by position, rclone 9b7f960a2)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from importlib.resources import files
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from dlna.errors import UpnpError

_NS = "{urn:schemas-upnp-org:service-1-0}"
_RANGES = {"ui4": (0, 2**32 - 1), "i4": (-(2**31), 2**31 - 1), "int": (-(2**31), 2**31 - 1)}


@dataclass(frozen=True)
class Argument:
    name: str
    data_type: str
    allowed: tuple[str, ...]

    def check(self, text: str) -> str:
        """The value, trimmed where it is a number. Raises UpnpError 402 (type) or 601 (range)."""
        if self.data_type in _RANGES:
            number = text.strip()
            if not re.fullmatch(r"[+-]?\d{1,20}", number):
                raise UpnpError(402, f"{self.name} is no number")
            low, high = _RANGES[self.data_type]
            if not low <= int(number) <= high:
                raise UpnpError(601, f"{self.name} is not from {low} to {high}")
            return str(int(number))
        if self.data_type == "bin.base64":
            try:
                base64.b64decode("".join(text.split()), validate=True)
            except (binascii.Error, ValueError):
                raise UpnpError(402, f"{self.name} is no base64") from None
        if self.allowed and text not in self.allowed:
            raise UpnpError(601, f"{self.name} is none of {', '.join(self.allowed)}")
        return text


@dataclass(frozen=True)
class Action:
    name: str
    inputs: tuple[Argument, ...]
    outputs: tuple[str, ...]

    def check(self, given: dict[str, str]) -> dict[str, str]:
        """The arguments by name. Raises UpnpError 402 for one too few or too many (UDA 1.0 §3.2.2)."""
        known = {argument.name for argument in self.inputs}
        if unknown := sorted(set(given) - known):
            raise UpnpError(402, f"{self.name} has no argument {unknown[0][:40]}")
        checked = {}
        for argument in self.inputs:
            if argument.name not in given:
                raise UpnpError(402, f"{argument.name} is missing")
            checked[argument.name] = argument.check(given[argument.name])
        return checked


@dataclass(frozen=True)
class Scpd:
    """One service's actions and evented variables, and the file itself."""

    name: str
    document: bytes
    actions: dict[str, Action]
    evented: tuple[str, ...]


def load(name: str) -> Scpd:
    """`ContentDirectory`, `ConnectionManager` or `X_MS_MediaReceiverRegistrar`."""
    document = files(__package__).joinpath(f"{name}.xml").read_bytes()
    root = fromstring(document)
    variables: dict[str, tuple[str, tuple[str, ...]]] = {}
    evented = []
    for variable in root.iter(f"{_NS}stateVariable"):
        allowed = tuple(v.text or "" for v in variable.iter(f"{_NS}allowedValue"))
        variables[_text(variable, "name")] = (_text(variable, "dataType"), allowed)
        if variable.get("sendEvents") == "yes":
            evented.append(_text(variable, "name"))
    actions = {}
    for action in root.iter(f"{_NS}action"):
        inputs, outputs = [], []
        for argument in action.iter(f"{_NS}argument"):
            if _text(argument, "direction") == "out":
                outputs.append(_text(argument, "name"))
            else:
                kind, allowed = variables[_text(argument, "relatedStateVariable")]
                inputs.append(Argument(_text(argument, "name"), kind, allowed))
        actions[_text(action, "name")] = Action(_text(action, "name"), tuple(inputs), tuple(outputs))
    return Scpd(name, document, actions, tuple(evented))


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{_NS}{name}") or "").strip()
