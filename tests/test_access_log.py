"""Access logs: the fast way over whole blocks says what the careful way says of every line, and what `re` says."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._select_lines import Records
from socml.formats._times import Clock
from socml.formats.web._access_cuts import parse_block
from socml.formats.web._access_lines import access_event

NAIVE = re.compile(
    r'(\S+) (\S+) (\S+) \[([^\]]+)\] "([A-Z]+) (.*) HTTP/([\d.]+)" (\d+) (\d+|-)(?: "([^"]*)" "([^"]*)")?'
)


def _clock() -> Clock:
    return Clock(None, None, None)


def _rows(parts: Iterable[Parsed]) -> list[dict[str, Any]]:
    rows = [row for part in parts for row in part.events.to_pylist()]
    for row in rows:
        row["extra"] = dict(row.get("extra") or [])
    return sorted(({k: v for k, v in row.items() if v is not None} for row in rows), key=lambda r: r["source_line"])


def _compare(data: bytes) -> None:
    clock = _clock()
    numbered = list(enumerate(Block(1, data).lines(), 1)) if data else []
    slow = list(batches(numbered, lambda line: access_event(line, clock)))
    fast = list(parse_block(Block(1, data), _clock()))
    assert _rows(fast) == _rows(slow)
    for part in fast:
        assert [r.decode("utf-8", "backslashreplace") for r in part.records] == part.events["raw"].to_pylist()
    assert [r for part in fast for r in part.rejects] == [r for part in slow for r in part.rejects]
    assert sum(part.count for part in fast) == len(numbered)


def _made(rng: random.Random, lines: int) -> bytes:
    hosts = [
        "192.0.2.7",
        "2001:db8::1",
        "::1",
        "client.example.net",
        "010.1.1.1",
        "1.2.3.256",
        "a:1",
        "-",
        "::ffff:1.2.3.4",
    ]
    stamps = [
        "29/Feb/2024:23:59:59 +0000",
        "31/Dec/1999:00:00:00 -1130",
        "29/Feb/2023:00:00:00 +0000",
        "1/Jan/2024:0:0:0",
    ]
    asked = [
        "GET / HTTP/1.1",
        "get /a b HTTP/2",
        "-",
        "",
        "POST /x?y=%20 HTTP/1.0",
        "GET /",
        "\\x16",
        'a"b',
        "M-S /é HTTP/1.1",
    ]
    made = []
    for _ in range(lines):
        front = rng.choice(["", "", "www.example.org:443 ", "[::1]:80 ", "x:99999 ", "x:1a "])
        who = f"{rng.choice(hosts)} {rng.choice(['-', 'id'])} {rng.choice(['-', 'ann', 'john doe', '[x'])}"
        size = (
            f"{rng.choice(['200', '404', '-', '20', '2000'])} {rng.choice(['-', '0', '12', '123456789012345678', 'x'])}"
        )
        end = rng.choice(
            ["", ' "-" "-"', ' "http://r/" "Mozilla (x)"', ' "r"', ' "" "ua" 0.1 "z"', " 12 ms", ' "r" "open', " "]
        )
        request = rng.choice(asked)
        made.append(f'{front}{who} [{rng.choice(stamps)}] "{request}" {size}{end}{rng.choice(["", "", "", chr(13)])}')
    return "\n".join(made).encode()


def test_the_fast_way_says_what_the_careful_way_says() -> None:
    _compare(_made(random.Random(7), 6000))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_and_of_lines_that_were_damaged_anywhere(data: st.DataObject) -> None:
    text = bytearray(_made(random.Random(data.draw(st.integers(0, 10**6))), 4))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[at] = data.draw(st.integers(0, 255))
    _compare(bytes(text[: data.draw(st.integers(0, len(text)))]))


PLAIN = '192.0.2.7 - ann [29/Feb/2024:13:06:56 +0100] "GET /a HTTP/1.1" 200 2326 "-" "Mozilla/5.0"'
LINES = [
    PLAIN,
    'www.example.org:443 ::1 id - [29/Feb/2024:13:06:56 +0100] "GET / HTTP/2" 404 -',
    'client.example.net - - [29/Feb/2024:13:06:56 +0100] "POST /x HTTP/1.1" - 0 "http://r/" "-" 12 ms',
]
ENDS = ["", "\n", "\r\n", "\r", "\r\r\n", "\n\n", "\n\r\n\n", "\0", "\0\n", "\x7f\n", "\\\n", "é\n"]


def test_and_wherever_a_block_ends() -> None:
    """A line ends before, at and after multiples of the bytes that a library may look at at once."""
    for line in LINES:
        for longer in (0, 1, 2, 7, 8, 15, 16, 31, 33, 63, 64, 65):
            one = line.replace(" HTTP", longer * "a" + " HTTP")
            for end in ENDS:
                _compare((one + end).encode())
            for cut in (1, 2, longer + 1):
                _compare(one[:-cut].encode())


def test_and_of_bytes_that_are_no_text_and_of_long_lines() -> None:
    rng = random.Random(9)
    for _ in range(600):
        text = bytearray("\n".join(rng.choices(LINES, k=rng.choice([1, 2, 5]))).encode())
        for _ in range(rng.choice([0, 1, 2])):
            at = rng.randrange(len(text))
            text[at:at] = rng.choice(
                [b"\r", b"\n", b"\0", b"\x7f", b"\\", b" ", b'"', b"[", b"-", b"\xe9", b"a" * 100_000]
            )
        _compare(bytes(text) + rng.choice(ENDS).encode())


def test_times_of_one_hour_and_of_another() -> None:
    stamps = ["29/Feb/2024:13:06:56 +0100", "29/Feb/2024:13:59:59 +0100", "29/Feb/2024:13:60:00 +0100"]
    stamps += ["29/Feb/2024:13:06-56 +0100", "29/Feb/2024:13:0a:56 +0100", "29/Feb/2024:13:06:56 -0100"]
    stamps += ["29/Feb/2024:14:06:56 +0100", "28/Feb/2024:13:06:56 +0100", "30/Feb/2024:13:00:00 +0100"]
    rng = random.Random(10)
    _compare("\n".join(PLAIN.replace(stamps[0], stamp) for stamp in rng.choices(stamps, k=500)).encode())


def test_addresses_and_names() -> None:
    hosts = [
        "1.2.3.4",
        "255.255.255.255",
        "0.0.0.0",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.04",
        "1..2.3",
        "1.2.3.4.",
    ]
    hosts += [".1.2.3.4", "1.2.3.1234567890123456789", "a.b.c.d", "1.2.3.x", "::ffff:1.2.3.4", "1.2.3.4:80", "a:b", "x"]
    _compare("\n".join(PLAIN.replace("192.0.2.7", host) for host in hosts).encode())


def test_plain_lines_go_the_fast_way_and_the_others_one_by_one_after_them() -> None:
    odd = PLAIN.replace("/a", "/\\x41")
    data = "\r\n".join([odd, PLAIN, "", LINES[1], "x", LINES[2]]).encode()
    fast, slow = parse_block(Block(7, data), _clock())
    assert isinstance(fast.records, Records)
    assert list(fast.records) == [PLAIN.encode()]
    assert fast.events["source_line"].to_pylist() == [8]
    assert slow.events["source_line"].to_pylist() == [7, 10, 12]
    assert ([r.line for r in slow.rejects], slow.skips) == ([11], {"blank line": 1})


def test_it_says_what_a_regular_expression_says() -> None:
    lines = [
        line
        for line in _made(random.Random(8), 12_000).replace(b"\r", b"").decode().splitlines()
        if NAIVE.fullmatch(line)
    ]
    lines = [line for line in lines if "[::1]:80" not in line and "\\" not in line and "[x" not in line]
    assert len(lines) > 100
    parts = list(parse_block(Block(1, "\n".join(lines).encode()), _clock()))
    for row in _rows(parts):
        said = NAIVE.fullmatch(lines[row["source_line"] - 1])
        assert said
        _, _, user, stamp, method, url, _, status, size, _, agent = said.groups()
        assert (row["http_request_method"], row["url_original"]) == (method, url)
        assert row["http_response_status_code"] == int(status)
        assert row.get("destination_bytes") == (None if size == "-" else int(size))
        assert row.get("user_agent_original") == (None if agent in (None, "-", "") else agent)
        assert row.get("user_name") == (None if user == "-" else user)
        assert row["time"] == datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z")
    assert sum(part.count for part in parts) == len(lines)
