"""Zeek's JSON: whole blocks of lines are read as the careful way reads every line, and lose none."""

from __future__ import annotations

import os
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zeek_oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from zeek_oracle import ADDRESSES, BytesSource

from socml.formats._reader import Block, Parsed, ReadOptions
from socml.formats._select_lines import Records
from socml.formats.network.zeek_json import ZeekJson
from socml.ingestion.sources import FileSource
from socml.project.recipe_sections import Truth

SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def _read(blocks: list[bytes], select_from: int, name: str, options: ReadOptions) -> list[Parsed]:
    source: Any = BytesSource(name, blocks)
    return list(ZeekJson().read(source, replace(options, select_from=select_from)))


def _compare(*blocks: bytes, name: str = "conn.log", options: ReadOptions = ReadOptions()) -> int:  # noqa: B008
    """Compare both ways; return how many lines went the fast way."""
    slow, fast = _read(list(blocks), 1 << 40, name, options), _read(list(blocks), 0, name, options)
    for part in fast:
        part.events.validate(full=True)
        assert [r.decode("utf-8", "backslashreplace") for r in part.records] == part.events["raw"].to_pylist()
    assert _rows(fast) == _rows(slow)
    rejects = [sorted((r for part in parts for r in part.rejects), key=lambda r: r.line) for parts in (fast, slow)]
    assert rejects[0] == rejects[1]
    skips = [sum(sum(part.skips.values()) for part in parts) for parts in (fast, slow)]
    assert skips[0] == skips[1]
    lines = [line for number, block in enumerate(blocks) for line in Block(number, block).lines()]
    assert sum(part.count for part in fast) == len(lines)
    return sum(len(part.events) for part in fast if isinstance(part.records, Records))


def _rows(parts: list[Parsed]) -> list[dict[str, Any]]:
    rows = []
    for part in parts:
        truths = [{}] * len(part.events) if part.truth is None else part.truth.to_pylist()
        for row, truth in zip(part.events.to_pylist(), truths, strict=True):
            row["extra"] = dict(row["extra"])
            rows.append(
                {k: v for k, v in {**row, **{f"truth_{k}": v for k, v in truth.items()}}.items() if v is not None}
            )
    return sorted(rows, key=lambda row: row["source_line"])


