"""Numbers as people write them in tables: read back by a naive oracle, whatever parts their digits."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socml.formats import ReadOptions
from socml.formats._times import Clock
from socml.formats._values import column_value
from socml.formats.table._table_digits import Digits, ungrouped
from socml.ingestion import FileSource, open_format

STYLES = {
    "French": ("\u202f", ","),
    "blank": (" ", ","),
    "Swiss": ("’", "."),
    "English": (",", "."),
    "German": (".", ","),
    "plain": ("", "."),
}


def written(value: float, style: str, decimals: int = 2) -> str:
    groups, point = STYLES[style]
    return f"{value:,.{decimals}f}".replace(".", "p").replace(",", groups).replace("p", point)


def column(path: Path, cells: list[str], delimiter: str = ";") -> tuple[list[object], list[str]]:
    quoted = [f'"{cell}"' if delimiter in cell else cell for cell in cells]
    path.write_text(
        "\n".join([f"n{delimiter}amount", *(f"{n}{delimiter}{cell}" for n, cell in enumerate(quoted))]) + "\n"
    )
    parts = list(open_format("table").read(FileSource(path, path.name), ReadOptions()))
    values = [value for part in parts for value in part.events["amount"].to_pylist()]
    return values, [note for part in parts for note in part.warnings]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_amounts_are_numbers_in_every_country(style: str, delimiter: str, tmp_path: Path) -> None:
    amounts = [0.5, 12.0, 999.99, -1234.56, 1_000_050.0, 7.25]
    assert column(tmp_path / "a.csv", [written(amount, style) for amount in amounts], delimiter)[0] == amounts


@given(st.lists(st.integers(-(10**11), 10**11), min_size=1), st.sampled_from(sorted(STYLES)))
def test_a_column_that_says_what_its_marks_mean_is_read_as_it_was_written(cents: list[int], style: str) -> None:
    cells = [written(cent / 100, style) for cent in [*cents, 123_456_789, 1]]
    digits = Digits()
    plain = [cell for cell in cells if not digits.see(cell)]
    assert all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in plain)
    digits.see_plain(pa.array(plain, pa.string()))
    marks = digits.marks(";")
    assert marks is not None
    values = [
        float(cell.replace(",", ".")) for cell in ungrouped(pa.array(cells), marks[1] or " ", marks[0]).to_pylist()
    ]
    assert values == [cent / 100 for cent in [*cents, 123_456_789, 1]]


@pytest.mark.parametrize(
    ("cells", "delimiter", "expected"),
    [
        (["1,234", "12,5"], ";", [1.234, 12.5]),
        (["1,234", "987"], ";", [1.234, 987.0]),  # nothing says otherwise, and semicolons part the cells
        (["1,234", "987"], ",", [1234.0, 987.0]),
        (["1,234", "12.5"], ";", [1234.0, 12.5]),
        (["1.234", "987"], ";", [1.234, 987.0]),
        (["1.234", "1.234.567"], ";", [1234.0, 1_234_567.0]),
        (["552 100 554", "542 051 180"], ";", ["552 100 554", "542 051 180"]),  # companies
        (["1 200", "900"], ";", [1200.0, 900.0]),
        (["12 34", "900"], ";", ["12 34", "900"]),
        (["0 123", "900"], ";", ["0 123", "900"]),
        (["1.234,5", "1,234.5"], ";", ["1.234,5", "1,234.5"]),
        (["1 234,50 €", "12,00 €"], ";", [1234.5, 12.0]),
        (["$1,234.50", "-$12.00", "$7"], ",", [1234.5, -12.0, 7.0]),
        (["12,5%", "100 %"], ";", [12.5, 100.0]),
        (["12 EUR", "1.000.000 EUR"], ";", [12.0, 1_000_000.0]),
        (["12 €", "12 $"], ";", ["12 €", "12 $"]),
        (["12 €", "12"], ";", ["12 €", "12"]),
        (["12 m", "13 m"], ";", ["12 m", "13 m"]),
        (["0x1F €", "1 €"], ";", [31.0, 1.0]),
        (["9 007 199 254 740 993", "1"], ";", ["9 007 199 254 740 993", "1"]),
    ],
)
def test_what_a_mark_means_is_told_by_the_other_cells(
    cells: list[str], delimiter: str, expected: list[object], tmp_path: Path
) -> None:
    assert column(tmp_path / "a.csv", cells, delimiter)[0] == expected


@pytest.mark.parametrize("cell", ["9" * 5_000, "1" + ",234" * 2_000, "1" + " 234" * 2_000])
def test_a_number_of_thousands_of_digits_costs_no_file(cell: str, tmp_path: Path) -> None:
    values, notes = column(tmp_path / "a.csv", ["7", cell, "8"])
    assert values == ["7", cell, "8"]
    assert f"Column 'amount' is kept as text: {cell[:40]} does not fit a number exactly." in notes


@pytest.mark.parametrize(
    "line",
    [
        '{"time": "2026-03-02T10:00:00Z", "user": "bob", "source_ip": "192.0.2.7", "status": "²"}',
        "Mar  2 10:00:00 web1 [²]: session of bob from 192.0.2.7",
    ],
)
def test_a_sign_that_python_calls_a_digit_costs_no_event(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(f"{line}\n" * 3)
    source = FileSource(path, path.name)
    parts = list(open_format("any-json" if line.startswith("{") else "syslog").read(source, ReadOptions()))
    assert [ip for part in parts for ip in part.events["source_ip"].to_pylist()] == ["192.0.2.7"] * 3
    assert not [reject for part in parts for reject in part.rejects]


def test_a_whole_number_beyond_any_float_is_none() -> None:
    assert column_value("source_port", 10**400, "port", Clock(None, None, None)) is None
