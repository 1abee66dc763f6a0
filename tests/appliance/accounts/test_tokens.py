"""Tokens and keys: only ours, only for their purpose, only in their time."""

from __future__ import annotations

import time
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.accounts import tokens
from appliance.accounts.keys import Keys, load_keys, renew_signing_key
from appliance.errors import BadSetting

KEYS = Keys(signing=(("old", b"o" * 32), ("new", b"n" * 32)), pepper=b"p" * 32)
OTHERS = Keys(signing=(("new", b"x" * 32),), pepper=b"p" * 32)


def test_an_access_token_is_read_back() -> None:
    token = tokens.access_token(KEYS, "s1", 3, "j1")
    assert tokens.read_access_token(KEYS, token) == tokens.Access("s1", 3, "j1")
    assert "role" not in jwt.decode(token, options={"verify_signature": False})


def test_a_token_of_the_previous_key_is_still_good() -> None:
    before = Keys(signing=KEYS.signing[:1], pepper=b"")
    assert tokens.read_access_token(KEYS, tokens.access_token(before, "s1", 1, "j")) is not None


def _forged() -> dict[str, str]:
    claims = {"sid": "s", "epoch": 1, "jti": "j", "aud": tokens.AUDIENCE, "iat": 1, "exp": 9_999_999_999}
    key = KEYS.derive("access")
    head = {"kid": "new"}
    return {
        "old": tokens.access_token(KEYS, "s", 1, "j", now=time.time() - 2 * tokens.ACCESS_LIFE),
        "another key": tokens.access_token(OTHERS, "s", 1, "j"),
        "none": jwt.encode(claims, None, algorithm="none", headers=head),
        "no kid": jwt.encode(claims, key, algorithm="HS256"),
        "unknown kid": jwt.encode(claims, key, algorithm="HS256", headers={"kid": "who"}),
        "other audience": jwt.encode(claims | {"aud": "x"}, key, algorithm="HS256", headers=head),
        "other purpose": jwt.encode(claims, KEYS.derive("refresh"), algorithm="HS256", headers=head),
        "no expiry": jwt.encode(
            {k: v for k, v in claims.items() if k != "exp"}, key, algorithm="HS256", headers=head
        ),
        "refresh": tokens.refresh_token(KEYS, "s", 1),
        "empty": "",
    }


@pytest.mark.parametrize("what", list(_forged()))
def test_anything_else_is_nobody(what: str) -> None:
    assert tokens.read_access_token(KEYS, _forged()[what]) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_readers(text: str) -> None:
    assert tokens.read_access_token(KEYS, text) is None
    assert tokens.read_refresh_token(KEYS, text) is None
    assert tokens.read_device_token(KEYS, text) is None


@given(st.integers(0, 10_000), st.integers(0, 90), st.characters())
def test_a_changed_refresh_token_is_none_of_ours(counter: int, place: int, other: str) -> None:
    token = tokens.refresh_token(KEYS, "a" * 32, counter)
    assert tokens.read_refresh_token(KEYS, token) == ("a" * 32, counter)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        assert tokens.read_refresh_token(KEYS, changed) is None


def test_the_device_token_is_no_refresh_token() -> None:
    assert tokens.read_refresh_token(KEYS, tokens.device_token(KEYS, "s.1")) is None


def test_keys_are_made_once_private_and_renewed(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = load_keys(folder)
    assert load_keys(folder) == first
    assert {f.stat().st_mode & 0o777 for f in folder.iterdir()} == {0o600}
    assert "signing" not in repr(first)
    renew_signing_key(folder)
    second = load_keys(folder)
    assert second.signing != first.signing
    assert second.pepper == first.pepper, "passwords go on being right"


def test_keys_that_others_may_read_stop_the_start(tmp_path: Path) -> None:
    load_keys(tmp_path / "keys")
    (tmp_path / "keys" / "signing.json").chmod(0o644)
    with pytest.raises(BadSetting, match="signing"):
        load_keys(tmp_path / "keys")
