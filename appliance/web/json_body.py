"""A JSON body is text that can be read and written again, or it is refused before any route meets it."""

from __future__ import annotations

import json

from quart import request

from appliance.errors import Invalid

ALLOWED = "JSON (RFC 8259) in UTF-8, not nested deeply, is allowed"


async def check_json_body() -> None:
    """Invalid for bytes that are no JSON, are nested without end, or hold half a character."""
    body = await request.get_data(as_text=False)
    if not body:
        return
    try:
        # A lone surrogate is JSON, and no text that a database or a file name could hold.
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Invalid("body", "…", ALLOWED) from None
