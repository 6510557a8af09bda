"""Suricata's EVE: whole blocks of lines are read as the careful way reads every line, and lose none."""

from __future__ import annotations

import gzip
import json
import os
import random
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._select_lines import Lines
from socml.formats.network import _eve_blocks, _json_shapes
from socml.formats.network._eve_blocks import parse_block
from socml.formats.network.suricata_eve import _event

SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[2] / "shared")
CASES = tomllib.loads((Path(__file__).parent / "formats" / "suricata-eve.toml").read_text(encoding="utf-8"))["case"]


def _rows(parts: Iterable[Parsed]) -> list[dict[str, Any]]:
    rows = [row for part in parts for row in part.events.to_pylist()]
    for row in rows:
        row["extra"] = dict(row["extra"])
    return sorted(({k: v for k, v in row.items() if v is not None} for row in rows), key=lambda r: r["source_line"])


def _skips(parts: Iterable[Parsed]) -> dict[str, int]:
    skips: dict[str, int] = {}
    for part in parts:
        for reason, count in part.skips.items():
            skips[reason] = skips.get(reason, 0) + count
    return skips


def _compare(data: bytes) -> int:
    """Compare both ways; return how many lines went the fast way."""
    lines = Block(1, data).lines() if data else []
    slow = list(batches(enumerate(lines, 1), _event))
    one_by_one: list[bytes] = []

    def careful(line: bytes) -> dict[str, Any]:
        one_by_one.append(line)
        return _event(line)

    fast = list(parse_block(Block(1, data), careful)) if data else []
    said, expected = _rows(fast), _rows(slow)
    for one, other in zip(said, expected, strict=False):
        assert one == other
    assert len(said) == len(expected)
    for part in fast:
        assert [r.decode("utf-8", "backslashreplace") for r in part.records] == part.events["raw"].to_pylist()
        part.events.validate(full=True)
    rejects = sorted((r for part in fast for r in part.rejects), key=lambda r: r.line)
    assert rejects == sorted((r for part in slow for r in part.rejects), key=lambda r: r.line)
    assert _skips(fast) == _skips(slow)
    assert sum(part.count for part in fast) == len(lines)
    return sum(bool(line.strip()) for line in lines) - len(one_by_one)


@cache
def _case_lines() -> list[bytes]:
    found = [line for case in CASES if "lines" in case for line in case["lines"].encode().split(b"\n")]
    return [line for line in found if line.startswith(b"{")]


@cache
def _real_lines() -> list[bytes]:
    files = [
        *sorted((SHARED / "samples" / "suricata").rglob("*")),
        *sorted((SHARED / "datasets" / "suricata-eve").glob("*.gz")),
    ]
    found: list[bytes] = []
    for path in files:
        if path.is_file():
            data = path.read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
            found += [line for line in data.split(b"\n") if b'"event_type"' in line]
    return found


def test_every_real_line_is_read_as_the_careful_way_reads_it() -> None:
    if not _real_lines():
        pytest.skip(f"no Suricata files at {SHARED}")
    _compare(b"\n".join(_real_lines()))


def test_the_lines_of_the_cases_are_read_as_the_careful_way_reads_them() -> None:
    _compare(b"\n".join(_case_lines()) + b"\n")


