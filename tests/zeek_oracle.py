"""Made-up Zeek logs, and what says that the fast way over blocks and the careful way, line by line, agree."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from socml.formats._reader import Block, Parsed, ReadOptions, truth_table
from socml.formats.network._zeek_cells import CellFields
from socml.formats.network.zeek_tsv import ZeekTsv
from socml.project.errors import FormatError

ADDRESSES = "id.orig_h id.orig_p id.resp_h id.resp_p"
LOGS = {
    "conn": f"ts uid {ADDRESSES} proto service duration orig_bytes resp_bytes conn_state local_orig missed_bytes history "
    "orig_pkts resp_pkts tunnel_parents",
    "dns": f"ts uid {ADDRESSES} proto trans_id rtt query qtype_name rcode_name AA answers TTLs rejected",
    "http": f"ts uid {ADDRESSES} trans_depth method host uri user_agent status_code username tags md5 sha1",
    "ssl": f"ts uid {ADDRESSES} version cipher server_name resumed established ja3 cert_chain_fuids",
    "files": "ts fuid tx_hosts rx_hosts source filename duration sha256 md5",
    "notice": f"ts uid {ADDRESSES} proto note msg src dst p actions",
    "unheard_of": f"ts uid {ADDRESSES} what when and_why what",
}
PLAIN = {
    "ts": ["1655071198.444458", "0.000001", "1655071198", "-", "4102444799.999999", "1655071198.4444585"],
    "port": ["0", "443", "65535", "-", "00080"],
    "count": ["0", "17", "-", "2147483647", "999999999999999999"],
    "interval": ["0.000000", "1.135424", "-", "12", "3600.5"],
    "conn_state": ["SF", "S0", "OTH", "-", "REJ"],
    "status_code": ["200", "404", "-"],
    "answers": ["192.0.2.7,www.example.net", "(empty)", "-", "a", ""],
}
TEXTS = [
    "", "-", "(empty)", "T", "F", "tcp", "UDP", "a,b", "NOERROR", "É", "漢字 😀", "\\x09", '"', "x" * 300, "--", "(empty),-", " ",
]  # fmt: skip
LABELS = ["Benign", "malicious", "Malicious ", "-", "(empty)", "x", ""]
ODD = [
    "x", "65536", "2147483648", "9223372036854775807", "9223372036854775808", "-1", "+1", "1.", ".5", ".", "1..2", "1e3", "", " 1",
    "nan", "inf", "-inf", "1e400", "4102444800", "XXXXXXXXXX.XXXXXX", "1655071198.4444584589", "0" * 30, "99999999999999999", "1_0", "١",
]  # fmt: skip
TOGETHER = ["2018-03-24T17:15:20.600725Z", "0x10", "2018-03-24"]  # what else is in the column decides if they are read
COLUMNS = {"id.orig_p": "port", "id.resp_p": "port", "p": "port", "duration": "interval", "rtt": "interval"}
COLUMNS |= dict.fromkeys(("orig_bytes", "resp_bytes", "orig_pkts", "resp_pkts"), "count")


class BytesSource:
    """A source in memory, in blocks."""

    def __init__(self, name: str, blocks: list[bytes]) -> None:
        self.name, self.path, self._blocks = name, Path(name), blocks

    def blocks(self) -> Iterator[Block]:
        line = 1
        for block in self._blocks:
            yield Block(line, block)
            line += block.count(b"\n")


def read(blocks: list[bytes], worth_it: int, name: str, options: ReadOptions) -> tuple[list[Parsed], int]:
    """Return what is read, and how many events went the fast way, if more than `worth_it` bytes do."""
    rows = 0
    made = CellFields.__init__

    def counted(self: CellFields, *args: Any, **kwargs: Any) -> None:
        nonlocal rows
        made(self, *args, **kwargs)
        rows += self.rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CellFields, "__init__", counted)
        return list(ZeekTsv().read(BytesSource(name, blocks), replace(options, select_from=worth_it))), rows  # type: ignore[arg-type]


def refusal(blocks: list[bytes], worth_it: int) -> str:
    """Return why it is no Zeek log; nothing if it is one."""
    try:
        read(blocks, worth_it, "conn.log", ReadOptions())
    except FormatError as error:
        return str(error)
    return ""


def _by_line(parts: list[Parsed], tables: list[pa.Table]) -> pa.Table:
    """Return the tables of all parts as one, in the order of their lines, and of their columns' names."""
    lines = np.concatenate([part.events["source_line"].to_numpy() for part in parts])
    whole = pa.concat_tables(tables, promote_options="default").take(pa.array(np.argsort(lines, kind="stable")))
    return whole.select(sorted(whole.column_names)).combine_chunks()


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return total


