"""Sanitizers beside naive readers: a Markdown parser shows the text as it is, a spreadsheet of any separator finds no formula."""

from __future__ import annotations

import csv
import importlib.util
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from app_pages import APP
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from socml.project import from_spreadsheet, sanitize, spreadsheet_text, visible, visible_line
from socml.respond import Case
from socml.respond.guard import Observables
from socml.respond.report import markdown
from socml.tools import defang

_SPEC = importlib.util.spec_from_file_location("figures_sanitizers", APP / "figures.py")
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)

MARKED = [
    *"ab1 .-_*`~#>+=|!<()[]{}&;:/\\\"'^$@%,\t\n",
    "&lt;",
    "&shy;",
    "&rlm;",
    "&amp;",
    "<img src=x>",
    "1. ",
    "\u202e",
]
CELLS = [*"a1=+-@'\" ;\t\n,\r", "\uff1d", "\N{MINUS SIGN}", "\xa0", "\u200b"]
NOBODY = Observables((), (), (), (), (), ())


class Shown(HTMLParser):
    """The text of a page, and the tags around it."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags = "", set()
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(source))
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def words_of(text: str) -> list[str]:
    return text.split()


def cells(text: str, separator: str) -> Iterator[str]:
    """Yield cells as a spreadsheet reads them: a quote counts at a cell's beginning alone."""
    yield from (cell for row in csv.reader(text.splitlines(keepends=True), delimiter=separator) for cell in row)


def written(text: str) -> str:
    return '1,"' + text.replace('"', '""') + '",z\n'


def is_formula(cell: str) -> bool:
    first = cell.lstrip()[:1]
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in "=+-@\N{MINUS SIGN}"


@given(st.lists(st.sampled_from(MARKED), max_size=9).map("".join))
def test_a_parser_of_markdown_shows_a_cell_of_a_page_as_it_is(text):
    shown = Shown(f"x {figures.plain(text)} x")
    assert (shown.tags, words_of(shown.text)) == ({"p"}, words_of(f"x {visible_line(text)} x"))


@pytest.mark.parametrize("text", ["good&shy;.example", "&lt;b&gt;", "1&period;2", "a&rlm;b", "&#x202e;exe"])
def test_a_character_that_is_written_by_its_name_stays_written_so(text):
    assert Shown(figures.plain(text)).text.strip() == text
    case = Case("C1", text, "office", "alice", datetime(2026, 3, 3, tzinfo=UTC))
    assert Shown(markdown(case, NOBODY).splitlines()[0]).text.strip() == f"C1: {visible_line(defang(text))}"


@given(st.lists(st.sampled_from(CELLS), max_size=9).map("".join))
def test_no_cell_is_a_formula_whatever_parts_the_cells(text):
    whole = written(spreadsheet_text(text))
    assert not [cell for separator in ",;\t" for cell in cells(whole, separator) if is_formula(cell)]


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"),
        ("note\n=1+1", "note\n'=1+1"),
        ("a\t@x", "a\t'@x"),
        ('x; "=1', "x; \"'=1"),
        ("a;\N{FULLWIDTH EQUALS SIGN}1", "a;'\N{FULLWIDTH EQUALS SIGN}1"),
        ("a,=1", "a,=1"),  # where a comma parts cells, the quotes around it count
        ("GET /;a=1", "GET /;a=1"),
    ],
)
def test_a_formula_behind_a_separator_is_inert_and_comes_back(text, inert):
    assert spreadsheet_text(text) == inert
    assert from_spreadsheet(inert) == text


@given(st.lists(st.sampled_from([one for one in CELLS if one != "'"]), max_size=9).map("".join))
def test_what_was_made_inert_comes_back(text):
    assert from_spreadsheet(spreadsheet_text(text)) == visible(text)


def test_a_run_of_signs_that_part_cells_is_looked_at_once():
    for pattern in (sanitize._CELL, sanitize._MARKED_CELL):
        assert [found.span() for found in pattern.finditer("a" + "\n\t " * 9)] == [(1, 28)]
    assert spreadsheet_text("a" + "\n" * 9 + "=1") == "a" + "\n" * 9 + "'=1"
