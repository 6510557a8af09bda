"""Zeek's tab-separated logs: whole blocks are read as the careful way reads every line, and lose none."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zeek_oracle import LABELS, LOGS, ODD, TEXTS, TOGETHER, compare, header, made_log, refusal

from socml.formats._reader import ReadOptions
from socml.ingestion.sources import FileSource
from socml.project.recipe_sections import Truth

SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def test_plain_lines_go_the_fast_way_in_every_log() -> None:
    rng = random.Random(3)
    for log in LOGS:
        assert compare(made_log(rng, log, lines=300).encode()) > 250


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(list(LOGS)), st.sampled_from([0.0, 0.002, 0.05, 0.3]))
def test_made_lines_of_every_kind_are_read_as_the_careful_way_reads_them(seed: int, log: str, odd: float) -> None:
    rng = random.Random(seed)
    text = made_log(rng, log, lines=rng.randint(1, 40), odd=odd, strange=ODD + TOGETHER)
    compare(text.encode() + b"#close\t2024-01-01\n" * rng.randint(0, 1))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_and_so_are_lines_that_were_damaged_or_cut_anywhere(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 10**6)))
    text = bytearray("".join(made_log(rng, rng.choice(list(LOGS)), lines=6) for _ in range(2)).encode())
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        text[at] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from(b"\t\t\n\n\r\0#-.")))
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=2)):
        del text[at : at + data.draw(st.integers(1, 3))]
    end = text.rfind(b"\n", 0, data.draw(st.integers(1, len(text)))) + 1
    blocks = [bytes(block) for block in (text[:end], text[end:]) if block]
    reason = refusal(blocks, 1 << 40)
    assert refusal(blocks, 1) == reason
    if not reason:
        compare(*blocks)


def test_headers_that_change_blank_lines_and_lines_of_other_lengths_are_told_apart() -> None:
    rng = random.Random(5)
    one, other = made_log(rng, "conn", lines=100, odd=0.02), made_log(rng, "dns", lines=100)
    whole = f"{one}\n\n{other}#close\t2024\n{one}#close\t2024\n{one}short\tline\n\n"
    assert compare(whole.encode()) > 350
    assert compare(whole.encode(), one.encode(), other.encode(), worth_it=4096) > 500


def test_a_line_that_never_ended_is_read_too() -> None:
    text = made_log(random.Random(5), "conn", lines=100).encode()
    for cut in (1, 2, 30, 70):
        assert compare(text[:-cut]) >= 97


def test_other_separators_and_other_words_for_nothing() -> None:
    for separator, written in ((",", ","), ("|", "\\x7c"), ("ÿ", "\\xff"), ("->", "->")):
        for unset, empty in (("-", "(empty)"), ("", "-"), ("NULL", ""), ("é", "漢"), ("-", "-")):
            names = separator.join("ts uid id.orig_p service duration tunnel_parents conn_state".split())
            head = f"#separator {written}\n#unset_field{separator}{unset}\n#empty_field{separator}{empty}\n#path{separator}conn\n"
            cells = ["1655071198.444458", "C1", "80", unset, "0.5", empty, "SF"]
            rows = [
                separator.join([*cells[:at], word, *cells[at + 1 :]])
                for at in range(7)
                for word in (unset, empty, "x", "")
            ]
            text = f"{head}#fields{separator}{names}\n" + "\n".join([*rows, separator.join(cells)]) + "\n"
            compare(text.encode().replace("ÿ".encode(), b"\xff"))


def test_a_separator_that_is_part_of_a_character_or_a_line_end() -> None:
    for names in (b"ts", b"ts\tuid"):
        for separator in (b"\\xa9", b"\\x0a", b"\\x0d", b"\\x00"):
            head = b"#path\tweird\n#fields\t%b\n#separator %b\n" % (names, separator)
            assert compare(head, "é\n1\n".encode() * 50) == 0


def test_bytes_that_are_not_text_and_other_line_ends_go_the_careful_way() -> None:
    text = made_log(random.Random(7), "http", lines=50).encode()
    at = text.rindex(b"\t")
    for odd in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\r", b"\0"):
        assert compare(text[:at] + odd + text[at:]) == 0
    assert compare(text.replace(b"\n", b"\r\n")) == 0
    assert compare(text[:at] + "é".encode() + text[at:]) > 0


def test_a_log_without_header_or_path_is_told_by_its_fields_and_its_name() -> None:
    row = b"\t".join([b"1655071198.444458", b"C1", b"10.0.0.1", b"1", b"10.0.0.2", b"2", b"udp", *[b"-"] * 14])
    assert compare((row + b"\n") * 50) == 50
    text = made_log(random.Random(8), "dns", lines=50).replace("#path\tdns\n", "").encode()
    assert compare(text) >= 49
    assert compare(header("", ["a", "b"]).encode() + b"1\t2\n" * 50, name="dhcp.log") == 50


def test_labels_are_judged_by_the_recipe_in_the_same_way() -> None:
    lines = "".join(
        f"1655071198.4\tC{i}\t{label}\t{family}\n" for i in range(9) for label in LABELS for family in TEXTS
    )
    text = header("conn", ["ts", "uid", "label", "detailedlabel"]) + lines
    rules = Truth(column="label", family_column="uid", malicious=["x"], benign=["(empty)"], techniques={"C1": "T1000"})
    assert compare(text.encode()) > 0
    assert compare(text.encode(), options=ReadOptions(truth=rules)) > 0


def test_columns_that_are_joined_by_three_blanks_are_read_as_before() -> None:
    head = header("conn", ["ts", "uid", "tunnel_parents   label   detailed-label"])
    assert compare(head.encode() + b"1655071198.4\tC1\t-   Malicious   C&C\n" * 300) == 0


def test_many_short_runs_between_headers_are_read_once() -> None:
    line = made_log(random.Random(9), "conn", lines=0) + "1655071198.4\tC1\n"
    assert compare((line + "#\nx\ty\n" * 4000).encode(), worth_it=4096) == 0


def _real_blocks(path: Path) -> list[bytes]:
    """Return what a file holds, if it is a Zeek log."""
    source = FileSource(path, path.name)
    if b"#fields\t" not in source.head()[:2000]:
        return []
    return [block.data for block in source.blocks()]


def test_real_logs_are_read_as_the_careful_way_reads_them() -> None:
    paths = [path for folder in ("datasets", "samples") for path in sorted((SHARED / folder).rglob("*.log*"))]
    logs = {path: blocks for path in paths if path.is_file() and (blocks := _real_blocks(path))}
    if not logs:
        pytest.skip(f"no Zeek logs at {SHARED}")
    assert sum(compare(*blocks, name=path.name) for path, blocks in logs.items()) > 0
