"""Tokens between the two processes: private, stable, and systemd's credentials first."""

from pathlib import Path

import pytest

from appliance.errors import BadSetting
from appliance.service_tokens import TO_APPLIANCE, TO_DAEMON, service_token
from appliance.settings import read_settings


def test_made_once_private_and_one_a_direction(tmp_path: Path) -> None:
    settings = read_settings({"MANTEL_STATE": str(tmp_path / "var"), "MANTEL_LIBRARY": str(tmp_path / "lib")})
    first = service_token(settings, TO_DAEMON, {}).reveal()
    assert service_token(settings, TO_DAEMON, {}).reveal() == first
    assert service_token(settings, TO_APPLIANCE, {}).reveal() != first
    assert (settings.keys / TO_DAEMON).stat().st_mode & 0o777 == 0o600
    assert len(first) >= 43
    (settings.keys / TO_DAEMON).chmod(0o644)
    with pytest.raises(BadSetting, match="chmod 600"):
        service_token(settings, TO_DAEMON, {})


def test_a_credential_wins(tmp_path: Path) -> None:
    (tmp_path / TO_DAEMON).write_text("from-systemd\n")
    settings = read_settings({"MANTEL_STATE": str(tmp_path / "var"), "MANTEL_LIBRARY": str(tmp_path / "lib")})
    assert (
        service_token(settings, TO_DAEMON, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).reveal()
        == "from-systemd"
    )
    assert not settings.keys.exists()
