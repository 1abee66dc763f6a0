"""What the plain port serves beside TLS: the way to HTTPS, and the authority's certificate to trust first.

Nobody signs in here and nothing of the library is told.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from quart import Quart, Response, request

from appliance.errors import BadSetting
from appliance.settings import Settings
from appliance.web.errors import answer_errors
from appliance.web.headers import send_headers
from appliance.web.peer import Door

FOLDER = Path(__file__).parent / "trust_page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src https:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""It asks the HTTPS port whether this device trusts it."""
PARTS = {"trust.js": "text/javascript", "trust.css": "text/css"}


def authority(chain: Path) -> x509.Certificate | None:
    """The chain's last certificate, if it is an authority's (RFC 5280 §4.2.1.9). BadSetting for no PEM."""
    try:
        last = x509.load_pem_x509_certificates(chain.read_bytes())[-1]
        constraints = last.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return None
    except (OSError, ValueError) as error:
        raise BadSetting("MANTEL_TLS_CERT", str(chain), "a certificate chain in PEM is needed") from error
    return last if constraints.value.ca else None


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, in pairs, as browsers show it."""
    return ":".join(re.findall("..", certificate.fingerprint(SHA256()).hex().upper()))


def create_trust_app(settings: Settings, https_port: int) -> Quart:
    """`https_port`: the one really bound. Every GET is answered with the way to HTTPS."""
    app = Quart("appliance.trust", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    door = Door(settings)
    held = authority(settings.tls_cert) if settings.tls_cert else None
    parts = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}

    @app.get("/ca.crt")
    async def certificate() -> Response:
        _peer(door)
        if held is None:
            return Response("", 404)
        return Response(held.public_bytes(Encoding.PEM), content_type="application/x-x509-ca-cert")

    @app.get("/<any('trust.js', 'trust.css'):name>")
    async def part(name: str) -> Response:
        _peer(door)
        return Response(parts[name], content_type=f"{PARTS[name]}; charset=utf-8")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        _peer(door)
        return {"status": "ok"}

    @app.get("/")
    @app.get("/<path:_path>")
    async def to_https(_path: str = "") -> Response:
        _peer(door)
        server = request.scope.get("server") or ("", 0)
        # A certificate names hosts; without one, the number that was asked is the one that answers.
        number = f"[{server[0]}]" if ":" in str(server[0]) else server[0]
        url = f"https://{settings.hosts[0] if settings.hosts else number}:{https_port}/"
        if _path:
            return Response("", 307, headers={"Location": url + request.full_path.lstrip("/").rstrip("?")})
        about = parts["authority.html"].format(fingerprint=fingerprint(held)) if held else ""
        page = parts["page.html"].format(
            name=html.escape(settings.name), url=html.escape(url), authority=about
        )
        return Response(
            page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY}
        )

    answer_errors(app)
    send_headers(app)
    return app


def _peer(door: Door) -> None:
    """Refuses a foreign Host and a public peer, as the page does."""
    server = request.scope.get("server") or ("", 0)
    door.peer(
        request.scheme,
        request.remote_addr or "",
        (str(server[0]), int(server[1] or 0)),
        request.headers.get("Host"),
        (request.headers.get("X-Forwarded-For", ""), request.headers.get("X-Forwarded-Proto", "")),
    )
