"""Syslog: the fast way over whole blocks says what the careful way says of every line, and what `re` says."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syslog_oracle import TAGS, clock, compare, made, message

from socml.formats._reader import Block
from socml.formats.host._syslog_blocks import parse_block


@pytest.mark.parametrize(
    ("zone", "year"), [(None, None), ("Europe/Paris", 2024), ("America/St_Johns", 2023), (None, 2019)]
)
def test_the_fast_way_says_what_the_careful_way_says(zone: str | None, year: int | None) -> None:
    fast = compare([made(random.Random(7), 4000)], zone, year)
    assert fast > 100


def test_and_of_every_message_behind_a_plain_header() -> None:
    rng, headers = random.Random(5), ["Mar 27 13:06:56", "2026-03-27T13:06:56.25+01:00", "Dec  9 23:59:59"]
    for tags in (TAGS[:2], TAGS):
        lines = [f"{rng.choice(headers)} web01 {rng.choice(tags)}{message(rng)}" for _ in range(6000)]
        assert compare(["\n".join(lines).encode()]) > 1000


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_and_of_lines_that_were_damaged_or_cut_anywhere(data: st.DataObject) -> None:
    text = bytearray(made(random.Random(data.draw(st.integers(0, 10**6))), 6))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from(list(b' :[]<>"-./=;'))))
    compare([bytes(text[: data.draw(st.integers(0, len(text)))])])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 31), st.booleans()), max_size=40), st.integers(1, 39))
def test_years_are_the_same_across_blocks_whatever_the_order_of_days(days: list[Any], cut: int) -> None:
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    lines = [
        f"{names[month - 1]} {day:2d} 10:00:00 web01 sshd[1]: {'é' if odd else 'x'}\n".encode()
        for month, day, odd in days
    ]
    compare([b"".join(lines[:cut]), b"".join(lines[cut:])])
    compare([b"".join(lines[:cut]), b"".join(lines[cut:])], "Europe/Berlin")


def test_plain_lines_take_the_fast_way() -> None:
    plain = b"Mar 27 13:06:56 web01 sshd[1291]: Failed password for root from 10.0.0.9 port 4242 ssh2\n"
    parts = list(parse_block(Block(1, plain * 10), clock(None, None)))
    assert [len(part.events) for part in parts] == [10, 0]


def test_a_year_of_which_a_plain_line_is_too_far_away_is_read_the_careful_way() -> None:
    assert compare([made(random.Random(9), 500)], None, 1) < compare([made(random.Random(9), 500)], None, 2020)


def test_a_message_that_takes_too_long_to_match_is_read_the_careful_way() -> None:
    long = b"Mar 27 13:06:56 web01 sshd[1]: Failed password for " + b"a from b port " * 280 + b"x\n"
    longer = b"Mar 27 13:06:56 web01 sshd[1]: Failed password for " + b"x" * 5000 + b" from 192.0.2.7 port 1\n"
    data = b'<86>1 2026-03-27T13:06:56Z web01 sshd 1 - [x a="' + b"b" * 9000 + b'"] Invalid user a from 192.0.2.7\n'
    compare([long + longer + data])
