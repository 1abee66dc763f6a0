"""Which interfaces are served, and who faces which."""

from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace

import pytest

import dlna.interfaces
from dlna.interfaces import Interface, facing, interfaces


def interface(name: str, address: str, prefix: int = 24) -> Interface:
    network = IPv4Network(f"{address}/{prefix}", strict=False)
    return Interface(name, 1, IPv4Address(address), network)


ETH, WIFI, LO = (
    interface("eth0", "10.77.0.10"),
    interface("wlan0", "10.77.1.10"),
    interface("lo", "127.0.0.1", 8),
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def adapter(name: str, index: int, *addresses: str) -> SimpleNamespace:
        ips = [SimpleNamespace(ip=a, network_prefix=24, is_IPv4=True) for a in addresses]
        return SimpleNamespace(name=name, index=index, ips=ips)

    adapters = [
        adapter("lo", 1, "127.0.0.1"),
        adapter("docker0", 2, "172.17.0.1"),
        adapter("wlan0", 4, "192.168.1.5", "169.254.3.4"),
        adapter("eth0", 3, "10.0.0.5"),
        adapter("ppp0", 5, "8.8.4.4"),
    ]
    monkeypatch.setattr(dlna.interfaces.ifaddr, "get_adapters", lambda: adapters)


@pytest.mark.usefixtures("machine")
def test_private_addresses_are_served_and_containers_are_not() -> None:
    assert [(i.name, str(i.address)) for i in interfaces()] == [
        ("eth0", "10.0.0.5"),
        ("wlan0", "192.168.1.5"),
    ]


@pytest.mark.usefixtures("machine")
def test_a_named_interface_is_served_whatever_it_is() -> None:
    assert [i.name for i in interfaces(("lo", "missing0"))] == ["lo"]


def test_a_neighbour_faces_the_interface_of_its_network() -> None:
    assert facing("10.77.1.20", (ETH, WIFI, LO)) == WIFI
    assert facing("127.0.0.1", (ETH, WIFI, LO)) == LO


@pytest.mark.parametrize(
    "stranger", ["8.8.8.8", "10.77.0.10", "10.77.0.255", "10.77.0.0", "127.0.0.2.", "tv.local"]
)
def test_strangers_broadcasts_and_ourselves_face_nothing(stranger: str) -> None:
    assert facing(stranger, (ETH, WIFI)) is None


def test_the_narrower_network_wins() -> None:
    wide = interface("eth0", "10.0.0.1", 8)
    assert facing("10.77.0.20", (wide, ETH)) == ETH
