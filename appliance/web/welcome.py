"""What the terminal shows when Mantel serves: its address, a QR code of it, and how to sign in."""

from __future__ import annotations

import io
import socket

import segno

from appliance.settings import Settings
from appliance.web.trust import authority, fingerprint


def own_address() -> str:
    """The address that the household reaches us by; 127.0.0.1 without a network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A UDP connect only asks the routing table; 203.0.113.1 is for documentation (RFC 5737).
            probe.connect(("203.0.113.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def page_url(settings: Settings) -> str:
    host = settings.bind if settings.bind not in ("0.0.0.0", "::") else own_address()  # noqa: S104
    if settings.https_port is not None:
        return f"https://{host}:{settings.https_port}/"
    return f"http://{host}:{settings.http_port}/"


def welcome(settings: Settings, setup_code: str | None) -> str:
    """Some lines of text. The setup code is shown while there is no admin."""
    url = page_url(settings)
    lines = ["", f"  {settings.name} serves at {url}", ""]
    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(drawn, compact=True, border=2)
    lines.append(drawn.getvalue().rstrip("\n"))
    if setup_code:
        lines += ["", f"  First time: open the page and make an admin with the setup code  {setup_code}"]
    else:
        lines += ["", "  Sign in with your name and password; `mantel user add` makes more people."]
    held = authority(settings.tls_cert) if settings.tls_cert else None
    if held is not None:
        print_of_it = fingerprint(held)
        half = len(print_of_it) // 2 + 1
        lines += ["", "  Before a device trusts the certificate, compare its fingerprint (SHA-256):"]
        lines += [f"    {print_of_it[:half]}", f"    {print_of_it[half:]}"]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
