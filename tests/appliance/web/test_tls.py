"""Over TLS, by an authority of the test's own: the page there, only the way to it on the plain port."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.web.trust import fingerprint
from tests.house import ADMIN, PASSWORD, house
from tests.ports import free_port


def certificates(folder: Path) -> tuple[Path, Path, x509.Certificate]:
    """(chain, key, authority) for 127.0.0.1 and localhost."""
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("CA", "Mantel")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    made = []
    for name, key, is_ca in zip(names, keys, (True, False), strict=True):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), critical=False
            )
        made.append(builder.sign(keys[0], SHA256()))
    chain, key_file = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in reversed(made)))
    key_file.write_bytes(keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, key_file, made[0]


@pytest.mark.parametrize("plain", ["trust", "full"])
async def test_the_page_over_tls(tmp_path: Path, plain: str) -> None:
    chain, key, authority = certificates(tmp_path)
    port = free_port()
    more = {"https_port": str(port), "tls_cert": str(chain), "tls_key": str(key)}
    if plain == "full":
        more["plain_http"] = "full"
    trusting = ssl.create_default_context(cadata=authority.public_bytes(Encoding.PEM).decode())
    async with house(tmp_path, **more) as home, aiohttp.ClientSession() as http:
        closed = f"https://127.0.0.1:{port}"
        body = {"username": ADMIN, "password": PASSWORD}
        async with http.post(closed + "/auth/login", json=body, ssl=trusting) as answer:
            assert answer.status == 200
            names = {cookie.split("=")[0] for cookie in answer.headers.getall("Set-Cookie")}
            assert names == {"__Host-mantel", "__Secure-mantel_refresh", "__Secure-mantel_device"}
            token = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        async with aiohttp.ClientSession(headers=token) as signed:
            async with signed.get(closed + "/auth/me", ssl=trusting) as answer:
                assert (answer.status, (await answer.json())["open_line"]) == (200, False)
            async with signed.get(home.url + "/auth/me", allow_redirects=False) as answer:
                if plain == "full":
                    assert answer.status == 401, "what was made over TLS is no good on the open line"
                    return
                assert (answer.status, answer.headers["Location"]) == (307, closed + "/auth/me")
        async with http.get(home.url + "/") as answer:
            page = await answer.text()
            assert closed in page
            assert fingerprint(authority) in page
        shown = "".join("".join(home.output).split())
        assert fingerprint(authority) in shown, "to compare, where no bad Wi-Fi can change it"
        async with http.get(home.url + "/ca.crt") as answer:
            assert await answer.read() == authority.public_bytes(Encoding.PEM)
        async with http.post(home.url + "/auth/login", json=body) as answer:
            assert answer.status == 405
        async with http.get(home.url + "/", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421