def compare(*blocks: bytes, name: str = "conn.log", options: ReadOptions = ReadOptions(), worth_it: int = 1) -> int:  # noqa: B008
    """Compare both ways; return how many lines went the fast way."""
    slow, none = read(list(blocks), 1 << 40, name, options)
    fast, count = read(list(blocks), worth_it, name, options)
    assert none == 0
    said, expected = ([part for part in parts if len(part.events)] for parts in (fast, slow))
    if said or expected:
        _same(_by_line(said, [part.events for part in said]), _by_line(expected, [part.events for part in expected]))
        no_truth = truth_table([], [])
        truths = [[no_truth if part.truth is None else part.truth for part in parts] for parts in (said, expected)]
        if all(part.truth is not None for part in [*said, *expected]):
            _same(_by_line(said, truths[0]), _by_line(expected, truths[1]))
        assert {part.truth is None for part in said} == {part.truth is None for part in expected}
        assert pa.concat_tables(truths[0]).sort_by("family").equals(pa.concat_tables(truths[1]).sort_by("family"))
    for part in fast:
        part.events.validate(full=True)
        assert [r.decode("utf-8", "backslashreplace") for r in part.records] == part.events["raw"].to_pylist()
    by_line = [
        sorted((r for part in parts for r in part.rejects), key=lambda reject: reject.line) for parts in (fast, slow)
    ]
    assert by_line[0] == by_line[1]
    assert _sum(p.skips for p in fast) == _sum(p.skips for p in slow)
    assert _masked(fast) == _masked(slow)
    assert sum(part.count for part in fast) == sum(len(Block(1, block).lines()) for block in blocks)
    return count


def _same(said: pa.Table, expected: pa.Table) -> None:
    assert said.schema == expected.schema
    for column in said.column_names:  # one after the other, for a message that can be read
        one, other = ([dict(v) if column == "extra" else v for v in t[column].to_pylist()] for t in (said, expected))
        assert one == other, column


def _masked(parts: list[Parsed]) -> int:
    found = [w for part in parts for w in part.warnings]
    return sum(int(w.split()[0].replace(",", "")) if "blanked" in w else 1_000_000 for w in found)


def header(log: str, names: list[str]) -> str:
    said = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{log}"]
    return "\n".join([*said, "\t".join(["#fields", *names])]) + "\n"


def _cell(rng: random.Random, name: str, odd: float, strange: list[str]) -> str:
    if rng.random() < odd:
        return rng.choice(strange)
    return rng.choice(PLAIN.get(COLUMNS.get(name, name), TEXTS))


def _line(rng: random.Random, names: list[str], odd: float, strange: list[str]) -> str:
    cells = [_cell(rng, name, odd, strange) for name in names]
    if rng.random() < odd / 5:
        cells = rng.choice([cells[:-1], [*cells, "x"], [], ["x"], cells[:2], ["", *cells[:-1]]])
    return "\t".join(cells)


def made_log(rng: random.Random, log: str, *, lines: int, odd: float = 0.0, strange: list[str] = ODD) -> str:
    names = LOGS[log].split()
    if rng.random() < 0.3:
        names += rng.choice([["label"], ["label", "detailedlabel"], ["tunnel_parents", "label", "detailed-label"]])
    return header(log, names) + "".join(_line(rng, names, odd, strange) + "\n" for _ in range(lines))
