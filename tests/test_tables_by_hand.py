"""Tables as people and their spreadsheets save them: titles, sums, quotes, empty names, minus signs, words for yes and missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from socml.formats import ReadOptions
from socml.ingestion import FileSource, open_format
from socml.ingestion.detection import detect
from socml.project import FormatError

NAMES, ROWS = "host,role,amount", "pc1,web,10\npc2,db,20\npc3,db,30\n"


def read(path: Path, text: str) -> tuple[pa.Table, dict[str, int], list[str]]:
    path.write_text(text, encoding="utf-8")
    parts = list(open_format("table").read(FileSource(path, path.name), ReadOptions()))
    skips = {reason: count for part in parts for reason, count in part.skips.items()}
    return parts[0].events, skips, [str(note) for part in parts for note in part.warnings]


def values(path: Path, *cells: str) -> list[Any]:
    rows = "".join(f"pc{n};{cell}\n" for n, cell in enumerate(cells))
    return read(path, f"host;found\n{rows}")[0].column("found").to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        f"{NAMES}\n{ROWS}",
        f"{NAMES},\n{ROWS}",  # a comma behind the names alone
        f"Report of today,,\n,,\n{NAMES}\n{ROWS}",
        f",What,\n{NAMES}\n{ROWS}",  # names over two lines
        f"{NAMES}\n{ROWS}Total,,60\n",
        f"{NAMES}\n{ROWS}\nGrand total:,,60\n",
        f"{NAMES}\n{ROWS}Somme,,60\n",
        "'host','role','amount'\n'pc1','web','10'\n'pc2','db','20'\n'pc3','db','30'\n",
    ],
)
def test_what_a_spreadsheet_adds_changes_no_row(text: str, tmp_path: Path) -> None:
    events, _, _ = read(tmp_path / "a.csv", text)
    assert events.select(["host", "role", "amount"]).to_pylist() == [
        {"host": "pc1", "role": "web", "amount": 10.0},
        {"host": "pc2", "role": "db", "amount": 20.0},
        {"host": "pc3", "role": "db", "amount": 30.0},
    ]


@pytest.mark.parametrize("row", ["total,web,1", "Totally,,1", "summer-pc,,1"])
def test_a_row_that_only_looks_like_a_sum_is_a_row(row: str, tmp_path: Path) -> None:
    events, skips, _ = read(tmp_path / "a.csv", f"{NAMES}\n{ROWS}{row}\n")
    assert events["host"].to_pylist()[-1] == row.split(",", maxsplit=1)[0]
    assert "total" not in skips


def test_comments_above_a_table_are_titles_and_a_commented_header_is_its_names(tmp_path: Path) -> None:
    events, _, _ = read(tmp_path / "a.csv", f"# made by a tool\n# on Monday\n{NAMES}\n{ROWS}")
    assert events["amount"].to_pylist() == [10.0, 20.0, 30.0]
    assert detect(tmp_path / "a.csv")[0] == "table"
    (tmp_path / "b.csv").write_text(f"#{NAMES}\n{ROWS}")
    assert detect(tmp_path / "b.csv")[0] == "table"
    (tmp_path / "c.csv").write_text(f"# {NAMES}\n{ROWS}")
    for name in ("b.csv", "c.csv"):
        again, _, _ = read(tmp_path / name, (tmp_path / name).read_text())
        assert again.select(["host", "role", "amount"]).equals(events.select(["host", "role", "amount"]))
    (tmp_path / "d.csv").write_text(f"# made by a tool, on Monday, again\n{ROWS}")
    with pytest.raises(FormatError, match="no format is at least"):
        detect(tmp_path / "d.csv")


def test_a_sum_is_counted(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", f"{NAMES}\n{ROWS}Total,,60\n")[1]["total"] == 1


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (("(10)", "11", "(1 234,5)"), [-10.0, 11.0, -1234.5]),
        (("10-", "11"), [-10.0, 11.0]),
        (("\u221210", "\u22122,5"), [-10.0, -2.5]),
        (("(€ 5)", "7 €"), [-5.0, 7.0]),
        (("(1)", "(2)"), ["(1)", "(2)"]),  # references, perhaps
        (("10-", "20-"), ["10-", "20-"]),
        (("1-2", "3"), ["1-2", "3"]),
    ],
)
def test_a_minus_may_stand_elsewhere(cells: tuple[str, ...], found: list[Any], tmp_path: Path) -> None:
    assert values(tmp_path / "a.csv", *cells) == found


@pytest.mark.parametrize(
    "missing", ["n/a", "N/A", "s.o.", "n.d.", "k.A.", "-", "--", "—", "?", "#N/A", "#NV", "#VALEUR!", "#DIV/0!"]
)
def test_what_is_missing_is_null(missing: str, tmp_path: Path) -> None:
    assert values(tmp_path / "a.csv", "1", missing, "2,5") == [1.0, None, 2.5]


@pytest.mark.parametrize(
    ("yes", "no"),
    [("VRAI", "FAUX"), ("Oui", "Non"), ("Ja", "Nein"), ("Sí", "No"), ("WAHR", "FALSCH"), ("Y", "N"), ("on", "off")],
)
def test_yes_and_no_are_read_in_the_words_of_spreadsheets(yes: str, no: str, tmp_path: Path) -> None:
    assert values(tmp_path / "a.csv", yes, no, yes) == [1.0, 0.0, 1.0]


def test_a_number_that_shall_stay_a_text_is_one(tmp_path: Path) -> None:
    assert values(tmp_path / "a.csv", '"=""007"""', '="008"') == ["007", "008"]


def test_a_line_of_another_encoding_changes_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("hôte,rôle\npc1,café\n".encode() + "pc2,thé\n".encode("cp1252"))
    parsed = next(iter(open_format("table").read(FileSource(path, path.name), ReadOptions())))
    assert parsed.events.select(["hôte", "rôle"]).to_pylist() == [
        {"hôte": "pc1", "rôle": "café"},
        {"hôte": "pc2", "rôle": "thé"},
    ]


def test_semicolons_within_cells_make_no_title_of_the_names(tmp_path: Path) -> None:
    text = "host,note,bytes\n" + "".join(f'pc{n},"a; b; c",1{n}\n' for n in range(5))
    events, _, _ = read(tmp_path / "a.csv", text)
    assert events.select(["host", "note", "bytes"]).to_pylist()[0] == {"host": "pc0", "note": "a; b; c", "bytes": 10.0}
