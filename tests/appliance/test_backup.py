"""A backup taken while people write is whole, and a new machine gets all of it back."""

from __future__ import annotations

import asyncio
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.accounts import command_line
from appliance.backup import MANIFEST, PEPPER, backup, restore
from appliance.database import Database
from appliance.errors import Conflict, Invalid
from appliance.journal import store as journal_store
from appliance.settings import Secret, Settings, read_settings


def settings(folder: Path) -> Settings:
    (folder / "media").mkdir(parents=True, exist_ok=True)
    return read_settings(
        {
            "MANTEL_STATE": str(folder / "var"),
            "MANTEL_LIBRARY": str(folder / "media"),
            "MANTEL_ANALYTICS": "off",
        }
    )


async def epoch(of: Settings) -> str:
    database = Database(of.appliance_database_url)
    try:
        async with database.write() as connection:
            return await journal_store.epoch(connection)
    finally:
        await database.close()


async def test_everyone_is_there_again_and_the_log_begins_anew(tmp_path: Path) -> None:
    old, new = settings(tmp_path / "old"), settings(tmp_path / "new")
    await command_line.add_user(old, "anna", "admin", "a long enough password")
    before = await epoch(old)
    written = asyncio.create_task(command_line.add_user(old, "bert", "viewer", "another long password"))
    await backup(old, tmp_path / "state.tar")
    await written
    await restore(new, tmp_path / "state.tar")
    assert {user.username for user in await command_line.list_users(new)} >= {"anna"}
    assert await epoch(new) != before
    signing = [folder.keys / "signing.json" for folder in (old, new)]
    assert signing[0].read_bytes() != signing[1].read_bytes()
    assert (new.keys / "password-pepper").read_bytes() == (old.keys / "password-pepper").read_bytes()


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["out of PostgreSQL", "into PostgreSQL"])
async def test_a_backup_of_one_database_fills_the_other(tmp_path: Path, postgres_url: str, way: str) -> None:
    here, there = settings(tmp_path / "here"), settings(tmp_path / "there")
    there.state.mkdir()
    there = replace(there, database_url=Secret(postgres_url))
    old, new = (there, here) if way.startswith("out") else (here, there)
    await command_line.add_user(old, "anna", "admin", "a long enough password")
    before = await epoch(old)
    await backup(old, tmp_path / "state.tar")
    await restore(new, tmp_path / "state.tar")
    assert [user.username for user in await command_line.list_users(new)] == ["anna"]
    assert await epoch(new) != before
    with pytest.raises(Conflict):
        await restore(new, tmp_path / "state.tar")


async def test_it_holds_no_key_that_signs_and_is_private(tmp_path: Path) -> None:
    old = settings(tmp_path)
    await command_line.add_user(old, "anna", "admin", "a long enough password")
    file = tmp_path / "state.tar"
    await backup(old, file)
    with tarfile.open(file) as tar:
        assert tar.getnames() == [MANIFEST, "mantel.db", PEPPER]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    old = settings(tmp_path)
    await command_line.add_user(old, "anna", "admin", "a long enough password")
    await backup(old, tmp_path / "state.tar")
    with pytest.raises(Conflict):
        await backup(old, tmp_path / "state.tar")
    with pytest.raises(Conflict):
        await restore(old, tmp_path / "state.tar")


@pytest.mark.parametrize("cut", [0, 5000, 40000])
async def test_a_damaged_file_is_refused_before_anything_is_written(tmp_path: Path, cut: int) -> None:
    old, new = settings(tmp_path / "old"), settings(tmp_path / "new")
    await command_line.add_user(old, "anna", "admin", "a long enough password")
    file = tmp_path / "state.tar"
    await backup(old, file)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(Invalid):
        await restore(new, file)
    assert not (new.state / "mantel.db").exists()
