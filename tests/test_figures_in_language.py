"""Tables and charts write numbers as the page's language does, and still sort them as numbers."""

from __future__ import annotations

import ast
import importlib.util

import pandas as pd
import pytest
from app_pages import APP

from socml.project import words

_SPEC = importlib.util.spec_from_file_location("figures_in_language", APP / "figures.py")
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)
ENGLISH, FRENCH = words("en"), words("fr")


class Drawn:
    """What Streamlit was given to draw."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setattr(figures.st, name, lambda what, **_: setattr(self, "what", what))


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (4.5, "4.5", "4,5"),
        (12000, "12,000", "12\u202f000"),
        (1234.5678, "1,234.5678", "1\u202f234,5678"),
        (0.98700, "0.987", "0,987"),
        (2e-5, "2.0e-05", "2,0e-05"),
        (float("-inf"), "−∞", "−∞"),
        (0.0, "0", "0"),
    ],
)
def test_a_figure_has_the_separators_of_the_language(value, english, french):
    assert (figures.figure(value, ENGLISH), figures.figure(value, FRENCH)) == (english, french)


def test_a_colon_stands_off_in_french():
    assert (figures.pair("a", "1", ENGLISH), figures.pair("a", "1", FRENCH)) == ("a: 1", "a\u00a0: 1")


def test_a_port_is_no_quantity_and_text_cannot_act():
    assert figures.cell_text("destination_port", 8080.0, FRENCH, 9) == "8080"
    assert figures.cell_text("source_bytes", 8080, FRENCH, 9) == "8\u202f080"
    assert figures.cell_text("duration_s", 0.1234, FRENCH, 9) == "0,123"
    assert figures.cell_text("user_name", "a\nb" + "x" * 20, FRENCH, 9) == "a␊bxxxxxx"
    assert figures.cell_text("user_name", float("nan"), FRENCH, 9) == ""


def test_a_table_shows_the_language_and_holds_the_numbers(monkeypatch):
    drawn = Drawn(monkeypatch, "dataframe")
    table = pd.DataFrame({"score": [4.5, None], "port": [8080, 22], "who": ["a", "b"], "is": [True, False]})
    figures.draw_table(table, FRENCH, plain={"port"})
    shown = drawn.what._translate(sparse_index=False, sparse_cols=False)["body"]
    cells = [[str(cell["display_value"]) for cell in row if cell["type"] == "td"] for row in shown]
    assert cells == [["4,5", "8080", "a", "True"], ["—", "22", "b", "False"]]
    pd.testing.assert_frame_equal(drawn.what.data, table)
    whole = pd.DataFrame({"bytes": pd.array([12_000, None], dtype="Int64")})
    figures.draw_table(whole, ENGLISH)
    body = drawn.what._translate(sparse_index=False, sparse_cols=False)["body"]
    assert [row[1]["display_value"] for row in body] == ["12,000", "—"]
    figures.draw_table(table[["who"]], FRENCH)
    assert drawn.what.equals(table[["who"]])


def test_a_chart_is_given_the_language_in_french_alone(monkeypatch):
    alt = pytest.importorskip("altair")
    drawn = Drawn(monkeypatch, "altair_chart")
    chart = alt.Chart(pd.DataFrame({"x": [1.5]})).mark_point().encode(x="x:Q")
    figures.draw_chart(chart, FRENCH)
    assert drawn.what.to_dict()["config"]["locale"]["number"]["decimal"] == ","
    assert drawn.what.to_dict()["config"]["locale"]["time"]["months"][1] == "février"
    figures.draw_chart(chart, ENGLISH)
    assert "locale" not in drawn.what.to_dict().get("config", {})


MARKDOWN = {"button", "caption", "checkbox", "error", "expander", "header", "info", "metric", "subheader", "success"}
MARKDOWN |= {"title", "toast", "toggle", "warning", "write", "markdown"}


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda path: path.name)
def test_what_takes_markdown_is_given_plain_text(path):
    """Without control characters a text may still name an image, which the browser would fetch."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    shown = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in MARKDOWN]
    named = [node.id for call in shown for node in ast.walk(call) if isinstance(node, ast.Name)]
    assert "visible_line" not in named


def test_plain_text_is_shown_as_it_is():
    assert figures.plain("![i](http://a)\x00 a_b *c*") == r"\!\[i\]\(http\://a\)␀ a\_b \*c\*"
