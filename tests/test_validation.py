"""socml.evaluate.validation and the metrics it rests on: folds by property, figures by slow and obvious oracles, errors to events."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_lab import known_lab
from scipy.stats import binomtest

from socml.evaluate.metrics.daily import DAY_US, precision_at_a_day, time_to_detection
from socml.evaluate.metrics.decisions import decision_metrics
from socml.evaluate.metrics.intervals import SortedRows, bootstrap, paired_bootstrap, wilson
from socml.evaluate.metrics.ranking import curves, ranking_metrics
from socml.evaluate.metrics.significance import compare_methods, holm
from socml.evaluate.validation.alerts import alert_clusters
from socml.evaluate.validation.result import error_events, error_features, list_errors, load_validation
from socml.evaluate.validation.run import validate
from socml.evaluate.validation.search import search
from socml.evaluate.validation.splits import Rows, make_folds
from socml.project.errors import DataError, ModelError, RecipeError, UnknownName
from socml.project.recipe_sections import Validation
from socml.project.recipes import ModelRecipe, load_model_recipe, parse_recipe
from socml.project.stored import write_table
from socml.project.workspace import features_path

DAY = 86_400 * 1_000_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return known_lab(tmp_path_factory.mktemp("judged"), datasets=("built", "other"))


def rows_of(seed, *, count=120, entities=12, days=6):
    rng = np.random.default_rng(seed)
    time = np.floor(rng.random(count) * days * 24) * 3_600_000_000  # whole hours: many at the same time
    entity = np.array([f"host {i}" for i in rng.integers(0, entities, count)], dtype=object)
    return Rows(time, entity, rng.choice([0.0, 0.0, 1.0, np.nan], count))


MODES = [
    Validation(mode="random", folds=3),
    Validation(mode="temporal"),
    Validation(mode="cut-off", cut_off="1970-01-04T00:00:00Z"),
    Validation(mode="sliding-window", train_window="2 days", test_window="1 day"),
    Validation(mode="cross-validation", folds=4),
    Validation(mode="group", folds=3),
]


@pytest.mark.parametrize("validation", MODES, ids=lambda v: v.mode)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_no_row_is_fitted_on_and_judged_in_one_fold(validation, seed):
    folds = make_folds(rows_of(seed), validation)
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train)
        assert len(fold.test)
        assert (np.diff(fold.test) > 0).all()
    if validation.mode in {"cross-validation", "group"}:
        assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(120))


@pytest.mark.parametrize("validation", MODES[1:4], ids=lambda v: v.mode)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_modes_in_time_never_fit_on_the_future(validation, seed):
    rows = rows_of(seed)
    for fold in make_folds(rows, validation):
        assert rows.time_us[fold.train].max() < rows.time_us[fold.test].min()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_an_entity_is_on_one_side_of_a_group_fold(seed):
    rows = rows_of(seed)
    for fold in make_folds(rows, MODES[5]):
        assert not set(rows.entity[fold.train]) & set(rows.entity[fold.test])


def test_sliding_windows_move_by_what_they_judge():
    rows = Rows(np.arange(6.0) * DAY, np.full(6, "a", dtype=object), np.tile([0.0, 1.0], 3))
    folds = make_folds(rows, MODES[3])
    assert [(f.train.tolist(), f.test.tolist()) for f in folds] == [
        ([0, 1], [2]),
        ([1, 2], [3]),
        ([2, 3], [4]),
        ([3, 4], [5]),
    ]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (Validation(mode="temporal"), "these have none. Use cross-validation or group"),
        (Validation(mode="group", folds=5), "needs at least 5 entities"),
        (Validation(mode="cross-validation", folds=50), "10 rows cannot be parted into 50"),
    ],
)
def test_rows_that_cannot_be_parted_say_why(validation, message):
    rows = Rows(np.full(10, np.nan), np.full(10, "a", dtype=object), np.tile([0.0, 1.0], 5))
    with pytest.raises(DataError, match=message):
        make_folds(rows, validation)


def test_a_cut_off_beyond_the_rows_says_when_they_are():
    with pytest.raises(DataError, match="Its rows are from 1970-01-01"):
        make_folds(rows_of(0), Validation(mode="cut-off", cut_off="2030-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('mode = "cut-off"', "needs 'cut_off'"),
        ('mode = "sliding-window"\ntrain_window = "1 day"', "needs 'test_window'"),
        ("fols = 3", "Did you mean 'folds'"),
        ("at = [0]", "at least 1"),
        ('mode = "by chance"', "validation.mode is 'by chance'"),
    ],
)
def test_a_validation_section_is_strict(section, message):
    text = f'detector = "robust-z"\nfeatures = "flow"\n[validation]\n{section}'
    with pytest.raises(RecipeError, match=message):
        parse_recipe(ModelRecipe, text, path=Path("models/m.toml"))


def test_the_threshold_follows_from_the_costs_unless_it_is_given():
    assert Validation(false_negative_cost=19).probability_threshold == pytest.approx(0.05)
    assert Validation(false_negative_cost=19, threshold=0.5).probability_threshold == 0.5


@given(hits=st.integers(0, 60), more=st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_wilson_equals_that_of_scipy(hits, more):
    if hits + more:
        wanted = binomtest(hits, hits + more).proportion_ci(method="wilson")
        assert wilson(hits, hits + more) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


@given(seed=st.integers(0, 10_000), levels=st.sampled_from([3, 1000]))
@settings(max_examples=40, deadline=None)
def test_a_weighted_row_counts_as_so_many_rows(seed, levels):
    rng = np.random.default_rng(seed)
    order, malicious = rng.integers(0, levels, 40).astype(float), (rng.random(40) < 0.4).astype(float)
    weight = rng.integers(0, 4, 40)
    wanted = ranking_metrics(np.repeat(order, weight), np.repeat(malicious, weight))
    found = SortedRows.of(order, malicious).measured(weight.astype(float), [10])
    for name in ("average_precision", "auroc", "precision_at_10"):
        if name in wanted:
            assert found[name] == pytest.approx(wanted[name])


def test_intervals_of_dependent_rows_are_wider_by_their_groups():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 50)
    malicious = (group % 4 == 0).astype(float)
    order = -(malicious + rng.normal(0, 1.5, 20)[group])
    by_row, by_group = (
        bootstrap(order, malicious, rng=np.random.default_rng(1), groups=g)["auroc"] for g in (None, group)
    )
    assert by_group[1] - by_group[0] > 2 * (by_row[1] - by_row[0])


def test_the_difference_of_an_order_from_itself_is_nothing():
    rng = np.random.default_rng(0)
    order, malicious = rng.random(200), (rng.random(200) < 0.2).astype(float)
    assert set(paired_bootstrap((order, order), malicious, rng=rng).values()) == {(0.0, 0.0)}


def test_decisions_are_counted_and_cost_what_the_recipe_says():
    alert = np.array([True, True, False, False, True])
    found = decision_metrics(
        alert, np.array([1.0, 0.0, 1.0, 0.0, np.nan]), false_positive_cost=2, false_negative_cost=30
    )
    assert (found["true_positives"], found["false_positives"], found["false_negatives"]) == (1, 1, 1)
    assert (found["cost"], found["cost_of_none"], found["cost_of_all"]) == (32, 60, 4)
    assert "recall" not in decision_metrics(alert, np.zeros(5))


@given(seed=st.integers(0, 10_000), k=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_precision_a_day_equals_a_day_by_day_count(seed, k):
    rng = np.random.default_rng(seed)
    time, order = rng.random(60) * 4 * DAY_US, rng.random(60)
    malicious = rng.choice([0.0, 1.0, np.nan], 60)
    found = precision_at_a_day(order, malicious, time, k)
    hits = seen = 0
    for day in set(time // DAY_US):
        today = [i for i in range(60) if time[i] // DAY_US == day and not np.isnan(malicious[i])]
        first = sorted(today, key=lambda i: order[i])[:k]
        hits, seen = hits + sum(malicious[i] for i in first), seen + len(first)
    assert (found["found"], found["looked_at"]) == (hits, seen)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_time_to_detection_equals_an_incident_by_incident_search(seed):
    rng = np.random.default_rng(seed)
    time, incident = rng.integers(0, 50, 40) * 1e6, rng.integers(0, 6, 40).astype(str)
    alert, malicious = rng.random(40) < 0.3, rng.choice([0.0, 1.0, np.nan], 40)
    found = time_to_detection(alert, malicious, time, incident)
    waits, incidents = [], {i for i, m in zip(incident, malicious, strict=True) if m == 1}
    for name in incidents:
        rows = [i for i in range(40) if incident[i] == name and malicious[i] == 1]
        seen = [time[i] for i in rows if alert[i]]
        if seen:
            waits.append((min(seen) - min(time[i] for i in rows)) / 1e6)
    assert (found["incidents"], found["detected"]) == (len(incidents), len(waits))
    if waits:
        assert found["median_s"] == pytest.approx(np.median(waits))


def test_curves_are_thinned_and_keep_their_ends():
    rng = np.random.default_rng(0)
    malicious = (rng.random(5000) < 0.1).astype(float)
    found = curves(rng.random(5000), malicious)
    assert len(found["roc"]["recall"]) <= 210
    assert (found["roc"]["false_positive_rate"][-1], found["roc"]["recall"][-1]) == (1.0, 1.0)
    assert found["precision_recall"]["precision"][-1] == pytest.approx(malicious.mean())
    assert curves(np.arange(3.0), np.ones(3)) == {}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_its_definition(p_values):
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    wanted, highest = [0.0] * len(p_values), 0.0
    for step, i in enumerate(order):
        highest = max(highest, min((len(p_values) - step) * p_values[i], 1.0))
        wanted[i] = highest
    assert holm(np.array(p_values)) == pytest.approx(wanted)


def test_methods_that_always_win_differ_and_few_blocks_say_so():
    rng = np.random.default_rng(0)
    values = pd.DataFrame(
        {"good": 0.9 + rng.random(12) / 20, "bad": 0.5 + rng.random(12) / 20, "worse": rng.random(12) / 9}
    )
    found = compare_methods(values)
    assert max(found.pairs.values()) < 0.01
    assert not found.notices
    assert "fewer than 6" in compare_methods(values[:3]).notices[0]


def test_alerts_are_grouped_among_themselves_alone():
    rng = np.random.default_rng(0)
    scan, upload = rng.normal(0, 0.1, (30, 3)), rng.normal([0, 8, 0], 0.1, (12, 3))
    odd = np.array([[50.0, -50.0, 50.0]])
    labels, groups = alert_clusters(
        np.concatenate([scan, upload, odd]), ["ports", "bytes", "ports"], malicious=np.r_[np.ones(30), np.zeros(13)]
    )
    assert [g["alerts"] for g in groups] == [30, 12]
    assert labels[-1] == -1
    assert [g["malicious_share"] for g in groups] == [1.0, 0.0]
    assert next(iter(groups[1]["apart"])) == "bytes"
    assert alert_clusters(scan[:4], ["a", "b", "c"])[1] == []


@pytest.mark.parametrize("model", ["tiny-classifier", "tiny-forest"])
@pytest.mark.parametrize("mode", ["temporal", "cross-validation", "group"])
def test_a_validation_judges_every_fold_and_pools_them(lab, model, mode):
    result = validate(model, "built", validation=Validation(mode=mode, folds=3, replicates=30), project=lab)
    assert sum(fold["rows"] for fold in result.folds) == result.pooled["rows"] == len(result.rows)
    for name in ("false_positives", "false_negatives", "cost"):
        assert sum(fold[name] for fold in result.folds) == result.pooled[name]
    for name, (low, high) in result.pooled["intervals"].items():
        assert low - 1e-9 <= result.pooled[name] <= high + 1e-9 or name.startswith(("average", "auroc", "precision_at"))
    again = load_validation(result.validation_id, project=lab)
    assert again.pooled == result.pooled
    assert again.rows["row_id"].tolist() == result.rows["row_id"].tolist()
    folder = lab.workspace / "validations" / result.validation_id
    assert [(folder / name).is_file() for name in ("precision-recall.svg", "roc.svg")] == [bool(result.curves)] * 2
    assert result.curves or result.pooled["absent"]["auroc"] == "no row is known to be malicious"


def test_validation_is_repeatable_and_a_taught_model_beats_chance(lab):
    asked = Validation(mode="cross-validation", folds=3, replicates=30)
    first, second = (
        validate("tiny-classifier", "built", validation=asked, project=lab, record=False) for _ in range(2)
    )
    assert first.to_dict() == second.to_dict()
    assert first.pooled["average_precision"] > 5 * first.pooled["anomaly_rate"]
    assert first.pooled["family_accuracy"] > 0.8


def test_rows_of_the_matrix_are_kept_for_the_alerts_that_are_grouped_alone(lab, monkeypatch):
    told = []

    def group(matrix, names, *, malicious):
        told.append((matrix, malicious))
        return alert_clusters(matrix, names, malicious=malicious)

    monkeypatch.setattr("socml.evaluate.validation.run.alert_clusters", group)
    costly = Validation(mode="cross-validation", folds=3, alert_share=0.2)
    whole = validate("tiny-forest", "built", validation=costly, project=lab, record=False)
    monkeypatch.setattr("socml.evaluate.validation.judged.MOST", 20)
    few = validate("tiny-forest", "built", validation=costly, project=lab, record=False)
    (every, _), (kept, malicious) = told
    assert len(every) == whole.rows["alert"].sum() > 60 == len(kept)
    alerts = few.rows[few.rows["alert"]].sort_values(["order"], kind="stable")
    expected = alerts.groupby("fold").head(20)
    np.testing.assert_array_equal(malicious, expected["malicious"])
    np.testing.assert_array_equal(kept, every[alerts.index.isin(expected.index)])


def test_a_model_is_judged_on_other_datasets(lab):
    asked = Validation(mode="datasets", datasets=["other"], replicates=30)
    result = validate("tiny-regression", "built", validation=asked, project=lab)
    assert set(result.rows["dataset"]) == {"other"}
    assert result.folds[0]["train_rows"] == 600
    with pytest.raises(DataError, match="'built' is the one fitted on"):
        validate("tiny-regression", "built", validation=Validation(mode="datasets", datasets=["built"]), project=lab)


def test_a_fold_without_malicious_rows_to_learn_from_is_left_out_and_told(lab):
    recipe = load_model_recipe("tiny-classifier", lab)
    asking = recipe.model_copy(update={"training": recipe.training.model_copy(update={"min_malicious": 500})})
    with pytest.raises(ModelError, match="too few rows of known truth"):
        validate(asking, "built", validation=Validation(mode="cross-validation", folds=3), project=lab)


def test_errors_go_from_the_list_to_features_and_events(lab):
    asked = Validation(mode="cross-validation", folds=3, threshold=0.01, replicates=30)
    result = validate("tiny-regression", "built", validation=asked, project=lab)
    wrong = list_errors(result, "false-positives", limit=5)
    assert len(wrong) == 5
    assert (wrong["malicious"] == 0).all()
    assert wrong["probability"].is_monotonic_decreasing
    row_id = str(wrong["row_id"].iloc[0])
    features = error_features(result, row_id, project=lab)
    assert list(features.index) == ["source_bytes", "destination_bytes", "duration_s"]
    assert error_events(result, row_id, project=lab)["event_id"].tolist() == [row_id]
    with pytest.raises(UnknownName, match="Did you mean 'false-positives'"):
        list_errors(result, "false-positive")
    strict = validate("tiny-regression", "built", validation=asked.model_copy(update={"threshold": 0.99}), project=lab)
    missed = list_errors(strict, "false-negatives")
    assert (missed["malicious"] == 1).all()
    assert missed["probability"].is_monotonic_increasing


def test_a_search_halves_its_candidates_and_is_recorded_in_nested_runs(lab):
    found = search("tiny-classifier", "built", project=lab)
    assert set(found.best) == {"min_samples_leaf", "preparation.log"}
    by_round = found.tried.groupby("round")
    assert by_round.size().tolist() == sorted(by_round.size(), reverse=True)
    assert by_round["rows"].first().is_monotonic_increasing
    assert "[parameters]\nmin_samples_leaf = " in found.to_toml()
    from socml.models.versions import open_registry

    client = open_registry(lab)
    number = client.get_experiment_by_name("search tiny-classifier").experiment_id
    runs = client.search_runs([number])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert len(runs) == 1 + len(found.tried)


def test_a_search_over_a_parameter_that_does_not_exist_names_the_nearest(lab):
    recipe = load_model_recipe("tiny-classifier", lab)
    asked = recipe.search.model_copy(update={"parameters": {"min_sample_leaf": [1, 2]}})
    with pytest.raises(RecipeError, match="Did you mean 'min_samples_leaf'"):
        search(recipe.model_copy(update={"search": asked}), "built", project=lab)
    with pytest.raises(RecipeError, match="has no \\[search\\]"):
        search("tiny-forest", "built", project=lab)


def test_a_table_that_is_built_anew_meanwhile_is_not_judged_by_the_truth_of_another(tmp_path):
    lab = known_lab(tmp_path)
    asked = Validation(mode="cross-validation", folds=3, replicates=20)
    expected = validate("tiny-forest", "built", validation=asked, project=lab, record=False).rows
    path = features_path(lab, "built", "tiny")
    backwards = pq.read_table(path).take(np.arange(len(expected))[::-1])

    def replace(what):
        if not what.startswith("building"):
            write_table(path, backwards)
        return nullcontext()

    found = validate("tiny-forest", "built", validation=asked, project=lab, record=False, step=replace).rows
    pd.testing.assert_frame_equal(found, expected)
