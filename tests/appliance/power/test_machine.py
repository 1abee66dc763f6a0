"""MACs, names and times as people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Invalid
from appliance.power.machine import (
    is_due,
    read_address,
    read_mac,
    read_machine_mac,
    read_name,
    read_times,
    written_times,
)
from appliance.power.neighbours import Neighbour, read_table

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    "spelled",
    ["02:77:00:00:00:14", "02-77-00-00-00-14", "0277.0000.0014", "027700000014", " 02:77:00:00:00:14 "],
)
def test_a_mac_is_read_in_each_spelling(spelled: str) -> None:
    assert read_machine_mac(spelled) == "02:77:00:00:00:14"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "02:77:00:00:00",
        "02:77:00:00:00:1g",
        "ff:ff:ff:ff:ff:ff",
        "00:00:00:00:00:00",
        None,
        5,
        "0" * 500,
        ["x"],
    ],
)
def test_what_is_no_mac_of_a_machine_is_named(wrong: object) -> None:
    with pytest.raises(Invalid, match="mac"):
        read_machine_mac(wrong)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_mac(text: str) -> None:
    try:
        assert len(read_mac("mac", text)) == 17
    except Invalid:
        pass


@pytest.mark.parametrize("wrong", ["", " ", "a" * 61, "a\x00b", None, 3])
def test_a_name_that_cannot_be_shown(wrong: object) -> None:
    with pytest.raises(Invalid):
        read_name(wrong)


@pytest.mark.parametrize("wrong", ["8.8.8.8", "127.0.0.1", "nas.local", "224.0.0.1", 7])
def test_an_address_out_of_the_house(wrong: object) -> None:
    with pytest.raises(Invalid):
        read_address(wrong)


def test_times_come_back_as_they_were_given() -> None:
    given_times = [{"days": ["mon", "fri"], "at": "07:30"}]
    assert written_times(read_times(given_times)) == given_times
    assert len(read_times([{"at": "23:59"}])[0].days) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        "07:30",
        [{"at": "7:30"}],
        [{"at": "24:00"}],
        [{"days": [], "at": "07:30"}],
        [{"days": ["x"], "at": "07:30"}],
        [3],
    ],
)
def test_times_that_are_none(wrong: object) -> None:
    with pytest.raises(Invalid, match="schedule"):
        read_times(wrong)


def test_a_time_is_due_once_and_on_its_days() -> None:
    times = read_times([{"days": ["mon"], "at": "07:30"}])
    monday = datetime(2026, 11, 23, 7, 29, 50, tzinfo=OSLO)
    assert is_due(times, monday, monday.replace(minute=30, second=5))
    assert not is_due(times, monday.replace(minute=30, second=5), monday.replace(minute=30, second=20))
    assert not is_due(times, monday.replace(day=24), monday.replace(day=24, minute=30, second=5))


def test_midnight_lies_between_two_days() -> None:
    times = read_times([{"days": ["tue"], "at": "00:00"}])
    assert is_due(
        times, datetime(2026, 11, 23, 23, 59, 50, tzinfo=OSLO), datetime(2026, 11, 24, 0, 0, 5, tzinfo=OSLO)
    )


def test_clocks_that_go_back_wake_once() -> None:
    times = read_times([{"at": "02:30"}])
    first = datetime(2026, 10, 25, 2, 30, 0, tzinfo=OSLO, fold=0)
    again = datetime(2026, 10, 25, 2, 30, 0, tzinfo=OSLO, fold=1)
    assert is_due(times, first.replace(minute=29), first.replace(second=10))
    assert not is_due(times, again.replace(minute=29), again.replace(second=10))


def test_what_was_missed_is_not_made_up_for() -> None:
    times = read_times([{"at": "07:30"}])
    assert not is_due(
        times, datetime(2026, 11, 23, 3, 0, tzinfo=OSLO), datetime(2026, 11, 23, 12, 0, tzinfo=OSLO)
    )


def test_the_neighbour_table_is_read_as_the_kernel_writes_it() -> None:
    table = (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "10.77.0.20       0x1         0x2         02:77:00:00:00:14     *        lan0\n"
        "10.77.0.66       0x1         0x0         00:00:00:00:00:00     *        lan0\n"
        "half a line\n"
    )
    assert read_table(table) == (Neighbour("lan0", "02:77:00:00:00:14", "10.77.0.20"),)
