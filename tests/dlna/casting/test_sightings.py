"""Which renderers there are, from messages as devices send them, and from hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlna.casting.sightings import MOST_RENDERERS, Appeared, Sightings, Vanished

SAMSUNG = {
    "nt": "urn:schemas-upnp-org:device:MediaRenderer:1",
    "nts": "ssdp:alive",
    "usn": "uuid:0cee0a81-0080-1000-9541-f47b5e7f8ad0::urn:schemas-upnp-org:device:MediaRenderer:1",
    "location": "http://10.77.0.20:7676/smp_15_",
    "cache-control": "max-age=1800",
    "server": "SHP, UPnP/1.0, Samsung UPnP SDK/1.0",
}
TV = "10.77.0.20"
UDN = "uuid:0cee0a81-0080-1000-9541-f47b5e7f8ad0"


def answer(**changed: str) -> dict[str, str]:
    """An answer to M-SEARCH with BOOTID, as devices of UDA 1.1 send it."""
    headers = {k: v for k, v in SAMSUNG.items() if k not in ("nt", "nts")}
    return headers | {"st": SAMSUNG["nt"], "bootid.upnp.org": "7"} | changed


def test_a_renderer_appears_once() -> None:
    sightings = Sightings()
    change = sightings.see(SAMSUNG, TV, 0)
    assert isinstance(change, Appeared)
    assert (change.sighting.udn, change.sighting.address) == (UDN, TV)
    assert sightings.see(SAMSUNG, TV, 1) is None


def test_another_boot_id_or_location_means_connect_again() -> None:
    sightings = Sightings()
    sightings.see(answer(), TV, 0)
    assert isinstance(sightings.see(answer(**{"bootid.upnp.org": "8"}), TV, 1), Appeared)
    moved = answer(**{"bootid.upnp.org": "8", "location": "http://10.77.0.20:9999/d.xml"})
    assert isinstance(sightings.see(moved, TV, 2), Appeared)


def test_an_announced_boot_id_is_no_restart() -> None:
    sightings = Sightings()
    sightings.see(answer(), TV, 0)
    update = SAMSUNG | {"nts": "ssdp:update", "bootid.upnp.org": "7", "nextbootid.upnp.org": "9"}
    assert sightings.see(update, TV, 1) is None
    assert sightings.see(answer(**{"bootid.upnp.org": "9"}), TV, 2) is None


def test_goodbye_counts_from_the_device_itself_only() -> None:
    sightings = Sightings()
    sightings.see(SAMSUNG, TV, 0)
    goodbye = SAMSUNG | {"nts": "ssdp:byebye"}
    assert sightings.see(goodbye, "10.77.0.66", 1) is None
    assert sightings.see(goodbye, TV, 1) == Vanished(UDN)
    assert sightings.all == ()


def test_the_goodbye_of_one_service_is_not_the_device_s() -> None:
    sightings = Sightings()
    sightings.see(SAMSUNG, TV, 0)
    service = "urn:schemas-upnp-org:service:AVTransport:1"
    goodbye = SAMSUNG | {"nts": "ssdp:byebye", "nt": service, "usn": f"{UDN}::{service}"}
    assert sightings.see(goodbye, TV, 1) is None
    assert len(sightings.all) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://10.77.0.99:7676/d.xml",
        "http://127.0.0.1:8000/",
        "http://169.254.169.254/latest/meta-data",
        "https://10.77.0.20/d.xml",
        "http://10.77.0.20.evil.example/d.xml",
        "http://10.77.0.20@10.77.0.1/",
        "http://user:word@10.77.0.20/",
        "http://0x0a4d0014/d.xml",
        "http://[::ffff:10.77.0.20]/d.xml",
        "http://10.77.0.20:70000/",
        "http://10.77.0.20:0/",
        "http://10.77.0.20/a b",
        "http://10.77.0.20\\@10.77.0.1/",
        "file:///etc/passwd",
        "tv.local",
        "",
    ],
)
def test_a_location_that_is_not_its_sender_s_changes_nothing(location: str) -> None:
    sightings = Sightings()
    assert sightings.see(SAMSUNG | {"location": location}, TV, 0) is None
    assert sightings.all == ()


def test_a_second_device_does_not_take_a_name_over() -> None:
    sightings = Sightings()
    sightings.see(SAMSUNG, TV, 0)
    imposter = SAMSUNG | {"location": "http://10.77.0.66:80/d.xml"}
    assert sightings.see(imposter, "10.77.0.66", 10) is None
    assert sightings.all[0].address == TV
    assert isinstance(sightings.see(imposter, "10.77.0.66", 1801), Appeared)  # the TV got another address


def test_many_made_up_renderers_are_not_all_kept() -> None:
    sightings = Sightings()
    for number in range(MOST_RENDERERS + 20):
        sightings.see(SAMSUNG | {"usn": f"uuid:{number}::{SAMSUNG['nt']}"}, TV, 0)
    assert len(sightings.all) == MOST_RENDERERS


def test_a_media_server_is_no_renderer() -> None:
    kind = "urn:schemas-upnp-org:device:MediaServer:1"
    assert Sightings().see(SAMSUNG | {"nt": kind, "usn": f"{UDN}::{kind}"}, TV, 0) is None


@given(
    st.dictionaries(st.sampled_from([*SAMSUNG, "st", "bootid.upnp.org", "nextbootid.upnp.org"]), st.text())
)
def test_no_message_raises_or_is_believed_beyond_its_sender(headers: dict[str, str]) -> None:
    sightings = Sightings()
    sightings.see(SAMSUNG | headers, TV, 0)
    assert all(s.location.startswith("http://10.77.0.20") for s in sightings.all)