WORDS = [
    "",
    "a",
    "é",
    "漢字",
    "x/y",
    'q"',
    "\\",
    "\n\t",
    "😀",
    "Bearer=",
    "NOERROR",
    "answer",
    "response",
    "T1071",
    "::1",
    "\x7f",
]
NUMBERS = [0, 1, 2, 3, 4, 5, 404, 65535, 65536, -1, 2**31, 2**63 - 1, 2**63, 2**64, 10**17, 10**18, 10**19, -(10**18)]
DECIMALS = [0.5, 1.0, -0.0, 1e-4, 1e-5, 1e16, 123456789.25, 0.1, 1.5e300, 0.0001234, 100.0, -2.5]
STAMPS = [
    "2021-06-06T15:59:46.457984+0200", "2021-06-06T15:59:46.457984+02:00", "2021-06-06T15:59:46Z", "2021-06-06T15:59:46",
    "2021-02-29T00:00:00.000000+0000", "2024-02-29T23:59:59.999999-1130", "1969-12-31T23:59:59+0000", "2021-06-06 15:59:46",
    "2000-02-29T12:00:00.000001+2359", "2021-06-06T24:00:00+0000", "2021-06-06T15:59:60+0000", "2021-06-06T15:59:46.4+0000",
    "2021-06-06T15:59:46.457984+0260", "soon", "2100-01-01T00:00:00+0000", "1970-01-01T00:00:00+0100",
]  # fmt: skip
TYPES = [
    "flow",
    "alert",
    "drop",
    "dns",
    "http",
    "krb5",
    "stats",
    "fileinfo",
    "smb",
    "netflow",
    "ikev2",
    "a.b",
    "",
    None,
    5,
    ["dns"],
]
FIELDS = [
    "timestamp", "event_type", "src_ip", "dest_ip", "src_port", "dest_port", "proto", "app_proto", "host", "community_id",
    "alert.action", "alert.signature", "alert.signature_id", "alert.severity", "alert.metadata.mitre_technique_id", "anomaly.event",
    "http.http_method", "http.url", "http.status", "tls.sni", "tls.ja3.hash", "fileinfo.filename", "smb.filename",
    "fileinfo.sha256", "fileinfo.md5", "krb5.cname", "krb5.error_code", "flow.state", "flow.bytes_toserver",
    "flow.pkts_toclient", "flow.start", "flow.end", "dns.type", "dns.rrname", "dns.rrtype", "dns.rcode", "dns.rdata",
    "dns.answers", "dns.query", "dns.queries", "new", "flow.new.deep", "vars",
]  # fmt: skip


def _value(rng: random.Random, field: str, depth: int = 0) -> Any:  # noqa: C901, PLR0911  one case a line
    if field in ("timestamp", "flow.start", "flow.end") and rng.random() < 0.9:
        return rng.choice(STAMPS[: rng.choice([3, 16])])
    if field == "event_type" and rng.random() < 0.95:
        return rng.choice(TYPES[: rng.choice([10, len(TYPES)])])
    if (field.endswith(("port", "status", "severity")) or "_to" in field) and rng.random() < 0.8:
        return rng.choice(NUMBERS[: rng.choice([7, len(NUMBERS)])])
    if field in ("dns.answers", "dns.query", "dns.queries") and rng.random() < 0.8:
        keys = ["rrname", "rrtype", "rdata", "ttl"]
        return [{k: _value(rng, "", 2) for k in rng.sample(keys, rng.randint(1, 4))} for _ in range(rng.randint(0, 3))]
    kind = rng.random()
    if field == "alert.action" and kind < 0.8:
        return "blocked" if kind < 0.4 else "allowed"
    if kind < 0.5:
        return rng.choice(WORDS)
    if kind < 0.7:
        return rng.choice(NUMBERS)
    if kind < 0.8:
        return rng.choice(DECIMALS)
    if kind < 0.9 or depth > 2:
        return rng.choice([True, False, None, [], {}, [[]], [{}], {"a": {}}])
    if kind < 0.95:
        return [_value(rng, "", depth + 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(["k", "l", "k.l", "é", "", "m n"]): _value(rng, "", depth + 1) for _ in range(rng.randint(0, 3))}


def _record(rng: random.Random) -> dict[str, Any]:
    record: dict[str, Any] = {}
    wanted = rng.sample(FIELDS, rng.randint(1, rng.choice([4, 8, len(FIELDS)])))
    for field in wanted + [f for f in ("timestamp", "event_type") if f not in wanted and rng.random() < 0.95]:
        *path, last = field.split(".")
        under = record
        for key in path:
            below = under.setdefault(key, {})
            under = below if isinstance(below, dict) else under.setdefault(f"{key}2", {})
        under[last] = _value(rng, field)
    return record


def _line(rng: random.Random) -> bytes:
    spaced = rng.random() < 0.05
    text = json.dumps(_record(rng), ensure_ascii=rng.random() < 0.1, separators=(", ", ": ") if spaced else (",", ":"))
    if rng.random() < 0.2:
        text = text.replace("/", "\\/")
    if rng.random() < 0.03:
        text = text.replace('"k"', '"l"').replace('"src_port"', '"dest_port"')
    return text.encode() + rng.choice([b"", b"", b"", b"", b"\r", b"\0", b" "])


def test_made_lines_of_every_kind_are_read_as_the_careful_way_reads_them() -> None:
    rng = random.Random(11)
    data = b"\n".join(_line(rng) for _ in range(20_000))
    fast = _compare(data)
    assert 500 < fast < 20_000


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_and_so_are_lines_that_were_damaged_or_cut_anywhere(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 10**6)))
    known = _real_lines() + _case_lines()
    text = bytearray(b"\n".join(rng.choice(known) if rng.random() < 0.6 else _line(rng) for _ in range(5)))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from(b'"\\{}[],:.0123456789eE+-tfn \r\n\0')))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=2)):
        del text[at : at + data.draw(st.integers(1, 3))]
    _compare(bytes(text[: data.draw(st.integers(1, max(len(text), 1)))]))


