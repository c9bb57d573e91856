"""Time zones as phones write them: offsets, and the names of Yealink's AutoDST list."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vendors.catalogue import vendor
from chalicelib.vendors.time_zones import ClockChange, DaylightSaving, daylight_saving, format_offset, standard_offset
from tests.unit.vendors.yealink_format import read_table

YEALINK_OFFSETS = {row["name"]: row["offset"] for row in read_table("yealink_time_zones.tsv")}
TIME_ZONES = vendor("yealink").time_zones


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "0"),
        ("Europe/London", "0"),
        ("Europe/Dublin", "0"),
        ("Europe/Berlin", "+1"),
        ("Europe/Helsinki", "+2"),
        ("Asia/Kolkata", "+5:30"),
        ("Asia/Kathmandu", "+5:45"),
        ("Australia/Sydney", "+10"),
        ("Australia/Lord_Howe", "+10:30"),
        ("Pacific/Chatham", "+12:45"),
        ("Pacific/Kiritimati", "+14"),
        ("America/New_York", "-5"),
        ("America/Los_Angeles", "-8"),
        ("America/Santiago", "-4"),
        ("America/St_Johns", "-3:30"),
        ("Pacific/Marquesas", "-9:30"),
        ("Etc/GMT+12", "-12"),
    ],
)
def test_the_offset_is_that_outside_summer_time(zone: str, expected: str) -> None:
    assert expected == format_offset(standard_offset(zone))


def test_every_zone_has_an_offset_that_phones_know() -> None:
    offsets = {zone: format_offset(standard_offset(zone)) for zone in available_timezones() - {"localtime", "Factory"}}
    known = re.compile(r"0|[+-](?:[1-9]|1[0-4])(?::(?:30|45))?")

    assert {} == {zone: offset for zone, offset in offsets.items() if not known.fullmatch(offset)}


@given(st.integers(-12 * 60, 14 * 60))
def test_an_offset_is_written_so_that_it_can_be_read_back(minutes: int) -> None:
    text = format_offset(timedelta(minutes=minutes))
    hours, _, rest = text.lstrip("+-").partition(":")
    sign = -1 if text.startswith("-") else 1

    assert minutes == sign * (int(hours) * 60 + int(rest or 0))


@pytest.mark.parametrize("zone", TIME_ZONES)
def test_a_zone_has_the_offset_of_its_autodst_name(zone: str) -> None:
    assert YEALINK_OFFSETS[TIME_ZONES[zone]] == format_offset(standard_offset(zone))


@pytest.mark.parametrize("zone", TIME_ZONES)
def test_a_mapped_zone_is_an_iana_zone(zone: str) -> None:
    assert zone in available_timezones()


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Europe/Berlin", ClockChange(3, 5, 6, 2), ClockChange(10, 5, 6, 3)),
        ("Europe/London", ClockChange(3, 5, 6, 1), ClockChange(10, 5, 6, 2)),
        ("Europe/Dublin", ClockChange(3, 5, 6, 1), ClockChange(10, 5, 6, 2)),
        ("America/New_York", ClockChange(3, 2, 6, 2), ClockChange(11, 1, 6, 2)),
        ("Australia/Sydney", ClockChange(10, 1, 6, 2), ClockChange(4, 1, 6, 3)),
    ],
)
def test_the_clocks_change_by_the_zones_rule(zone: str, start: ClockChange, end: ClockChange) -> None:
    assert DaylightSaving(start, end, 60) == daylight_saving(zone)


def test_the_clocks_of_lord_howe_change_by_half_an_hour() -> None:
    assert 30 == (rule.minutes if (rule := daylight_saving("Australia/Lord_Howe")) else 0)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Tokyo", "America/Phoenix", "Australia/Brisbane", "Etc/GMT+12"])
def test_where_the_clocks_stay_there_is_no_rule(zone: str) -> None:
    assert daylight_saving(zone) is None
