"""The closed line: an authority of the household's own, a provided certificate behind nginx, and neither."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance import authority
from tests.netns import House
from tests.provisioning.machine import Machine, booted
from tests.provisioning.phone import Phone
from tests.provisioning.playbook import Run, play
from tests.provisioning.test_life import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def first(
    house: House, dist: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Machine, Run]]:
    """Installed with an authority of its own."""
    with booted(house.server, "trixie", tmp_path_factory.mktemp("box")) as machine:
        done = site(machine, house, dist, mantel_tls_mode="private_ca")
        assert done.code == 0, done.output
        yield machine, done


def site(machine: Machine, house: House, dist: Path, **variables: object) -> Run:
    return play("site", machine, house.ctl, mantel_dist=str(dist), mantel_analytics=False, **variables)


def curl(house: House, *words: str) -> str:
    """What the phone's curl says, with its status at the end."""
    return house.phone.run("curl", "-sS", "-w", "\n%{http_code}", *words, check=False).stdout


def test_the_fingerprint_is_shown_and_the_plain_port_leads_to_it(
    first: tuple[Machine, Run], house: House, dist: Path, tmp_path: Path
) -> None:
    machine, done = first
    shown = re.search(r"Fingerprint of the authority \(SHA-256\): ([0-9A-F:]{95})", done.output)
    assert shown, done.output
    plain, closed = f"http://{machine.address}:8000", f"https://{machine.address}:8443"
    page = curl(house, plain)
    assert shown[1] in page
    assert closed in page
    root = tmp_path / "root.pem"
    root.write_text(curl(house, f"{plain}/ca.crt").rpartition("\n")[0])
    assert curl(house, "--cacert", str(root), f"{closed}/healthz").endswith("200")
    assert curl(house, f"{closed}/healthz").endswith("000"), "who does not trust the root does not get in"
    assert curl(house, f"{plain}/files").endswith("307")
    modes = machine.run(
        "stat", "-c", "%a %U:%G %n", "/etc/mantel/tls/mantel.pem", "/etc/mantel/tls/authority.pem"
    )
    assert modes.stdout.split() == [
        *("640", "root:mantel", "/etc/mantel/tls/mantel.pem"),
        *("600", "root:mantel", "/etc/mantel/tls/authority.pem"),
    ]
    again = site(machine, house, dist, mantel_tls_mode="private_ca")
    assert (again.code, again.changed) == (0, []), again.output


def test_a_new_address_is_named_and_nothing_restarts(first: tuple[Machine, Run], house: House) -> None:
    machine, _done = first
    pid = machine.run("systemctl", "show", "mantel.service", "-p", "MainPID", "--value").stdout
    assert "mantel-certificate.timer" in machine.run("systemctl", "list-timers", "--no-pager").stdout
    machine.run("ip", "address", "add", "10.77.0.99/24", "dev", "lan0")
    machine.run("systemctl", "start", "mantel-certificate.service")
    text = machine.run("openssl", "x509", "-in", "/etc/mantel/tls/mantel.pem", "-noout", "-text").stdout
    assert "10.77.0.99" in text
    assert machine.run("systemctl", "show", "mantel.service", "-p", "MainPID", "--value").stdout == pid


def test_nginx_in_front_with_a_provided_certificate(
    first: tuple[Machine, Run], house: House, dist: Path, tmp_path: Path
) -> None:
    machine, _done = first
    address = ipaddress.ip_address(machine.address)
    authority.renew(tmp_path, "Other", ["shelf.example"], [address], datetime.datetime.now(datetime.UTC))
    key, _leaf = authority._read(tmp_path / authority.SERVER)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _, begin, chain = (tmp_path / authority.SERVER).read_text().partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "chain.pem").write_text(begin + chain)
    behind = {
        "mantel_nginx": True,
        "mantel_tls_mode": "provided",
        "mantel_tls_cert": str(tmp_path / "chain.pem"),
        "mantel_tls_key": str(tmp_path / "key.pem"),
    }
    done = site(machine, house, dist, **behind)
    assert done.code == 0, done.output
    root = ("--cacert", str(tmp_path / authority.ROOT))
    assert curl(house, f"http://{machine.address}/files").endswith("301")
    assert curl(house, *root, f"https://{machine.address}/healthz").endswith("200")
    assert curl(house, f"http://{machine.address}:8000/healthz").endswith("000"), "only nginx is let in"
    again = site(machine, house, dist, **behind)
    assert (again.code, again.changed) == (0, []), again.output


def test_nginx_without_tls_tells_who_comes(first: tuple[Machine, Run], house: House, dist: Path) -> None:
    machine, _done = first
    done = site(machine, house, dist, mantel_nginx=True, mantel_tls_mode="http_only")
    assert done.code == 0, done.output
    code = re.search(r"enter this setup code: ([A-Z0-9-]+)", done.output)
    assert code, done.output
    phone = Phone(house.phone, machine.address, port=80)
    phone.set_up(code[1], "anna", PASSWORD)
    content = bytes(range(256)) * 40_960
    assert phone.upload("film.mp4", content).status == 201
    (film,) = phone.files(query="film")
    part = phone.call("GET", f"/files/{film['id']}/stream", Range="bytes=1000000-1999999")
    assert (part.status, part.body) == (206, content[1_000_000:2_000_000])
    sessions = phone.call("GET", "/sessions", X_Forwarded_For="203.0.113.9").json
    assert {s["address"] for s in sessions["items"]} == {house.phone.address}


def test_wrong_wishes_are_refused_before_anything_changes(
    first: tuple[Machine, Run], house: House, dist: Path
) -> None:
    machine, _done = first
    for wish, said in (
        ({"mantel_tls_mode": "provided"}, "mantel_tls_cert is empty"),
        ({"mantel_tls_mode": "private_ca", "mantel_nginx": True}, "do not go together"),
        ({"mantel_tls_mode": "none"}, "http_only"),
    ):
        done = site(machine, house, dist, **wish)
        assert done.code != 0
        assert said in done.output
        assert done.changed == []
