"""Headers that every answer of port 8000 carries, errors included."""

from __future__ import annotations

from quart import Quart, Response

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""For our own page: no inline script or style, nothing from elsewhere, no frame around it."""

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For everything else, unless the route says something of its own."""

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def send_headers(app: Quart) -> None:
    async def add(response: Response) -> Response:
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", DATA_POLICY)
        # Private by default: what a person may see is not what the next one may.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add)
