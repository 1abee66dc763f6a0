"""Opaque ids: one letter for the kind, then 15 characters of [a-z2-7], 75 bits."""

import base64
import secrets


def new_id(kind: str) -> str:
    return kind + base64.b32encode(secrets.token_bytes(10)).decode().lower()[:15]
