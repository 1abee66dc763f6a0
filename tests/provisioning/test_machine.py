"""The machines that the provisioning tests boot do what those tests rely on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.netns import House
from tests.provisioning.machine import Machine, booted

pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with House() as house, booted(house.server, request.param, tmp_path_factory.mktemp("machine")) as machine:
        yield machine


def test_systemd_runs_without_a_failed_unit(machine: Machine) -> None:
    assert machine.run("systemctl", "is-system-running").stdout.strip() == "running"
    assert machine.run("cat", "/proc/1/comm").stdout.strip() == "systemd"
    assert f"VERSION_CODENAME={machine.release}" in machine.run("cat", "/etc/os-release").stdout


def test_apt_finds_its_archive_and_nothing_else_is_reached(machine: Machine) -> None:
    machine.run("apt-get", "update")
    refused = machine.run(
        "python3",
        "-c",
        "import urllib.request as u, re;"
        "way = re.search('\"(.*)\"', open('/etc/apt/apt.conf.d/90registries').read())[1];"
        "u.build_opener(u.ProxyHandler({'http': way})).open('http://elsewhere.invalid/')",
        check=False,
    )
    assert "HTTP Error 403" in refused.stderr


def test_disk_and_identity_survive_reboot_and_power_cut(machine: Machine) -> None:
    machine.run("sh", "-c", "echo written > /root/note && sync /root/note")
    identity = machine.run("cat", "/etc/machine-id").stdout
    machine.reboot()
    assert machine.run("cat", "/root/note").stdout == "written\n"
    machine.power_cut()
    machine.start()
    assert machine.run("cat", "/root/note").stdout == "written\n"
    assert machine.run("cat", "/etc/machine-id").stdout == identity
