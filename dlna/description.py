"""The device description: who we are, as each family needs to hear it (UDA 1.0 §2.1)."""

from __future__ import annotations

from dlna.clients.client import Client
from dlna.device import CONNECTION_MANAGER, CONTENT_DIRECTORY, DEVICE_TYPE, REGISTRAR, Device
from dlna.icons import ICONS
from dlna.xml_text import xml_line

SERVICES = {
    "ContentDirectory": (CONTENT_DIRECTORY, "urn:upnp-org:serviceId:ContentDirectory"),
    "ConnectionManager": (CONNECTION_MANAGER, "urn:upnp-org:serviceId:ConnectionManager"),
    "X_MS_MediaReceiverRegistrar": (REGISTRAR, "urn:microsoft.com:serviceId:X_MS_MediaReceiverRegistrar"),
}
"""Name in our paths → (service type, service id)."""

SAMSUNG_CAPABILITIES = "smi,DCM10,getMediaInfo.sec,getCaptionInfo.sec"


def description(device: Device, client: Client) -> bytes:
    """The XML of /description.xml. Paths are absolute, without URLBase: bad clients join them wrong."""
    name = xml_line(device.name)
    if client.windows_media:
        # Seen on Xbox 360 and Sony Bravia: they list Windows Media Player alone (jellyfin, gerbera#3459).
        maker = ("Microsoft Corporation", "http://www.microsoft.com/")
        model, number = "Windows Media Player Sharing", "1" if client.family == "xbox-360" else "12.0"
        if client.family == "xbox-360":
            name += ": 1"
    else:
        maker, model, number = ("Mantel", ""), "Mantel", device.version
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0"',
        ' xmlns:dlna="urn:schemas-dlna-org:device-1-0" xmlns:sec="http://www.sec.co.kr/dlna">',
        "<specVersion><major>1</major><minor>0</minor></specVersion><device>",
        f"<deviceType>{DEVICE_TYPE}</deviceType><friendlyName>{name}</friendlyName>",
        f"<manufacturer>{maker[0]}</manufacturer>",
        f"<manufacturerURL>{maker[1]}</manufacturerURL>" if maker[1] else "",
        "<modelDescription>The shelf that a household's media stands on</modelDescription>",
        f"<modelName>{model}</modelName><modelNumber>{xml_line(number)}</modelNumber>",
        # QN85C: not listed while this is "1" (gerbera#3459).
        f"<serialNumber>{xml_line(device.udn.removeprefix('uuid:'))}</serialNumber>",
        f"<UDN>{xml_line(device.udn)}</UDN>",
        "<dlna:X_DLNADOC>DMS-1.50</dlna:X_DLNADOC>",
    ]
    if client.samsung_capabilities:
        parts.append("<dlna:X_DLNADOC>M-DMS-1.50</dlna:X_DLNADOC>")
        parts.append(f"<sec:ProductCap>{SAMSUNG_CAPABILITIES}</sec:ProductCap>")
        parts.append(f"<sec:X_ProductCap>{SAMSUNG_CAPABILITIES}</sec:X_ProductCap>")
    parts.append("<iconList>")
    for icon in ICONS:
        parts.append(
            f"<icon><mimetype>{icon.mime_type}</mimetype><width>{icon.side}</width><height>{icon.side}"
            f"</height><depth>24</depth><url>{icon.path}</url></icon>"
        )
    parts.append("</iconList><serviceList>")
    for path, (kind, identity) in SERVICES.items():
        parts.append(
            f"<service><serviceType>{kind}</serviceType><serviceId>{identity}</serviceId>"
            f"<SCPDURL>/scpd/{path}.xml</SCPDURL><controlURL>/control/{path}</controlURL>"
            f"<eventSubURL>/events/{path}</eventSubURL></service>"
        )
    parts.append("</serviceList></device></root>")
    return "".join(parts).encode()