def test_a_file_with_more_names_than_are_told_apart_is_read_all_the_same() -> None:
    stamp = '"timestamp":"2021-06-06T15:59:46.457984+0200","event_type":"http"'
    _compare("\n".join(f'{{{stamp},"name{i}":{{"under{i}":{i}}}}}' for i in range(6000)).encode())


def test_a_block_of_more_lines_than_are_read_at_once_loses_none() -> None:
    lines = [f'{{"event_type":"x{i % 7}","n":{i}}}' if i % 1000 else "" for i in range(70_000)]
    assert _compare("\n".join(lines).encode()) == 69_930


def test_lines_of_many_different_fields_are_held_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    monkeypatch.setattr(_json_shapes, "_MOST_CELLS", 100)
    monkeypatch.setattr(_eve_blocks, "plain_lines", _counting(held))
    lines = [f'{{"event_type":"new","n{i % 30}":{i}}}' for i in range(300)]
    assert _compare("\n".join(lines).encode()) == 300
    assert sum(held) > 300
    assert max(held) <= 100


def _counting(held: list[int]) -> Callable[[Lines, str], Iterator[_json_shapes.JsonLines]]:
    def counted(lines: Lines, by: str) -> Iterator[_json_shapes.JsonLines]:
        for found in _json_shapes.plain_lines(lines, by):
            held.append(len(found.rows) * len(found.columns))
            yield found

    return counted


def test_plain_lines_go_the_fast_way() -> None:
    stamp = '"timestamp":"2021-06-06T15:59:46.457984+0200"'
    lines = [
        f'{{{stamp},"event_type":"{kind}","src_ip":"::1","x":{{"y":[1,"a\\/b"]}}}}' for kind in ("flow", "dns", "new")
    ]
    assert _compare("\n".join(lines).encode()) == 3


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)),
    st.integers(-959, 959).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.booleans(),
)
def test_a_time_of_any_year_and_zone_is_read_and_written_as_python_does(
    when: datetime, zone: timezone, is_whole: bool
) -> None:
    stamp = when.replace(tzinfo=zone, microsecond=0 if is_whole else when.microsecond).isoformat()
    line = f'{{"timestamp":"{stamp}","event_type":"flow","flow":{{"start":"{stamp}","end":"{stamp}"}}}}'
    assert _compare(line.encode()) == 1


def test_lines_that_begin_with_an_empty_object_are_not_read_beyond_it() -> None:
    lines = [b"{}", b'{},"a":1}', b'{},{"a":1}}', b"{}}", b"{}]", b"{},1", b'{"a":{}}', b'{"a":[{}]}']
    _compare(b"\n".join(lines * 20))
