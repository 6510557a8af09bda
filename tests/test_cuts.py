"""Lines cut at marks, all at once, are cut as a loop over the lines cuts each of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.formats._cuts import Cuts, each_text, split_cells
from socml.formats.network._json_cuts import _written

TEXTS = st.lists(st.text("ab: \t", max_size=9), max_size=9)


def _inside(cuts: Cuts, places: np.ndarray) -> list[int]:
    return (places - cuts.starts).tolist()


@given(TEXTS, st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_marks_are_found_where_python_finds_them(texts: list[str], at: int) -> None:
    cuts = Cuts(pa.array(texts, pa.string()))
    after = np.minimum(cuts.starts + at, cuts.ends)
    found = [text.find(":", min(at, len(text))) for text in texts]
    expected = [len(text) if place < 0 else place for text, place in zip(texts, found, strict=True)]
    assert _inside(cuts, cuts.first(":", after)) == expected
    assert cuts.count(":", after, cuts.ends).tolist() == [text[at:].count(":") for text in texts]
    last = [max(text.rfind(":", min(at, len(text))), min(at, len(text))) for text in texts]
    assert _inside(cuts, cuts.last(":", after, cuts.ends)) == last
    assert cuts.texts(after, cuts.ends).to_pylist() == [text[at:] for text in texts]
    assert cuts.byte(cuts.starts + at).tolist() == [ord(text[at]) if at < len(text) else 0 for text in texts]


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_the_first_marks_of_a_line_are_its_own(texts: list[str]) -> None:
    cuts = Cuts(pa.array(texts, pa.string()))
    for text, start, places in zip(texts, cuts.starts, cuts.places(" ", 3, cuts.starts), strict=True):
        there = [at for at, character in enumerate(text) if character == " "][:3]
        assert (places - start).tolist() == there + [len(text)] * (3 - len(there))


@given(TEXTS, st.integers(2, 4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_only_lines_with_as_many_cells_are_split(texts: list[str], width: int, same: bool) -> None:
    if same:  # all have as many: the way without a count
        texts = [text.replace(":", "") + ":" * (width - 1) for text in texts]
    cells, fits = split_cells(pa.array(texts, pa.string()), ":", width)
    expected = [text.split(":") for text in texts if text.count(":") == width - 1]
    assert fits.tolist() == [text.count(":") == width - 1 for text in texts]
    assert [cells.column(at).to_pylist() for at in range(width)] == [
        [row[at] for row in expected] for at in range(width)
    ]


def test_as_many_marks_in_all_as_lines_should_have_is_not_enough() -> None:
    cells, fits = split_cells(pa.array(["a:b:c", "d", "e:f"]), ":", 2)
    assert fits.tolist() == [False, False, True]
    assert cells.values.to_pylist() == ["e", "f"]


def test_a_part_of_an_array_is_cut_by_itself() -> None:
    cuts = Cuts(pa.array(["a:1", "b:2", "c:3"]).slice(1, 1))
    assert cuts.texts(cuts.starts, cuts.first(":", cuts.starts)).to_pylist() == ["b"]


def test_each_text_is_asked_once() -> None:
    asked: list[str] = []

    def is_a(text: str) -> bool:
        asked.append(text)
        return text == "a"

    assert each_text(pa.array(["a", "b", "a"]), is_a).tolist() == [True, False, True]
    assert asked == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('[{"rrname":"a.example","ttl":5}]', '[{"rrname":"a.example","ttl":5}]'),
        ('[{"a":1,"a":2}]', None),
        ("[12345678901234567890123]", "[12345678901234567890123]"),
        ("[1e16]", "[1e+16]"),
        ("[1.50]", "[1.5]"),
        ('[{"a":[1,null,true]}]', '[{"a":[1,null,true]}]'),
        ("[" * 101 + "]" * 101, None),
        ("[" * 60 + "]" * 60, None),
    ],
)
def test_a_list_is_written_as_the_careful_reader_writes_it_or_not_at_all(text: str, written: str | None) -> None:
    assert _written(text) == written
