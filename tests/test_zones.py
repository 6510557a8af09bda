"""Local times, many at once: the same as one by one, at every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from socml.formats._times import Clock, microseconds
from socml.formats.host._syslog_blocks import utc_micros

EPOCH = datetime(1970, 1, 1)


@pytest.mark.parametrize(
    "name",
    ["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Monrovia", "Pacific/Apia"],
)
def test_times_of_a_zone_are_those_that_the_clock_gives_one_by_one(name: str) -> None:
    zone = ZoneInfo(name)
    clock = Clock(zone, None, None)
    times = [datetime(1971, 12, 20) + timedelta(minutes=7 * n, microseconds=n) for n in range(5_000)]
    times += [datetime(year, 1, 1) + timedelta(minutes=53 * n) for year in (2011, 2024) for n in range(9_900)]
    local = np.array([(when - EPOCH) // timedelta(microseconds=1) for when in times])
    assert utc_micros(local, zone).tolist() == [microseconds(clock.in_zone(when)) for when in times]


def test_a_log_without_years_that_begins_on_29_february_is_of_a_leap_year() -> None:
    clock = Clock(None, None, datetime(2026, 11, 25, tzinfo=UTC))
    assert clock.year_of(2, 29) == 2024
    assert clock.year_of(3, 1) == 2024
