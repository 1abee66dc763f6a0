"""`Content-Disposition` for a name in any script. Pure (RFC 6266, RFC 8187)."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

_ATTR_CHAR = "!#$&+-.^_`|~"
"""RFC 8187 §3.2.1: what may stand unescaped beside letters and digits."""


def disposition(kind: str, name: str) -> str:
    """`kind` is `inline` or `attachment`. `name` may hold anything; what no header can carry is replaced."""
    clean = "".join("_" if unicodedata.category(c) in ("Cc", "Cs") or c in "/\\" else c for c in name)
    # RFC 6266 appendix D: a plain ASCII fallback without quotes, backslashes and percent signs.
    ascii_name = (
        unicodedata.normalize("NFKD", clean).encode("ascii", "ignore").decode().translate(_NO_QUOTES).strip()
    )
    plain = f'{kind}; filename="{ascii_name or "file"}"'
    if ascii_name == clean:
        return plain
    return f"{plain}; filename*=UTF-8''{quote(clean, safe=_ATTR_CHAR)}"


_NO_QUOTES = str.maketrans('"%', "__")