LOGS = {
    **zeek_oracle.LOGS,
    "files": "ts fuid tx_hosts rx_hosts source filename duration seen_bytes sha256 md5",
    "notice": f"{zeek_oracle.LOGS['notice']} suppress_for",
    "dhcp": "ts uids client_addr server_addr host_name duration msg_types",
    "unheard_of": f"ts uid {ADDRESSES} answers what when.and_why what.else",
}
SECONDS = [
    "1655071198.444458",
    "1655071198.0",
    "1655071198",
    "0.000001",
    "4102444799.999999",
    "1655071198.4444585",
    "1e9",
    "1.5E+9",
]
STAMPS = [f'"2018-03-24T17:15:20{rest}"' for rest in (".600725Z", "Z", ".600725+02:00", "", ".000001-1130", "+00:00")]
PLAIN = {
    "port": ["0", "443", "65535"],
    "count": ["0", "17", "2147483647", "999999999999999999"],
    "interval": ["0.012166976928710938", "9.5367431640625e-7", "1.135424", "12", "3600.0", "0.00001", "1.50", "60.0"],
    "status_code": ["200", "404"],
    "set": ['["192.0.2.7","www.example.net"]', "[]", '["a"]', "[60.0,0.012166976928710938,61]", '[""]', '["",""]', '["a\\"b\\/c"]'],
}  # fmt: skip
TEXTS = [
    '""', '"-"', '"(empty)"', '"T"', '"tcp"', '"UDP"', '"a,b"', '"NOERROR"', '"SF"', '"S0"', '"É"', '"漢字 😀"', '"a\\\\x09b"', '"\\"q\\""',
    '"x\\/y"', '"\\n\\t\\\\"', '"%s"' % ("x" * 300), '"1"', '"1.5"', "true", "false", "null", "1", "2.5", "0.00012345678901234567", "{}",
    '"10.0.0.1"', '"--"', '" "', '"\\\\"', '"\x7f"',
]  # fmt: skip
ODD = [
    '"x"', '""', "65536", "-1", "-0", "-0.0", "80.0", "2147483648", "9223372036854775807", "9223372036854775808", "1e400", "1e-400",
    "1E5", "1e99", "12345678901234567890123.5", "0.1000000000000000055511151231257827", "4102444800", "4102444799.9999999", "1.", ".5",
    "01", "+1", "nan", "NaN", "Infinity", '"nan"', '"inf"', '"XXXXXXXXXX.XXXXXX"', '"\\u001f"', '"\\u00e9"', '"\\ud800"', '"\x1f"',
    '["\\u001f"]', '["a",null,true,2.50,{"k.l":[1,"é"]},[]]', '[{"a":1,"a":2}]', '[["a"],["b"]]', '{"a":{"b":[]},"c.d":1}', '{"":1}',
    '"1969-12-31T23:59:59Z"', '"2018-03-24 17:15:20"', '"2018-02-30T00:00:00Z"', '"2018-03-24"', '"T"', " 1", "[1, 2]", "[1,]", '"a', "",
    "123456789012345678901234567890", "0.30000000000000004", '"soon"', "[1e400]", "[0.1,9.5e-7]", "1e-7", "tru", "1e5x", "--1", "1e+", "1.5e",
]  # fmt: skip
COLUMNS = {
    "id.orig_p": "port",
    "id.resp_p": "port",
    "p": "port",
    "duration": "interval",
    "rtt": "interval",
    "suppress_for": "interval",
}
COLUMNS |= dict.fromkeys(("orig_bytes", "resp_bytes", "orig_pkts", "resp_pkts", "seen_bytes"), "count")
COLUMNS |= dict.fromkeys(
    ("answers", "TTLs", "tags", "actions", "tx_hosts", "rx_hosts", "cert_chain_fuids", "uids"), "set"
)
LABELS = ['"Benign"', '"malicious"', '"Malicious "', '"-"', '"(empty)"', '"x"', '""', "null", "true"]


def _value(rng: random.Random, name: str, odd: float, times: list[str]) -> str:
    if rng.random() < odd:
        return rng.choice(ODD)
    if name == "ts":
        return rng.choice(times)
    if name in ("label", "detailedlabel", "detailed-label"):
        return rng.choice(LABELS)
    return rng.choice(PLAIN.get(COLUMNS.get(name, name), TEXTS))


def _object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"


