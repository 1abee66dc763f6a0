"""The household's own authority signs for this house; what it might sign for others nobody believes."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import ssl
import stat
import subprocess
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from appliance import authority
from appliance.authority import INTERMEDIATE, ROOT, SERVER, renew
from appliance.errors import Conflict
from appliance.web import listen
from appliance.web.trust import authority as held_authority
from tests.house import house
from tests.ports import free_port

NOW = datetime.datetime.now(datetime.UTC)
HOSTS = ("mantel.local", "shelf.example")
ADDRESSES = tuple(ipaddress.ip_address(text) for text in ("192.168.1.10", "fd00::10", "8.8.8.8"))


def names(folder: Path) -> list[str]:
    (leaf, *_) = x509.load_pem_x509_certificates((folder / SERVER).read_bytes())
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def verdict(folder: Path, leaf: bytes, **asked: str) -> str:
    """What OpenSSL says of a chain when only the root is trusted."""
    file = folder / "asked.pem"
    file.write_bytes(leaf)
    options = [word for name, value in asked.items() for word in (f"-verify_{name}", value)]
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", folder / ROOT, "-untrusted", file, *options, file],
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_what_it_signs_is_good_for_this_house(tmp_path: Path) -> None:
    assert renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)
    assert names(tmp_path) == [*HOSTS, "192.168.1.10", "fd00::10"], "a public address is nobody's own"
    leaf = (tmp_path / SERVER).read_bytes()
    for asked in ({"hostname": "mantel.local"}, {"hostname": "shelf.example"}, {"ip": "192.168.1.10"}):
        assert ": OK" in verdict(tmp_path, leaf, **asked)
    assert "mismatch" in verdict(tmp_path, leaf, hostname="other.local")


@pytest.mark.parametrize("name", ["bank.example", "mantel.local.example", "8.8.8.8", "other.local"])
def test_what_it_signs_for_others_is_refused(tmp_path: Path, name: str) -> None:
    renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)
    key, intermediate = authority._read(tmp_path / INTERMEDIATE)
    numeric = name[0].isdigit()
    other = x509.IPAddress(ipaddress.ip_address(name)) if numeric else x509.DNSName(name)
    assert "permitted subtree violation" in verdict(
        tmp_path, authority._leaf(key, intermediate, [other], NOW), **{"ip" if numeric else "hostname": name}
    )


def test_the_root_s_key_is_nowhere(tmp_path: Path) -> None:
    renew(tmp_path, "Öl & Gas", HOSTS, ADDRESSES, NOW)
    root = x509.load_pem_x509_certificate((tmp_path / ROOT).read_bytes())
    (name,) = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert str(name.value).startswith("Öl & Gas")
    for file in (SERVER, INTERMEDIATE):
        key, _certificate = authority._read(tmp_path / file)
        assert key.public_key() != root.public_key()
    assert held_authority(tmp_path / SERVER) == root
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
    assert modes == {SERVER: 0o640, ROOT: 0o644, INTERMEDIATE: 0o600}


def test_it_is_renewed_when_it_must_and_not_before(tmp_path: Path) -> None:
    renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)
    root, first = (tmp_path / ROOT).read_bytes(), (tmp_path / SERVER).read_bytes()
    later = NOW + datetime.timedelta(days=authority.LEAF_DAYS - authority.RENEW_DAYS - 1)
    assert not renew(tmp_path, "Mantel", HOSTS, ADDRESSES, later)
    assert renew(tmp_path, "Mantel", HOSTS, ADDRESSES, later + datetime.timedelta(days=1))
    assert renew(tmp_path, "Mantel", HOSTS, ADDRESSES[:1], later + datetime.timedelta(days=1))
    assert names(tmp_path) == [*HOSTS, "192.168.1.10"]
    assert (tmp_path / ROOT).read_bytes() == root
    assert (tmp_path / SERVER).read_bytes() != first


def test_a_new_name_needs_a_new_authority_and_says_so(tmp_path: Path) -> None:
    renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)
    before = (tmp_path / SERVER).read_bytes()
    with pytest.raises(Conflict, match=r"other names than den\.local"):
        renew(tmp_path, "Den", ("den.local",), ADDRESSES, NOW)
    assert (tmp_path / SERVER).read_bytes() == before


def test_a_spoiled_file_is_told(tmp_path: Path) -> None:
    renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)
    (tmp_path / INTERMEDIATE).write_text("not PEM")
    with pytest.raises(Conflict, match="not what was written"):
        renew(tmp_path, "Mantel", HOSTS, ADDRESSES, NOW)


async def test_a_renewed_certificate_is_served_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew(tmp_path, "Mantel", ("localhost",), (), NOW)
    server, sock = tmp_path / SERVER, listen.bind("127.0.0.1", 0)
    monkeypatch.setattr(listen, "LOOK_EVERY", 0.05)

    async def app(scope: object, receive: object, send: object) -> None: ...

    stop = asyncio.Event()
    serving = asyncio.create_task(listen.serve_until(app, sock, stop, (server, server)))
    trusting = ssl.create_default_context(cafile=str(tmp_path / ROOT))

    async def served() -> int:
        _reader, writer = await asyncio.open_connection(
            "127.0.0.1", listen.port_of(sock), ssl=trusting, server_hostname="localhost"
        )
        found = writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        writer.close()
        return int(found, 16)

    async with asyncio.timeout(10):
        while True:
            try:
                first = await served()
                break
            except ConnectionError:
                await asyncio.sleep(0.05)
        renew(tmp_path, "Mantel", ("localhost",), ADDRESSES, NOW)
        while await served() == first:
            await asyncio.sleep(0.05)
    stop.set()
    await serving


async def test_the_plain_port_leads_to_trusting_it(tmp_path: Path) -> None:
    renew(tmp_path, "Mantel", ("localhost",), (), NOW)
    port, server = str(free_port()), str(tmp_path / SERVER)
    async with (
        house(tmp_path, https_port=port, tls_cert=server, tls_key=server) as home,
        aiohttp.ClientSession() as http,
    ):
        async with http.get(home.url) as answer:
            page = await answer.text()
            assert "connect-src https:" in answer.headers["Content-Security-Policy"]
        for part in ("/trust.js", "/trust.css", "/ca.crt"):
            assert f'"{part}"' in page
            async with http.get(home.url + part) as answer:
                assert answer.status == 200
        trusting = ssl.create_default_context(cafile=str(tmp_path / ROOT))
        async with http.get(f"https://localhost:{port}/healthz", ssl=trusting) as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
