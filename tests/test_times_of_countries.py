"""Times as spreadsheets, browsers and programs write them in many countries; and lines that only look like them."""

from __future__ import annotations

import pytest

from socml.formats._stamps import stamp_in, time_of
from socml.formats._times import Clock

AFTERNOON = [
    "12/01/2025, 1:05:09\u202fPM",  # of a browser
    "12/01/2025 1:05:09\u00a0p. m.",
    "1/12/2025 1:05:09 p.\u00a0m.",
    "01/12/2025\u00a013:05:09",
    "01/12/2025 à 13:05:09",
    "01.12.2025 um 13:05:09",
    "01.12.2025 kl. 13:05:09",
    "01. Dezember 2025 13:05:09",
    "1. Dez. 2025, 13:05:09",
    "01-déc-25 13:05:09",
    "01-déc.-25 13:05:09",
    "1 décembre 2025 à 13:05:09",
    "1 decembre 2025 13:05:09",
    "01 dic 2025 13:05:09",
    "1 de diciembre de 2025 13:05:09",
    "1 de dezembro de 2025 às 13:05:09",
    "1 dicembre 2025 alle 13:05:09",
    "1 december 2025 13:05:09",
    "2025年12月1日 13:05:09",
    "2025年12月01日 下午 1:05:09",
    "2025/12/1 午後 1:05:09",
    "2025년 12월 1일 오후 1:05:09",
    "2025-12-01 오후 1:05:09",
    "2025/12/1 13:05:09",
]


@pytest.mark.parametrize("text", AFTERNOON)
def test_an_afternoon_is_the_same_in_every_country(text: str) -> None:
    is_french = text.startswith(("1/12", "01/12"))
    clock = Clock(None, 2025, None, day_first=is_french)
    assert time_of(text, clock).isoformat() == "2025-12-01T13:05:09+00:00"


@pytest.mark.parametrize(
    "text", ["01/12/2025 13h05", "2025-12-01 13 h 05", "1 décembre 2025 à 13 h 05", "1.12.2025 13h05"]
)
def test_french_hours_are_hours(text: str) -> None:
    assert time_of(text, Clock(None, 2025, None)).isoformat() == "2025-12-01T13:05:00+00:00"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("10 Oct 13:55:36 host app", "2025-10-10T13:55:36+00:00"),
        ("03-May-25 10:00:00 x", "2025-05-03T10:00:00+00:00"),
        ("02/Mar/2026:10:00:00 +0100", "2026-03-02T09:00:00+00:00"),
        ("2025-12-01 10:00:00 a message", "2025-12-01T10:00:00+00:00"),
        ("2025-12-01 10:00:00 pm2 started", "2025-12-01T10:00:00+00:00"),
        ("2025-12-01 10:00:00 P. Miller", "2025-12-01T10:00:00+00:00"),
        ("2025-12-01 10:00:00 3h05 left", "2025-12-01T10:00:00+00:00"),
    ],
)
def test_other_times_stay_as_they_were(text: str, time: str) -> None:
    found = stamp_in(text, Clock(None, 2025, None))
    assert found is not None
    assert found.time.isoformat() == time


@pytest.mark.parametrize("text", ["12 marches 13", "3 apples 20 10", "took 12 agosto", "25 mag 3h"])
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert stamp_in(text, Clock(None, 2025, None)) is None


@pytest.mark.parametrize(
    "count", ["13409056800000000", "639001800000000000", "134090568000000000", "1764583200000000000", "1764583200"]
)
def test_counts_of_browsers_and_windows_are_no_nanoseconds_of_1970(count: str) -> None:
    assert time_of(count, Clock(None, 2025, None)).isoformat() == "2025-12-01T10:00:00+00:00"