def _nested(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    inside = [(name.removeprefix("id."), value) for name, value in pairs if name.startswith("id.")]
    rest = [(name, value) for name, value in pairs if not name.startswith("id.")]
    return [*rest[:2], ("id", _object(inside)), *rest[2:]]


def _line(rng: random.Random, log: str, names: list[str], odd: float, times: list[str], *, streaming: bool) -> str:
    pairs = [(name, _value(rng, name, odd, times)) for name in names if rng.random() > 0.15]
    if rng.random() < odd:
        pairs += rng.choice(
            [
                [("x", "1")],
                [("é", "1")],
                [('q\\"', '"a"')],
                [("id.orig_h", '"::1"')],
                [("a" * 200, "2")],
                [("id", "{}")],
            ]
        )
    if rng.random() < odd:
        rng.shuffle(pairs)
    if rng.random() < (0.1 if odd else 0.0):
        pairs = _nested(pairs)
    if streaming:
        path = (
            f'"{log}"'
            if rng.random() >= odd
            else rng.choice(["null", '""', "5", '"a.b"', '"\\u0063onn"', "{}", "[]", "true", '"É"', '{"x":1}'])
        )
        pairs.insert(0 if rng.random() < 0.8 else len(pairs), ("_path", path))
    text = _object(pairs)
    if rng.random() < odd / 4:
        text = rng.choice(
            [
                "",
                " ",
                "\0",
                "\r",
                "[1]",
                "{}",
                '{},"a":1}',
                "{",
                "x",
                text[:-1],
                text + text,
                text.replace(",", ", "),
                " " + text,
                text[: len(text) // 2],
            ]
        )
    return text + (rng.choice(["\r", "\0", " ", "\0\r\0"]) if rng.random() < odd / 4 else "")


def _made(rng: random.Random, logs: list[str], *, lines: int, odd: float = 0.0, streaming: bool = False) -> bytes:
    names = {log: LOGS[log].split() for log in logs}
    if rng.random() < 0.3:
        more = rng.choice([["label"], ["label", "detailedlabel"], ["label", "detailed-label"]])
        names = {log: [*known, *more] for log, known in names.items()}
    times = rng.choice([SECONDS, SECONDS, STAMPS, SECONDS[:3], SECONDS + STAMPS if odd else SECONDS])
    made = []
    for _ in range(lines):
        log = rng.choice(logs)
        made.append(_line(rng, log, names[log], odd, times, streaming=streaming))
    return "\n".join([*made, ""]).encode()


def test_plain_lines_go_the_fast_way_in_every_log() -> None:
    rng = random.Random(3)
    for log in LOGS:
        _compare(_made(rng, [log], lines=300), name=f"{log}.log")
    _compare(_made(rng, list(LOGS), lines=1000, streaming=True))


def test_lines_as_zeek_writes_them_go_the_fast_way() -> None:
    line = '{"ts":1655071198.5%d,"uid":"C%d","id.orig_h":"10.0.0.1","id.orig_p":%d,"duration":0.25,"local_orig":true,"tags":["a"]}'
    lines = [line % (i % 9 + 1, i, i) for i in range(3000)]
    assert _compare("\n".join(lines).encode()) == 3000
    nested = [one.replace('"id.orig_h":"10.0.0.1","id.orig_p":', '"id":{"orig_h":"10.0.0.1"},"port":') for one in lines]
    assert _compare("\n".join(nested).encode()) == 3000


@pytest.mark.parametrize("number", ["0.00001907", "-0.00009107589721679688", "0.000001", "123456789012345.5", "0.0"])
def test_decimals_and_texts_that_look_like_exponents_go_the_fast_way(number: str) -> None:
    line = f'{{"ts":1664462456.5,"uid":"CH9e1m1LQ6","id.orig_h":"192.0.2.1","duration":{number},"x":{number}}}\n'
    assert _compare(line.encode() * 3) == 3


def test_numbers_that_are_written_otherwise_go_the_fast_way_and_are_written_as_python_does() -> None:
    usual = b'{"ts":1664462456.5,"id.orig_h":"192.0.2.1","x":1.5}\n'
    for number in (b"10e0", b"1.0E1", b"1.5e-06", b"0.0000001", b"2.50", b"0.1000000000000000055511151231257827"):
        assert _compare(usual + usual.replace(b"1.5}", number + b"}") + usual) == 3


@pytest.mark.parametrize(
    "number", ["01", "-0", "1.", ".5", "+1", "1e400", "nan", "0x1", "1 ", "--1", "1.5.2", "\u0661", "9" * 101]
)
def test_what_is_no_number_or_an_odd_one_goes_the_careful_way(number: str) -> None:
    usual = '{"ts":1664462456.5,"id.orig_h":"192.0.2.1","x":1.5}\n'
    assert _compare((usual + usual.replace("1.5}", number + "}") + usual).encode()) == 2


@pytest.mark.parametrize(
    "value",
    [
        "[1]2",
        "[1][2]",
        '[1]"x"',
        '"x"5',
        '"x":"y"',
        '"x""y"',
        "5[1]",
        "5{}",
        "{}5",
        "[1",
        "1]",
        "[[1]",
        '["]"',
        "{",
        "}",
        "[01]",
        "",
        ",",
    ],
)
def test_values_that_are_not_one_go_the_careful_way(value: str) -> None:
    usual = '{"ts":1664462456.5,"x":[1],"y":"","z":{"w":true}}\n'
    for old in ("[1]", '""', "true"):
        assert _compare((usual + usual.replace(old, value) + usual).encode()) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**9),
    st.lists(st.sampled_from(list(LOGS)), min_size=1, max_size=4, unique=True),
    st.sampled_from([0.0, 0.003, 0.05, 0.3]),
    st.booleans(),
)
def test_made_lines_of_every_kind_are_read_as_the_careful_way_reads_them(
    seed: int, logs: list[str], odd: float, streaming: bool
) -> None:
    rng = random.Random(seed)
    blocks = [
        _made(rng, logs, lines=rng.randint(1, 40), odd=odd, streaming=streaming) for _ in range(rng.randint(1, 3))
    ]
    if rng.random() < 0.3:
        blocks[-1] = blocks[-1].rstrip(b"\n") or b"{"
    _compare(*blocks, name=rng.choice(["conn.log", "dns.1.log.gz", "x"]))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_and_so_are_lines_that_were_damaged_or_cut_anywhere(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 10**6)))
    text = bytearray(
        _made(rng, rng.sample(list(LOGS), 2), lines=8, odd=rng.choice([0, 0.02]), streaming=rng.random() < 0.5)
    )
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from(b'"\\{}[],:.0123456789eE+-tfn \r\n\0\x1f')))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=2)):
        del text[at : at + data.draw(st.integers(1, 3))]
    _compare(bytes(text[: data.draw(st.integers(1, len(text)))]))


