"""The household's own authority: certificates for this house's names and private addresses, for nothing else.

A root key signs one intermediate, which may name only this house (RFC 5280 §4.2.1.10), and is never stored.
A device that trusts the root therefore trusts nobody else, even when the machine is stolen. The
intermediate signs the server's certificate anew before it ends, or when an address changed.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.accounts.keys import write_private
from appliance.errors import Conflict
from appliance.lan.mdns import host_label
from appliance.settings import Settings
from appliance.web.trust import fingerprint
from dlna.interfaces import interfaces

AUTHORITY_DAYS = 3650
LEAF_DAYS = 90
RENEW_DAYS = 30
"""The server's certificate is renewed when it has so many days left."""
YESTERDAY = datetime.timedelta(days=1)
"""A Pi has no clock of its own: certificates begin a day before they are made."""

PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""RFC 1918, RFC 3927 and RFC 4193: the addresses that the intermediate may name."""

SERVER, ROOT, INTERMEDIATE = "mantel.pem", "root.pem", "authority.pem"
"""Files of the folder: the server's key and chain in one, so that both change at once; the root's
certificate for devices; the intermediate's key and certificate (0600)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_CA_USAGE = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


def renew_for(settings: Settings, folder: Path) -> tuple[bool, str]:
    """`renew` with the names and addresses that this machine has now, and the root's fingerprint."""
    hosts = [f"{host_label(settings.name)}.local", *(host.lower() for host in settings.hosts)]
    named = [ipaddress.ip_address(interface.address) for interface in interfaces(settings.interfaces)]
    renewed = renew(folder, settings.name, hosts, named, datetime.datetime.now(datetime.UTC))
    return renewed, fingerprint(x509.load_pem_x509_certificate((folder / ROOT).read_bytes()))


def renew(
    folder: Path, house: str, hosts: Sequence[str], addresses: Sequence[Address], now: datetime.datetime
) -> bool:
    """Makes in `folder` what is missing, or near its end, or names others than these; whether it did.

    `house`: shown by devices as the authority's name. `hosts`: names without a port. Addresses that are
    not private are left out. Conflict when the authority that is there may not name these hosts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [x509.DNSName(host) for host in sorted(set(hosts))]
    named = [
        *wanted,
        *(x509.IPAddress(address) for address in sorted(set(addresses), key=str) if _private(address)),
    ]
    if not (folder / INTERMEDIATE).exists():
        _make_authority(folder, house, wanted, now)
    key, intermediate = _read(folder / INTERMEDIATE)
    allowed = (
        intermediate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    )
    for name in wanted:
        if name not in allowed:
            raise Conflict(
                f"The authority in {folder} was made for other names than {name.value}. "
                "Remove that folder to make a new one; every device has to trust it anew."
            )
    if (folder / SERVER).exists():
        _, leaf = _read(folder / SERVER)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        left = leaf.not_valid_after_utc - now
        if list(names) == named and left > datetime.timedelta(days=RENEW_DAYS):
            return False
    root = (folder / ROOT).read_bytes()
    write_private(folder / SERVER, _leaf(key, intermediate, named, now) + root, 0o640)
    return True


def _make_authority(folder: Path, house: str, hosts: list[x509.DNSName], now: datetime.datetime) -> None:
    root_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"{house[:40]}, this household's own authority")]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    below = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{house[:40]} signs")])
    limits = x509.NameConstraints([*hosts, *(x509.IPAddress(network) for network in PRIVATE)], None)
    root = (
        _builder(name, name, root_key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .sign(root_key, SHA256())
    )
    intermediate = (
        _builder(below, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, SHA256())
    )
    # The intermediate last: a power cut before it begins anew with another root.
    write_private(folder / ROOT, root.public_bytes(Encoding.PEM), 0o644)
    write_private(folder / INTERMEDIATE, _pem(key) + intermediate.public_bytes(Encoding.PEM))


def _leaf(
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    names: Sequence[x509.GeneralName],
    now: datetime.datetime,
) -> bytes:
    """PEM: a new key, its certificate, the intermediate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mantel")])
    certificate = (
        _builder(name, issuer.subject, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, SHA256())
    )
    return _pem(key) + certificate.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - YESTERDAY)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _private(address: Address) -> bool:
    return any(address in network for network in PRIVATE)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read(file: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Its key and its first certificate. Conflict for anything else."""
    try:
        content = file.read_bytes()
        key = load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificates(content)[0]
    except (OSError, ValueError) as error:
        raise Conflict(f"{file} is not what was written there: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Conflict(f"{file} holds another kind of key.")
    return key, certificate
