"""What a control point did wrong, as UPnP counts it."""

from __future__ import annotations

MEANINGS = {
    401: "Invalid Action",
    402: "Invalid Args",
    501: "Action Failed",
    600: "Argument Value Invalid",
    601: "Argument Value Out of Range",
    604: "Human Intervention Required",
    606: "Action not authorized",
    701: "No such object",
    702: "Invalid currentTagValue",
    703: "Invalid newTagValue",
    705: "Read only tag",
    706: "Invalid connection reference",
    708: "Unsupported or invalid search criteria",
    709: "Unsupported or invalid sort criteria",
    710: "No such container",
    720: "Cannot process the request",
}
"""UDA 1.0 §3.2.2, ContentDirectory:1 §2.7, ConnectionManager:1 §2.4."""


class UpnpError(Exception):
    """Answered as a SOAP fault with this code; `detail` says which value was off."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{code} {MEANINGS[code]}" + (f": {detail}" if detail else ""))
        self.code, self.detail = code, detail

    @property
    def description(self) -> str:
        return MEANINGS[self.code] + (f" ({self.detail})" if self.detail else "")
