"""The lowest modules: registry, tables, identity, inert, words, workspace, the lazy package."""

from __future__ import annotations

import string
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import socml
from socml.ingestion.identity import Places, places_of
from socml.project import tables
from socml.project.errors import ContractError, DataError, UnknownName
from socml.project.registry import component, component_names
from socml.project.sanitize import html_text, spreadsheet_text, visible, visible_line
from socml.project.stored import replacing, write_json
from socml.project.wording import Words, languages, words
from socml.project.workspace import safe_name

FOLDERS = ("formats", "detectors", "supervised", "explainers", "strategies")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in FOLDERS for name in component_names(kind)])
def test_every_component_is_the_one_name_of_its_file(kind, name):
    found = component(kind, name)
    as_class = "".join(part.capitalize() for part in name.split("-"))
    assert found.__name__.lower() in {as_class.lower(), name.replace("-", "_")}


def test_an_unknown_component_names_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'isolation-forest'"):
        component("detectors", "isolation-forrest")


def test_import_of_socml_loads_nothing_heavy():
    heavy = ["numpy", "pandas", "pyarrow", "sklearn", "shap", "mlflow", "streamlit", "duckdb", "sqlalchemy", "numba"]
    code = f"import sys, socml, socml.cli; print([m for m in {heavy} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_the_functions_of_the_line_are_there_without_loading_what_they_compute_with():
    names = ["ingest", "build_features", "fit", "anomaly_scores", "explain"]
    heavy = ["sklearn", "pandas", "scipy", "mlflow", "numba", "duckdb"]
    code = f"import sys, socml; [getattr(socml, n) for n in {names}]; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [n for n in socml.__all__ if n != "__version__"])
def test_every_public_name_loads_and_has_a_docstring(name):
    assert getattr(socml, name).__doc__


# --- tables


def test_a_contract_names_the_column_that_breaks_it():
    with pytest.raises(ContractError, match="no column 'malicious'"):
        tables.check_table(pa.table({"event_id": ["a"]}), tables.TRUTH, what="truth")
    whole = {"event_id": ["a"], "malicious": [True], "family": ["x"], "technique": [None]}
    with pytest.raises(ContractError, match="unknown column 'famly'. Did you mean 'family'"):
        tables.check_table(pa.table({**whole, "famly": ["x"]}), tables.TRUTH, what="truth")
    with pytest.raises(ContractError, match="1 nulls in 1 rows"):
        tables.check_table(pa.table({**whole, "event_id": pa.array([None], pa.string())}), tables.TRUTH, what="truth")
    with pytest.raises(ContractError, match="is string, not bool"):
        tables.check_table(pa.table({**whole, "malicious": ["perhaps"]}), tables.TRUTH, what="truth")
    assert tables.check_table(pa.table(whole), tables.TRUTH, what="truth").schema.names == list(tables.TRUTH)


# --- identity


@given(st.lists(st.lists(st.integers(0, 20), max_size=12), max_size=8), st.sampled_from([1 << 30, 0, 12]))
def test_ids_name_each_place_once_however_the_events_are_cut_into_blocks(blocks, far):
    lines = [line for block in blocks for line in block]
    ids = Places("00000000000000ff").ids(np.array(lines, np.int64)).to_pylist()
    places = Places("00000000000000ff")
    with patch("socml.ingestion.identity._FAR", far):  # lines from there on are counted one by one
        in_blocks = [i for block in blocks for i in places.ids(np.array(block, np.int64)).to_pylist()]
    assert in_blocks == ids
    assert len(set(ids)) == len(ids)
    segments, found = places_of(pa.array(ids, pa.string()))
    assert found.tolist() == lines
    assert set(segments.tolist()) <= {b"00000000000000ff"}


@given(st.permutations(range(40)), st.integers(1, 39))
def test_lines_with_one_event_each_have_the_same_ids_in_any_order(lines, cut):
    places = Places("00000000000000ff")
    ids = [i for part in (lines[:cut], lines[cut:]) for i in places.ids(np.array(part, np.int64)).to_pylist()]
    assert ids == Places("00000000000000ff").ids(np.array(lines)).to_pylist()
    assert sorted(ids) == sorted(Places("00000000000000ff").ids(np.arange(40)).to_pylist())


# --- inert


@given(st.text())
def test_visible_text_holds_no_control_and_no_bidirectional_mark(text):
    shown = visible_line(text)
    acting = {"\x1b", "\x07", "\r", "\n", "\t", "\u202e", "\u2066", "\u200b", "\u200f", "\u2028", "\ufeff", "\xad"}
    assert not acting & set(shown)
    assert all(c >= " " for c in shown)


@given(st.text(alphabet=string.printable.strip()))
def test_ordinary_text_is_left_alone(text):
    assert visible(text) == text


@given(st.text())
def test_html_text_holds_no_markup(text):
    assert not set("<>\"'") & set(html_text(text))


@pytest.mark.parametrize(
    "text", [*"=+-@＝＋－＠﹢﹣﹦﹫−", "=1+1", "\t=1", "\r=1", "\n=1", " =1", "\xa0=1", "\u3000＝1", " \t @x"]
)
def test_formulas_are_neutralised_for_spreadsheets(text):
    assert spreadsheet_text(text)[0] in "'␍"  # a carriage return is written out
    assert spreadsheet_text(text).replace("'", "") == visible(text)  # one behind a tab or a line end, too


# --- words


def test_every_language_has_the_same_sentences_with_the_same_blanks():
    english = words("en").catalogue
    for language in languages():
        other = words(language).catalogue
        assert set(other) == set(english), f"{language}: {sorted(set(other) ^ set(english))}"
        for key in english:
            assert blanks(other[key]) == blanks(english[key]), f"{language}: {key}"


def blanks(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_a_missing_sentence_is_an_error_and_not_a_blank():
    with pytest.raises(UnknownName):
        words("en")("no.such.sentence")


def test_zero_is_singular_in_french_and_plural_in_english():
    for language, expected in (("fr", "one"), ("en", "other")):
        catalogue = Words(language)
        catalogue.catalogue = {"k.one": "one", "k.other": "other"}
        assert catalogue("k", n=0) == expected


# --- workspace


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = write_json(tmp_path / "a.json", 1)
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\0b", "-rf"])
def test_names_that_could_leave_their_folder_are_refused(name):
    with pytest.raises(DataError):
        safe_name(name)


# --- the repository


def test_lock_files_name_no_address_and_pin_each_package_once():
    root = Path(__file__).resolve().parents[1]
    for lock in sorted(root.glob("*.lock")):
        text = lock.read_text()
        pins = [line.split("==")[0] for line in text.splitlines() if "==" in line]
        assert "://" not in text
        assert len(pins) == len(set(pins)) > (0 if lock.name == "requirements-spark.lock" else 50)
        assert text.count("--hash=sha256:") > len(pins)