def test_every_odd_value_stands_alone_in_every_column() -> None:
    plain = '{"ts":1655071198.5,"id.orig_p":1,"duration":0.5,"orig_bytes":7,"conn_state":"SF","answers":["a"],"x":"y"}'
    for name in ("ts", "id.orig_p", "duration", "orig_bytes", "conn_state", "answers", "x", "_path", "label"):
        for odd in [*ODD, *STAMPS, *TEXTS, *SECONDS]:
            line = re.sub(rf'"{re.escape(name)}":("[^"]*"|\[.*?\]|[0-9.]+)', lambda _: f'"{name}":{odd}', plain)  # noqa: B023
            line = line if line != plain else plain[:-1] + f',"{name}":{odd}}}'
            _compare(f"{plain}\n{plain}\n{line}\n{plain}\n".encode())
            _compare(f"{line}\n".encode())


def test_the_order_of_names_is_that_of_all_lines_odd_ones_among_them() -> None:
    lines = [
        '{"ts":1.0,"b":"1"}',
        '{"ts":1.0, "c":"1","a":"2"}',
        '{"ts":1.0,"a":"1","c":"2","b":"3"}',
        '{"z":null,"ts":2.0}',
    ]
    for rotated in range(4):
        _compare("\n".join(lines[rotated:] + lines[:rotated] + lines[2:]).encode())


def test_lists_are_written_as_the_careful_way_writes_them() -> None:
    lists = [
        *PLAIN["set"],
        *(odd for odd in ODD if odd.startswith("[")),
        "[0.5,-1,2.50]",
        '["a",[]]',
        '[{"a":"]"}]',
        '["]",","]',
    ]
    rng = random.Random(7)
    for name in ("answers", "tags"):
        for others in (lists, ['["a"]', '["",""]', '["b","c"]', "[]"]):
            lines = [f'{{"_path":"dns","ts":1.0,"{name}":{rng.choice(others)}}}' for _ in range(300)]
            _compare("\n".join(lines).encode())
            for i in range(298):
                _compare("\n".join(lines[i : i + 3]).encode())


