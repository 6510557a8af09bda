"""Online detectors over whole tables: runs, interrupted and taken up, states damaged, recipes that do not fit."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from socml.cli import line as line_verbs
from socml.detectors.online._columns import OnlineColumns
from socml.detectors.online._reference import RunningReference
from socml.detectors.online._state import read_state, write_state
from socml.models.online_model import load_online, make_online
from socml.models.online_run import score_online
from socml.models.scoring import load_scores
from socml.project import tables
from socml.project.errors import ConfigurationError, ModelError, Notice, RecipeError
from socml.project.project import Project, starter_root
from socml.project.recipes import ModelRecipe, load_model_recipe, recipe_names
from socml.project.stored import write_table
from socml.project.workspace import run_folder

SHIPPED = Project(root=starter_root(), workspace=starter_root() / "workspace")


def table(rows: int = 2_500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(3, 1, rows)
    values[-1] = 1e12
    return pd.DataFrame(
        {
            "row_id": [f"{seed}-{i}" for i in range(rows)],
            "time": pd.date_range("2026-03-02", periods=rows, freq="s", tz="UTC").as_unit("us"),
            "entity": [f"host-{i}" for i in rng.integers(0, 20, rows)],
            "bytes": np.where(rng.random(rows) < 0.05, np.nan, values),
            "proto": rng.choice(["tcp", "udp", None], rows, p=[0.7, 0.2, 0.1]),
        }
    )


def test_columns_read_in_blocks_and_row_by_row_are_the_same(tmp_path):
    features = table(400)
    whole, singly, resumed = (OnlineColumns(["bytes", "proto"]) for _ in range(3))
    expected = whole.read(features)
    rows = [singly.read(features.iloc[i : i + 1]) for i in range(len(features))]
    assert np.array_equal(np.vstack(rows), expected, equal_nan=True)
    resumed.read(features[:200])
    again = OnlineColumns([])
    again.restore(read_state(write_state(tmp_path / "c.npz", resumed.state())))
    assert np.array_equal(again.read(features[200:]), expected[200:], equal_nan=True)
    with pytest.raises(ModelError, match="'proto' was a category before"):
        again.read(features.assign(proto=1.0))
    with pytest.raises(ModelError, match="no column 'bytes'"):
        again.read(features.rename(columns={"bytes": "byte"}))


def test_percentiles_measured_in_blocks_and_singly_are_the_same():
    scores = np.random.default_rng(0).normal(size=3_000)
    whole, singly = RunningReference(), RunningReference()
    expected = whole.measure(scores)
    assert np.array_equal(np.concatenate([singly.measure(scores[i : i + 1]) for i in range(3_000)]), expected)
    assert expected[-1_000:].mean() == pytest.approx(50, abs=3)
    assert (expected[:100] == 0).all()


RECIPE = ModelRecipe(name="online-test", mode="online", detector="half-space-trees", features="built",
                     parameters={"window": 128, "n_trees": 5})  # fmt: skip


@pytest.fixture
def lab(tmp_path) -> Project:
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def write_features(
    project: Project, features: pd.DataFrame, name: str = "built", *, dataset: str = "d", window_s: int = 0
):
    about = {"feature_set": "built", "recipe_hash": "0" * 16, "events_snapshot": "1" * 16, "dataset": dataset,
             "features": ["bytes", "proto"], "window_seconds": window_s}  # fmt: skip
    path = project.workspace / "features" / "d" / f"{name}.parquet"
    return write_table(path, pa.Table.from_pandas(features, preserve_index=False), about)


@pytest.mark.parametrize("block", [65_536, 100])  # rows that are written at a time: all, and a part
def test_a_run_writes_the_same_score_table_as_a_batch_model(lab, monkeypatch, block):
    monkeypatch.setattr("socml.models.scoring.BLOCK", block)
    features = table()
    assert 100 < len(features) < 65_536
    path = write_features(lab, features)
    truth = pd.Series(features.index == len(features) - 1, index=features["row_id"])
    run = score_online(RECIPE, path, project=lab, truth=truth)
    written = pq.read_table(run_folder(lab, run["run_id"]) / "scores.parquet")
    tables.check_table(written, tables.SCORE, what="scores")
    scores = load_scores(run["run_id"], project=lab)
    assert scores.index.tolist() == features["row_id"].tolist()
    assert scores["model_version"].iloc[0].startswith("online-test/online-")
    assert scores["percentile"].iloc[-1] > 99
    assert run["metrics"]["auroc"] > 0.99
    online = make_online(RECIPE, ["bytes", "proto"])
    normality, percentile = online.score_learn_many(features)
    assert np.array_equal(scores["anomaly_score"], -normality)
    assert np.array_equal(scores["percentile"], percentile)


def test_the_same_table_is_not_learned_twice_and_the_next_goes_on_from_the_state(lab):
    both = table(3_000)
    first, second = write_features(lab, both[:1_300], "a"), write_features(lab, both[1_300:], "b")
    through = make_online(RECIPE, ["bytes", "proto"]).score_learn_many(both)[0]
    one = score_online(RECIPE, first, project=lab, start="latest")
    two = score_online(RECIPE, second, project=lab, start="latest")
    assert np.array_equal(load_scores(two["run_id"], project=lab)["anomaly_score"], -through[1_300:])
    assert score_online(RECIPE, second, project=lab, start="latest") == two
    assert score_online(RECIPE, first, project=lab, start="latest") == one
    assert score_online(RECIPE, first, project=lab) == one


@pytest.mark.parametrize("window_s", [0, 3_600])
def test_of_a_table_that_has_grown_what_is_new_is_scored_and_learned(lab, window_s):
    """Hours that come one after the other, as `socml score --online` every hour sees them."""
    every = table(1_200).assign(time=pd.date_range("2026-03-02", periods=1_200, freq="min", tz="UTC").as_unit("us"))
    late = every.iloc[[5]].assign(row_id="late")  # came with the second file
    grown = pd.concat([late, every]).sort_values("time", kind="stable", ignore_index=True)
    seen = every[:630]  # ten hours and a half: the last may get more
    one = score_online(RECIPE, write_features(lab, seen, window_s=window_s), project=lab, start="latest")
    two = score_online(RECIPE, write_features(lab, grown, window_s=window_s), project=lab, start="latest")
    assert one["rows"] == 630
    again = 60 if window_s else 0
    new = grown[(grown["row_id"] == "late") | (grown["time"] > seen["time"].iloc[-1] - pd.Timedelta(minutes=again))]
    scores = load_scores(two["run_id"], project=lab)
    assert scores.index.tolist() == new["row_id"].tolist()
    through = make_online(RECIPE, ["bytes", "proto"])
    through.score_learn_many(seen)
    assert np.array_equal(scores["anomaly_score"], -through.score_learn_many(new)[0])
    assert score_online(RECIPE, write_features(lab, grown, window_s=window_s), project=lab, start="latest") == two
    other = score_online(RECIPE, write_features(lab, seen, "other", dataset="e"), project=lab, start="latest")
    assert other["rows"] == 630, "rows of another dataset may have the same names"


def test_rows_of_runs_that_are_gone_are_those_before_the_runs_that_are_there(lab):
    every = table(600)
    runs = [
        score_online(RECIPE, write_features(lab, every[:until]), project=lab, start="latest") for until in (200, 400)
    ]
    shutil.rmtree(run_folder(lab, runs[0]["run_id"]))
    third = score_online(RECIPE, write_features(lab, every), project=lab, start="latest")
    assert load_scores(third["run_id"], project=lab).index.tolist() == every["row_id"][400:].tolist()
    for run in (runs[1], third):
        shutil.rmtree(run_folder(lab, run["run_id"]))
    with pytest.warns(Notice, match="are gone: rows that it knows count as new"):
        last = score_online(RECIPE, write_features(lab, every[:500]), project=lab, start="latest")
    assert last["rows"] == 500


def test_a_table_of_which_nothing_is_new_has_the_run_it_had(lab):
    one = score_online(RECIPE, write_features(lab, table(400)), project=lab, start="latest")
    assert score_online(RECIPE, write_features(lab, table(400)[:300]), project=lab, start="latest") == one


def test_a_table_of_which_nothing_is_new_has_the_run_of_its_own_dataset(lab):
    """Another was learned after it; and of the table the first rows are gone, as retention takes them."""
    one = score_online(RECIPE, write_features(lab, table(400), dataset="a"), project=lab, start="latest")
    two = score_online(RECIPE, write_features(lab, table(300, seed=1), dataset="b"), project=lab, start="latest")
    assert score_online(RECIPE, write_features(lab, table(400)[100:], dataset="a"), project=lab, start="latest") == one
    shutil.rmtree(run_folder(lab, two["run_id"]))
    assert score_online(RECIPE, write_features(lab, table(400)[200:], dataset="a"), project=lab, start="latest") == one


def test_of_two_runs_at_once_the_second_learns_on_from_the_first(lab):
    both, runs = table(2_000), []
    first, second = write_features(lab, both[:1_000], "a"), write_features(lab, both[1_000:], "b")
    other = threading.Thread(target=lambda: runs.append(score_online(RECIPE, second, project=lab, start="latest")))

    def meanwhile(done, rows):
        if not other.ident:
            other.start()
            other.join(1)  # a second run that does not wait is over by then

    score_online(RECIPE, first, project=lab, start="latest", checkpoint_every=500, progress=meanwhile)
    other.join()
    through = make_online(RECIPE, ["bytes", "proto"]).score_learn_many(both)[0]
    assert np.array_equal(load_scores(runs[0]["run_id"], project=lab)["anomaly_score"], -through[1_000:])


def test_rows_that_are_known_are_looked_up_at_once_however_many_blocks_a_table_has(lab, monkeypatch):
    every, calls = table(900), []
    score_online(RECIPE, write_features(lab, every[:300]), project=lab, start="latest")
    is_in = pc.is_in
    monkeypatch.setattr("socml.models.online_run.BLOCK", 50)
    monkeypatch.setattr(
        "socml.models.online_run.pc.is_in", lambda *given, **how: calls.append(1) or is_in(*given, **how)
    )
    run = score_online(RECIPE, write_features(lab, every), project=lab, start="latest")
    assert (run["rows"], len(calls)) == (600, 1)


@pytest.mark.parametrize(("model", "said"), [("daily", "socml run daily d --hours"), ("flow-forest", "mode 'batch'")])
def test_online_asked_of_a_model_of_another_mode_says_so(model, said):
    with pytest.raises(ConfigurationError, match=said):
        line_verbs._score_online(model, "d", 1)


def test_an_interrupted_run_is_taken_up_and_ends_alike(lab, monkeypatch):
    monkeypatch.setattr("socml.models.online_run.BLOCK", 500)
    path = write_features(lab, table())
    other = Project(root=lab.root, workspace=lab.root / "other")
    expected = score_online(RECIPE, write_features(other, table()), project=other)

    def stop(done, rows):
        if done >= 1_500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_online(RECIPE, path, project=lab, checkpoint_every=500, progress=stop)
    seen = []
    run = score_online(RECIPE, path, project=lab, checkpoint_every=500, progress=lambda done, rows: seen.append(done))
    assert seen[0] > 1_000
    assert run["run_id"] == expected["run_id"]
    same = (load_scores(r["run_id"], project=p) for r, p in ((run, lab), (expected, other)))
    pd.testing.assert_frame_equal(*same)
    assert not (run_folder(lab, run["run_id"]) / ".progress.npz").exists()


def test_one_event_is_scored_as_the_table_would_be():
    features = table(600)
    whole, singly = (make_online(RECIPE, ["bytes", "proto"]) for _ in range(2))
    expected = whole.score_learn_many(features)[0]
    for i in range(600):
        row = features.iloc[i : i + 1]
        assert singly.score_one(row) == expected[i]
        singly.learn_one(row)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a file", b"{}"])
def test_a_damaged_state_is_an_error_in_words(damage, tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(damage)
    with pytest.raises(ModelError, match="is not the state of an online model"):
        load_online(path, RECIPE)


def test_a_state_of_another_recipe_is_refused(tmp_path):
    path = make_online(RECIPE, ["bytes"]).save(tmp_path / "state.npz")
    changed = RECIPE.model_copy(update={"parameters": {"window": 64}})
    with pytest.raises(ModelError, match="of another recipe"):
        load_online(path, changed)


def test_a_recipe_that_does_not_fit_says_so():
    with pytest.raises(RecipeError, match="Did you mean 'window'"):
        make_online(RECIPE.model_copy(update={"parameters": {"windw": 3}}), ["a"])
    with pytest.raises(RecipeError, match='no mode = "online"'):
        make_online(RECIPE.model_copy(update={"mode": "batch"}), ["a"])
    with pytest.raises(RecipeError, match="no drift detector called 'adwn'"):
        make_online(RECIPE.model_copy(update={"parameters": {"drift": "adwn"}}), ["a"])


@pytest.mark.parametrize("name", [n for n in recipe_names("models", SHIPPED) if n.startswith("online-")])
def test_every_shipped_online_recipe_makes_a_model(name):
    recipe = load_model_recipe(name, SHIPPED)
    online = make_online(recipe, ["bytes", "proto"])
    assert np.isfinite(online.score_learn_many(table(50))[0]).all()
