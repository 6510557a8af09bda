"""Rows of an online run are explained as the model was when each came, though it has learned on since."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from socml.explanations.of_run import explain_rows, explanation_in_words, headlines
from socml.explanations.online import explain_online
from socml.models.online_model import make_online
from socml.models.online_run import score_online
from socml.models.scoring import load_scores
from socml.project.errors import DataError, ModelError
from socml.project.project import Project, starter_root
from socml.project.recipes import load_model_recipe
from socml.project.registry import component_names
from socml.project.stored import write_table
from socml.project.tables import EXPLANATION, check_table

FEATURES = ["bytes", "destinations", "proto"]
ABOUT = {
    "feature_set": "built", "recipe_hash": "0" * 16, "events_snapshot": "1" * 16, "dataset": "d", "features": FEATURES,
    "entity": ["source_ip"], "columns": {"bytes": "bytes sent", "destinations": "destinations", "proto": "protocol"},
}  # fmt: skip
ROWS, ODD = 1500, 1200
RECIPE = 'mode = "online"\ndetector = "{name}"\nfeatures = "built"\nabout = "A test. Blind to much."\n'
SMALL = {"half-space-trees": "n_trees = 5\nwindow = 128\n", "random-cut-forest": "n_trees = 10\nsample_size = 64\n"}


def table(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "row_id": [f"{seed}-{i}" for i in range(ROWS)],
            "time": pd.date_range("2026-03-02", periods=ROWS, freq="s", tz="UTC").as_unit("us"),
            "entity": [f"host-{i}" for i in rng.integers(0, 20, ROWS)],
            "bytes": np.where(rng.random(ROWS) < 0.05, np.nan, rng.lognormal(3, 1, ROWS)),
            "destinations": rng.poisson(8, ROWS).astype(float),
            "proto": rng.choice(["tcp", "udp"], ROWS, p=[0.7, 0.3]),
        }
    )
    features.loc[ODD, "destinations"] = 4000.0
    return features


@pytest.fixture
def lab(tmp_path) -> Project:
    (tmp_path / "models").mkdir()
    for name in component_names("online"):
        text = RECIPE.format(name=name) + (f"[parameters]\n{SMALL[name]}" if name in SMALL else "")
        (tmp_path / "models" / f"on-{name}.toml").write_text(text, encoding="utf-8")
    each = RECIPE.format(name="loda") + "[parameters]\nmax_entities = 5\n"
    (tmp_path / "models" / "on-each.toml").write_text(each, encoding="utf-8")
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def write_features(lab: Project, features: pd.DataFrame, name: str = "built"):
    path = lab.workspace / "features" / "d" / f"{name}.parquet"
    return write_table(path, pa.Table.from_pandas(features, preserve_index=False), ABOUT)


@pytest.mark.parametrize("name", [*component_names("online"), "each"])
def test_pushes_add_up_to_the_score_at_the_time_less_that_of_a_row_of_which_nothing_is_known(lab, name):
    features = table()
    run = score_online(f"on-{name}", write_features(lab, features), project=lab)
    chosen = [features["row_id"][at] for at in (ODD, 700, 1499)]
    told = explain_online(run["run_id"], chosen, project=lab)
    check_table(pa.Table.from_pandas(told, preserve_index=False), EXPLANATION, what="explanations")
    scores = load_scores(run["run_id"], project=lab)["anomaly_score"]
    online = make_online(load_model_recipe(f"on-{name}", lab), FEATURES)
    for at in (700, ODD, 1499):
        done = online.columns.rows
        block = online.columns.read(features[done : at + 1])
        online.detector.score_learn_many(block[:-1], features["entity"][done:at].tolist())
        entity = features["entity"][at]
        nothing = -online.detector.score_one(np.full(3, np.nan), entity)
        own = told[told["row_id"] == features["row_id"][at]]
        assert own["contribution"].sum() + nothing == pytest.approx(scores.iloc[at], abs=1e-9)
        online.detector.learn_one(block[-1], entity)
    assert told.attrs["error"] == 0.0


@pytest.mark.parametrize("name", [name for name in component_names("online") if name != "one-class"])
def test_what_is_planted_pushes_toward_anomalous_and_comes_first(lab, name):
    features = table()
    run = score_online(f"on-{name}", write_features(lab, features), project=lab)
    told = explain_online(run["run_id"], [features["row_id"][ODD]], project=lab)
    assert told["feature"].iloc[0] == "destinations"
    assert told["contribution"].iloc[0] > 0


def test_the_top_rows_are_stored_and_have_headlines_in_both_languages(lab):
    run = score_online("on-gaussian", write_features(lab, table()), project=lab)
    assert explain_online(run["run_id"], top=20, project=lab)["row_id"].nunique() == 20
    assert explain_online(run["run_id"], top=20, project=lab).empty  # stored before
    odd = f"0-{ODD}"
    assert headlines(run["run_id"], [odd], project=lab)[0].startswith("Destinations: 4,000 (usually ")
    assert "4\u202f000 (d’habitude " in headlines(run["run_id"], [odd], project=lab, language="fr")[0]
    told = explanation_in_words(run["run_id"], odd, project=lab)
    assert "went on learning" in told.would_be_normal


def test_a_run_that_went_on_from_another_is_gone_through_from_there(lab):
    first, second = (write_features(lab, table(seed), f"t{seed}") for seed in (1, 2))
    score_online("on-loda", first, project=lab, start="latest")
    run = score_online("on-loda", second, project=lab, start="latest")
    told = explain_online(run["run_id"], [f"2-{ODD}"], project=lab)  # it compares with the score that is stored
    assert told["feature"].iloc[0] == "destinations"


def test_what_is_new_in_a_table_that_has_grown_is_explained(lab):
    features = table()
    score_online("on-loda", write_features(lab, features[:700]), project=lab, start="latest")
    run = score_online("on-loda", write_features(lab, features), project=lab, start="latest")
    told = explain_online(run["run_id"], top=3, project=lab)  # it compares with the score that is stored
    assert told["row_id"].nunique() == 3
    assert set(told["row_id"]) <= set(features["row_id"][700:])


def test_rows_that_are_not_stored_are_not_made_up(lab):
    run = score_online("on-gaussian", write_features(lab, table()), project=lab)
    with pytest.raises(DataError, match="learned on since"):
        explain_rows(run["run_id"], ["0-3"], project=lab)
    with pytest.raises(DataError, match="no row 'nobody'"):
        explain_online(run["run_id"], ["nobody"], project=lab)


def test_a_table_or_recipe_that_changed_since_is_noticed(lab):
    run = score_online("on-gaussian", write_features(lab, table()), project=lab)
    write_features(lab, table().assign(destinations=7.0))
    with pytest.raises(DataError, match="built again since"):
        explain_online(run["run_id"], ["0-1300"], project=lab)
    recipe = lab.root / "models" / "on-gaussian.toml"
    recipe.write_text(recipe.read_text(encoding="utf-8") + "[parameters]\nprior = 9.0\n", encoding="utf-8")
    with pytest.raises(ModelError, match="has changed since"):
        explain_online(run["run_id"], ["0-1300"], project=lab)


def test_a_batch_run_is_told_elsewhere(tmp_path):
    from builders import make_project, make_run

    project = make_project(tmp_path)
    with pytest.raises(DataError, match="not of an online model"):
        explain_online(make_run(project).run_id, project=project)


def test_the_starter_has_online_recipes_to_explain():
    assert (starter_root() / "models" / "online-gaussian.toml").is_file()
