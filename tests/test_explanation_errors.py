"""An explanation that is estimated says how far off it may be: in the table, in words, and on the command line."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fitted import FOREST, estimated_and_exact
from shell import socml

from socml.explanations.attribution import attributions
from socml.explanations.contributions import contributions_and_errors, explain, explainer_of
from socml.explanations.of_run import explain_run, explanation_in_words
from socml.explanations.sentences import estimated_in_words, why_table
from socml.project.tables import EXPLANATION, schema
from socml.project.workspace import run_folder

ODD = 103


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A project with a run of a detector that is explained by drawn orders, and one that is explained exactly."""
    root = tmp_path_factory.mktemp("errors")
    (root / "socml.toml").write_text("")
    told = estimated_and_exact(root)
    return SimpleNamespace(root=root, row=told.features.index[ODD], **vars(told))


def test_an_estimated_push_has_its_standard_error_and_an_exact_one_none(lab):
    version, _ = lab.made["estimated"]
    told = explain(version, lab.features, [lab.row]).set_index("feature")
    parts, errors = contributions_and_errors(version, lab.features.loc[[lab.row]])
    assert parts.attrs["error"] == errors.max() > 0
    for name, error in zip(parts.columns, errors[0], strict=True):
        assert told.loc[name, "contribution_error"] == error
        assert told.loc[name, "contribution"] == parts.loc[lab.row, name]
    exact, _ = lab.made[FOREST.name]
    assert explain(exact, lab.features, [lab.row])["contribution_error"].isna().all()


def test_a_row_that_few_values_set_apart_is_told_exactly_beside_one_that_is_estimated(lab):
    version, _ = lab.made["estimated"]
    near = lab.features.iloc[[ODD]].copy()
    for name, value in version.preparation.typical_.items():
        if name != "destinations":
            near[name] = value
    near.index = pd.Index(["near"], name="row_id")
    both = pd.concat([lab.features, near])
    both.attrs = lab.features.attrs
    told = explain(version, both, ["near", lab.row])
    assert told[told["row_id"] == "near"]["contribution_error"].isna().all()
    assert told[told["row_id"] == lab.row]["contribution_error"].notna().all()


def test_the_stated_errors_hold_against_a_budget_that_is_much_larger(lab):
    version, _ = lab.made["estimated"]
    rows = lab.features.iloc[95:105]
    drawn, errors = contributions_and_errors(version, rows)
    sure, _ = contributions_and_errors(version, rows, explainer_of(version, budget=16_384))
    inside = np.abs(drawn.to_numpy() - sure.to_numpy()) <= 2.5 * errors + 1e-9
    assert inside.mean() > 0.85


def test_the_error_is_stored_and_read_again(lab):
    _, run = lab.made["estimated"]
    fresh = explain_run(run["run_id"], top=5, project=lab.project)
    stored = pq.read_table(run_folder(lab.project, run["run_id"]) / "explanations.parquet")
    assert stored.schema.field("contribution_error").nullable
    assert b"null" in stored.schema.field("contribution_error").metadata[b"about"]
    assert sorted(stored["contribution_error"].to_pylist()) == sorted(fresh["contribution_error"])
    again = explain_run(run["run_id"], top=5, project=lab.project)
    pd.testing.assert_frame_equal(fresh, again)


def test_a_file_from_before_the_column_was_there_is_read_with_nulls_and_added_to(lab):
    _, run = lab.made[FOREST.name]
    explain_run(run["run_id"], top=3, project=lab.project)
    path = run_folder(lab.project, run["run_id"]) / "explanations.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["contribution_error"]), path)
    told = explain_run(run["run_id"], top=6, project=lab.project)
    assert told["row_id"].nunique() == 6
    assert told["contribution_error"].isna().all()
    assert pq.read_schema(path).names == schema(EXPLANATION).names


@pytest.mark.parametrize(("language", "words"), [("en", "give or take"), ("fr", "points de pourcentage près")])
def test_words_say_how_far_off_the_shares_may_be(lab, language, words):
    _, run = lab.made["estimated"]
    told = explanation_in_words(run["run_id"], lab.row, project=lab.project, language=language)
    assert words in told.estimated
    assert words in told._repr_html_()
    assert told.why.iloc[:, 2].str.contains("±").all()
    assert all(push["contribution_error"] is not None for push in told.pushes)
    exact = explanation_in_words(lab.made[FOREST.name][1]["run_id"], lab.row, project=lab.project, language=language)
    assert exact.estimated == ""
    assert not exact.why.iloc[:, 2].str.contains("±").any()
    assert {push["contribution_error"] for push in exact.pushes} == {None}


def test_an_error_is_never_rounded_down_to_nothing():
    row = {"feature": "x", "contribution": 2.0, "share": 0.5, "contribution_error": 0.0001, "position": 1}
    assert "0.1" in estimated_in_words(pd.DataFrame([row]))
    assert estimated_in_words(pd.DataFrame([{**row, "contribution_error": None}])) == ""
    assert estimated_in_words(pd.DataFrame([{**row, "contribution_error": 0.0}])) == ""


def test_a_table_without_the_column_is_still_told_in_words(lab):
    _, run = lab.made["estimated"]
    told = explain_run(run["run_id"], top=1, project=lab.project).drop(columns="contribution_error")
    assert len(why_table(told, features_metadata={})) > 0


def test_the_command_line_prints_the_error_in_words_and_in_json(lab):
    _, run = lab.made["estimated"]
    out, _ = socml("explain", lab.row, "--run", run["run_id"], cwd=lab.root)
    assert "give or take" in " ".join(out.split())
    out, _ = socml("explain", lab.row, "--run", run["run_id"], "--json", "--language", "fr", cwd=lab.root)
    said = json.loads(out)
    assert "une erreur type" in said["estimated"]
    assert max(push["contribution_error"] for push in said["pushes"]) > 0
    out, _ = socml("explain", lab.row, "--run", lab.made[FOREST.name][1]["run_id"], "--json", cwd=lab.root)
    assert json.loads(out)["estimated"] is None


def test_a_data_scientist_reads_the_same_error_of_many_rows(lab):
    version, _ = lab.made["estimated"]
    some = attributions(version, lab.features, row_ids=[lab.row])
    told = explain(version, lab.features, [lab.row])
    assert some.error == told["contribution_error"].max()
