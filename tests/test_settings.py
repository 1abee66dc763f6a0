"""Settings: bad values stop the start with one line that names key, value and what is allowed."""

from pathlib import Path

import pytest

from appliance.errors import BadSetting
from appliance.settings import read_settings
from appliance.units import GIB, MIB


def test_defaults_are_the_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert (settings.http_port, settings.lan_port, settings.internal_port) == (8000, 8200, 8001)
    assert settings.library == (tmp_path / "library",)
    assert settings.free_space == 1 * GIB


def test_environment_wins_over_file(tmp_path: Path) -> None:
    file = tmp_path / "mantel.toml"
    file.write_text('http_port = 9000\nname = "Shelf"\n')
    settings = read_settings({"MANTEL_HTTP_PORT": "9001"}, file)
    assert (settings.http_port, settings.name) == (9001, "Shelf")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("HTTP_PORT", "70000"),
        ("TV_ACCESS", "maybe"),
        ("TIMEZONE", "Mars/Base"),
        ("UPLOAD_LIMIT", "much"),
        ("NO_SUCH", "1"),
    ],
)
def test_bad_value_names_the_key(key: str, value: str) -> None:
    with pytest.raises(BadSetting, match="MANTEL_" + key):
        read_settings({"MANTEL_" + key: value})


def test_secret_never_shows() -> None:
    settings = read_settings({"MANTEL_ADMIN_PASSWORD": "hunter2-hunter2"})
    assert "hunter2" not in repr(settings)
    with pytest.raises(BadSetting) as refused:
        read_settings({"MANTEL_DATABASE_URL": "mysql://mira:hunter2@db/x"})
    assert "hunter2" not in str(refused.value)


def test_sizes_take_units() -> None:
    assert read_settings({"MANTEL_FREE_SPACE": "500 MiB"}).free_space == 500 * MIB


def test_root_must_not_hold_the_state(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="state folder"):
        read_settings({"MANTEL_LIBRARY": str(tmp_path), "MANTEL_STATE": str(tmp_path / "var")})
