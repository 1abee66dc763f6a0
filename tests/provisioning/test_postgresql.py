"""One variable moves a household that serves from SQLite to PostgreSQL; versions, backups, removal go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns import House
from tests.provisioning.machine import Machine, booted
from tests.provisioning.phone import Phone
from tests.provisioning.playbook import Run, play
from tests.provisioning.test_life import PASSWORD, another, current, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def machine(house: House, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Installed with SQLite, one film in it."""
    with booted(house.server, "bookworm", tmp_path_factory.mktemp("box")) as machine:
        done = site(machine, house, dist, mantel_database="sqlite")
        assert done.code == 0, done.output
        code = re.search(r"enter this setup code: ([A-Z0-9-]+)", done.output)
        assert code
        phone = Phone(house.phone, machine.address)
        phone.set_up(code[1], "anna", PASSWORD)
        assert phone.upload("kept.mp4", b"kept").status == 201
        yield machine


def site(machine: Machine, house: House, dist: Path, **variables: str) -> Run:
    return play(
        "site", machine, house.ctl, mantel_dist=str(dist), **{"mantel_database": "postgresql"} | variables
    )


def rows(machine: Machine, table: str) -> int:
    asked = machine.run(
        "runuser", "-u", "postgres", "--", "psql", "-XAtc", f"select count(*) from {table}", "mantel"
    )
    return int(asked.stdout)


def test_it_moves(machine: Machine, house: House, dist: Path) -> None:
    run = site(machine, house, dist)
    assert run.code == 0, run.output
    assert signed_in(machine, house).files(query="kept")
    assert (rows(machine, "mantel.users"), rows(machine, "mantel.files")) == (1, 1)
    assert rows(machine, "analytics.event") > 0
    assert machine.run("ls", "/var/lib/mantel/mantel.db", check=False).returncode
    again = site(machine, house, dist)
    assert (again.code, again.changed) == (0, []), again.output


def test_each_role_has_its_own_schema_only(machine: Machine) -> None:
    ask = ("runuser", "-u", "mantel", "--", "psql", "-XAtc", "select * from analytics.event", "mantel")
    assert "permission denied" in machine.run(*ask, check=False).stderr
    ask = ("runuser", "-u", "mantel-analytics", "--", "psql", "-XAtc", "select * from mantel.users", "mantel")
    assert "permission denied" in machine.run(*ask, check=False).stderr


def test_a_version_that_does_not_come_up_is_taken_back(
    machine: Machine, house: House, dist: Path, tmp_path: Path
) -> None:
    before = current(machine)
    spoiling = "import subprocess\nraise SystemExit('broken on purpose')"
    run = site(machine, house, another(dist, tmp_path / "dist", "appliance/wiring.py", spoiling))
    assert run.code != 0
    assert "The version before it serves again" in run.output, run.output
    assert current(machine) == before
    assert signed_in(machine, house).files(query="kept")


def test_it_comes_back_after_the_power_went(machine: Machine, house: House) -> None:
    assert signed_in(machine, house).upload("later.mp4", b"later").status == 201
    machine.power_cut()
    machine.start()
    house.server.wait_for_port(8000, timeout=60)
    assert signed_in(machine, house).files(query="later")


def test_a_backup_fills_an_empty_machine_again(machine: Machine, house: House) -> None:
    machine.run("systemctl", "start", "mantel-backup.service")
    newest = f"/var/backups/mantel/{max(machine.run('ls', '/var/backups/mantel').stdout.split())}"
    machine.run("systemctl", "stop", "mantel.service")
    machine.run("runuser", "-u", "postgres", "--", "psql", "-XAtqc", "drop schema mantel cascade", "mantel")
    for sql in ("create schema mantel authorization mantel", "create extension pg_trgm schema mantel"):
        machine.run("runuser", "-u", "postgres", "--", "psql", "-XAtqc", sql, "mantel")
    machine.run("runuser", "-u", "mantel", "--", "/opt/mantel/current/bin/mantel", "restore", newest)
    machine.run("systemctl", "start", "mantel.service")
    house.server.wait_for_port(8000)
    assert signed_in(machine, house).files(query="later")


def test_removal_takes_the_database_along(machine: Machine, house: House) -> None:
    done = play("uninstall", machine, house.ctl)
    assert done.code == 0, done.output
    listed = machine.run(
        "runuser", "-u", "postgres", "--", "psql", "-XAtc", "select datname from pg_database"
    )
    assert "mantel" not in listed.stdout
    assert (machine.root / "srv/media/kept.mp4").read_bytes() == b"kept"