def test_one_name_in_two_ways_of_writing_it() -> None:
    dotted, nested = '{"ts":1.0,"id.orig_h":"a","id.orig_p":1}', '{"ts":1.0,"id":{"orig_h":"b","orig_p":2}}'
    both = '{"ts":1.0,"id.orig_h":"a","id":{"orig_h":"b"},"id.orig_p":3}'
    _compare(f"{dotted}\n{nested}\n{dotted}\n{nested}\n".encode())
    _compare(f"{dotted}\n{both}\n{nested}\n{both}\n".encode(), f"{both}\n{nested}\n{nested}\n".encode())
    twice = dotted[:-1] + ',"id.orig_h":"c"}'
    _compare(f"{dotted}\n{twice}\n{nested}\n".encode())


def test_lines_without_an_end_blank_lines_and_bytes_that_are_not_text() -> None:
    text = _made(random.Random(5), ["http"], lines=50)
    _compare(text.rstrip(b"\n"))
    _compare(text[:-10])
    _compare(text.replace(b"\n", b"\n\n"))
    _compare(text.replace(b"\n", b"\r\n"))
    _compare(b"\0\0" + text + b"\0\0\0")
    at = text.index(b'"uid":') + 7
    for odd in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\r"):
        _compare(text[:at] + odd + text[at:])


def test_more_names_than_are_told_apart_or_lines_with_few_of_many_names() -> None:
    _compare("\n".join(f'{{"ts":1.0,"name{i}":{{"under{i}":{i}}}}}' for i in range(3000)).encode())
    _compare("\n".join(f'{{"ts":1.0,"name{i % 40}":1}}' for i in range(2000)).encode())
    names = ",".join(f'"n{i}":{i}' for i in range(5000))
    plain = '{"ts":1.0,"a":1,"b":2}\n' * 50
    _compare(f"{plain}{{{names}}}\n".encode(), f'{plain}{{"ts":1.0,"c":3}}\n'.encode())
    wide = ",".join(f'"n{i}":"{"x" * 200}"' for i in range(5000))
    _compare(f"{plain}{{{wide}}}\n".encode(), f'{plain}{{"ts":1.0,"c":3}}\n'.encode())


def test_blocks_of_any_size_are_read_after_one_another() -> None:
    rng = random.Random(6)
    blocks = [_made(rng, ["conn", "dns"], lines=lines, streaming=True) for lines in (3, 900, 1, 50, 2000)]
    _compare(*blocks)


def test_labels_are_judged_by_the_recipe_in_the_same_way() -> None:
    lines = "".join(
        f'{{"ts":1.0,"uid":"C{i}","label":{a},"detailedlabel":{b}}}\n'
        for i in range(3)
        for a in [*LABELS, '"\\u001f"']
        for b in LABELS
    )
    rules = Truth(column="label", family_column="uid", malicious=["x"], benign=["(empty)"], techniques={"C1": "T1000"})
    strict = Truth(column="label", malicious=["\x1f"], benign=[""])
    for options in (ReadOptions(), ReadOptions(truth=rules), ReadOptions(truth=strict)):
        _compare(lines.encode(), options=options)


@cache
def _real_logs() -> dict[Path, list[bytes]]:
    found = {}
    for path in sorted(path for folder in ("datasets", "samples") for path in (SHARED / folder).rglob("*")):
        if path.is_file() and {".log", ".json", ".ndjson", ".raw"}.intersection(path.suffixes):
            source = FileSource(path, path.name)
            if ZeekJson().sniff(source.head(), path.name) > 0.5:
                found[path] = [block.data for block in source.blocks()]
    return found


def test_real_logs_are_read_as_the_careful_way_reads_them() -> None:
    if not _real_logs():
        pytest.skip(f"no Zeek logs in JSON at {SHARED}")
    for path, blocks in _real_logs().items():
        _compare(*blocks, name=path.name)
    _compare(
        b"".join(block[: block.rfind(b"\n", 0, 100_000) + 1] for blocks in _real_logs().values() for block in blocks)
    )
