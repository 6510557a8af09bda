"""What the standard library reads differently from Python 3.11 to 3.14 → the same events on each."""

from __future__ import annotations

import ipaddress

import pytest

from socml.formats._addresses import address, address_text
from socml.formats._iso import from_iso
from socml.formats._times import iso
from socml.tools.indicators import find_indicators


def test_an_ipv4_address_within_ipv6_is_written_as_ipv4_wherever_it_comes_from() -> None:
    mapped = ipaddress.ip_address("::ffff:10.0.0.1")
    assert {address("::ffff:a00:1"), address("::ffff:10.0.0.1"), address_text(mapped)} == {"10.0.0.1"}
    assert address_text(ipaddress.ip_address("2001:0db8::0001")) == "2001:db8::1"
    found = find_indicators("a connection to [::ffff:c000:207] and http://[::ffff:c000:207]/x")
    assert {one.value for one in found if one.kind.startswith("ip")} == {"192.0.2.7"}


@pytest.mark.parametrize("text", ["2024-02-29T24:00:00Z", "2024-02-29 24:00", "20240229T240000", "2024-W09-4T24"])
def test_hour_24_is_no_time_on_any_python(text: str) -> None:
    with pytest.raises(ValueError, match="hour is 0 to 23"):
        from_iso(text)
    with pytest.raises(ValueError, match="is not a time"):
        iso(text)
    assert from_iso(text.replace("T24", "T23").replace(" 24", " 23")).hour == 23
