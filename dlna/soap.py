"""SOAP as UPnP uses it: a call in, an answer or a fault out. Bytes and values only (UDA 1.0 §3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dlna.clients.client import Client
from dlna.errors import UpnpError
from dlna.xml_text import xml_text

LARGEST_CALL = 64 * 1024
"""Bytes. A real call has under 2 KiB."""

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_SOAPACTION = re.compile(r'"?\s*(?P<service>[^#"\s]+)#(?P<action>[A-Za-z0-9_.-]{1,64})\s*"?')
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_HEAD = (
    f"{_DECLARATION}"
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
)
_TAIL = "</s:Body></s:Envelope>"


@dataclass(frozen=True)
class Call:
    service: str
    action: str
    arguments: dict[str, str]


def read_soapaction(header: str) -> tuple[str, str]:
    """(service type, action) of a SOAPACTION header, quoted or not. Raises UpnpError 401."""
    match = _SOAPACTION.fullmatch(header.strip())
    if not match:
        raise UpnpError(401, "SOAPACTION is no service#action")
    return match["service"], match["action"]


def read_call(body: bytes, soapaction: str) -> Call:
    """The call in an envelope. Raises UpnpError 401 where header and body differ, 402 for what is no call."""
    service, action = read_soapaction(soapaction)
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # LookupError: an encoding that does not exist.
        raise UpnpError(402, f"the body is no plain XML: {type(error).__name__}") from None
    soap_body = root.find(f"{_ENVELOPE}Body")
    if root.tag != f"{_ENVELOPE}Envelope" or soap_body is None or len(soap_body) != 1:
        raise UpnpError(402, "no SOAP envelope with one call in it")
    element = soap_body[0]
    namespace, _, name = element.tag.rpartition("}")
    if name != action or (namespace and namespace != "{" + service):
        raise UpnpError(401, "SOAPACTION and the body name different actions")
    arguments: dict[str, str] = {}
    for child in element:
        key = child.tag.rpartition("}")[2]
        if key in arguments or len(child):
            raise UpnpError(402, f"{key[:40]} is given twice or is no text")
        arguments[key] = child.text or ""
    return Call(service, action, arguments)


def answer(service: str, action: str, values: Iterable[tuple[str, object]]) -> bytes:
    """The response envelope; `values` in the order of the SCPD."""
    inside = "".join(f"<{name}>{xml_text(value)}</{name}>" for name, value in values)
    return (
        f'{_HEAD}<u:{action}Response xmlns:u="{xml_text(service)}">{inside}</u:{action}Response>{_TAIL}'
    ).encode()


def for_plain_readers(envelope: bytes, client: Client) -> bytes:
    """The same for radios and receivers whose XML reader is a small one."""
    if client.ascii_xml:
        envelope = envelope.decode().encode("ascii", "xmlcharrefreplace")
    return envelope if client.xml_declaration else envelope.removeprefix(_DECLARATION.encode())


def fault(error: UpnpError) -> bytes:
    """The fault envelope; goes out with status 500."""
    return (
        f"{_HEAD}<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
        '<UPnPError xmlns="urn:schemas-upnp-org:control-1-0">'
        f"<errorCode>{error.code}</errorCode>"
        f"<errorDescription>{xml_text(error.description)}</errorDescription>"
        f"</UPnPError></detail></s:Fault>{_TAIL}"
    ).encode()
