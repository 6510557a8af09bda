"""Sequences from events to a re-ranked queue: feature sets, the markov detector behind them, and what it says."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shell import socml
from sklearn.metrics import roc_auc_score
from stored_events import store

from socml.detectors.markov import GROUPINGS, Markov
from socml.explanations.contributions import explain, explainer_of
from socml.explanations.normal import nearest_normal, what_would_be_normal
from socml.features.build import build_features, load_row_truth
from socml.features.sequences import Sequences
from socml.models.fitting import fit, make_detector
from socml.models.scoring import load_scores, score_run
from socml.models.version import ModelVersion, make_reference
from socml.models.version_files import load_trusted
from socml.project.errors import ModelError, RecipeError
from socml.project.project import Project, init_project, read_project
from socml.project.recipes import ModelRecipe, load_feature_recipe
from socml.project.registry import component
from socml.project.workspace import features_path
from socml.review.loop import Triage

REPOSITORY = Path(__file__).resolve().parents[1]
ODD = "open exec exec close"
TABLE = pd.DataFrame(
    {"steps": [*["open read close", "open write close"] * 40, ODD], "step_count": [3.0] * 80 + [4.0]},
    index=pd.Index([f"r{i}" for i in range(81)], name="row_id"),
)
RECIPE = ModelRecipe(name="steps", detector="markov", features="action-sequences", parameters={"order": 2})


@pytest.fixture(scope="module")
def version():
    pipeline = make_detector(RECIPE).fit(TABLE)
    return ModelVersion("steps", "1", pipeline, make_reference(pipeline.score_samples(TABLE)))


@pytest.fixture
def project(tmp_path):
    return Project(root=REPOSITORY, workspace=tmp_path / "workspace")


def events(*rows):
    """Events of (minute, user, host, action, outcome)."""
    frame = pd.DataFrame(rows, columns=["minute", "user_name", "host_name", "event_action", "event_outcome"])
    frame["time"] = pd.Timestamp("2026-03-02 08:00", tz="UTC") + pd.to_timedelta(
        (frame["minute"].astype(float) * 60_000_000).round().astype("int64"), unit="us"
    )
    frame["event_id"] = [f"{i:032x}" for i in range(len(frame))]
    frame["source_line"] = range(1, len(frame) + 1)
    return frame.drop(columns="minute")


def test_actions_become_sequences_in_the_order_of_time_and_then_of_the_lines():
    told = build_features(
        "action-sequences",
        events(
            (5, "ann", "web", "sudo command", "success"),
            (1, "ann", "web", "ssh_login", "failure"),
            (1, "ann", "web", "ssh_login", "success"),
            (61, "ann", "web", "logout", None),
            (2, "bob", "web", None, None),
            (3, None, "web", "ignored", None),
        ),
        project=Project(root=REPOSITORY, workspace=Path("nowhere")),
    )
    assert told.set_index("entity")["steps"].loc["ann · web"].tolist() == [
        "ssh_login:failed ssh_login sudo_command",
        "logout",
    ]
    assert told.set_index("entity").loc["bob · web", "steps"] == "event"
    assert sorted(told["step_count"]) == [1.0, 1.0, 3.0]


def test_the_order_of_the_events_as_stored_does_not_change_a_sequence(project):
    rows = events(*((i % 50, f"user{i % 3}", "web", f"action{i * 7 % 5}", None) for i in range(300)))
    one = build_features("action-sequences", rows, project=project)
    for seed in range(3):
        two = build_features("action-sequences", rows.sample(frac=1, random_state=seed), project=project)
        pd.testing.assert_frame_equal(one, two)


def test_a_very_long_hour_keeps_its_first_ten_thousand_steps(project):
    rows = events(*((i / 1000, "ann", "web", "tick" if i < 10_000 else "late", None) for i in range(12_000)))
    told = build_features("action-sequences", rows, project=project)
    assert told["steps"].iloc[0].split() == ["tick"] * 10_000
    assert told["step_count"].iloc[0] == 12_000


def lines(texts, **columns):
    frame = events(*((i, None, "web", None, None) for i in range(len(texts))))
    return frame.assign(message=texts, raw=texts, **columns)


def test_templates_become_sequences_of_a_program(project):
    rows = lines([f"session opened for user{i % 9}" if i % 2 else "session closed" for i in range(20)])
    told = build_features("template-sequences", rows.assign(process_name="sshd"), project=project)
    assert set(told["steps"].iloc[0].split()) == {"session_opened_for_<*>", "session_closed"}
    assert told["step_count"].iloc[0] == 20


def test_lines_of_blocks_become_one_sequence_a_block(project):
    texts = [f"Receiving block blk_{i} src 10.0.0.{i}" for i in (1, 2, -3)]
    texts += [f"Deleting block blk_{i}" for i in (-3, 1)] + ["no block here"]
    told = build_features("block-sequences", lines(texts), project=project)
    assert told["step_count"].tolist() == [2.0, 1.0, 2.0]
    assert list(told.index) == [f"{i:032x}" for i in range(3)]
    assert told["steps"].str.split().str.len().tolist() == [2, 1, 2]


def test_a_line_is_a_sequence_of_its_words(project):
    told = build_features("line-tokens", lines(["6 6 63 6 42", "3 3 3"]), project=project)
    assert told["steps"].tolist() == ["6 6 63 6 42", "3 3 3"]


@pytest.mark.parametrize("name", ["action-sequences", "template-sequences", "block-sequences", "line-tokens"])
def test_the_feature_sets_of_sequences_say_that_steps_are_steps(name):
    recipe = load_feature_recipe(name, Project(root=REPOSITORY, workspace=Path("nowhere")))
    assert recipe.columns["steps"] == "steps in order"


def test_sequences_are_handed_on_and_the_rest_is_left_out():
    reader = Sequences().fit(TABLE)
    assert reader.transform(TABLE.iloc[80:]).tolist() == [[ODD]]
    assert reader.dropped_ == {"step_count": "is no sequence"}
    assert reader.typical_ == {"steps": "open read close"}
    assert reader.blank().tolist() == [[""]]


def test_a_missing_sequence_is_an_empty_one(version):
    missing = TABLE.iloc[:2].assign(steps=[None, ""])
    scores = version.pipeline.score_samples(missing)
    assert scores[0] == scores[1]
    assert Sequences().fit(pd.DataFrame({"steps": ["a", None]})).missing_ == {"steps": 0.5}


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        (pd.DataFrame({"a": [1.0]}), "", "has none"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), "", "has several: a, b"),
        (pd.DataFrame({"steps": ["x"]}), "step", "Did you mean 'steps'"),
        (pd.DataFrame({"steps": []}), "steps", "no rows"),
    ],
)
def test_a_table_without_one_column_of_sequences_is_an_error(table, column, message):
    with pytest.raises(ModelError, match=message):
        Sequences(column=column).fit(table)


def test_of_several_texts_the_one_that_is_named_is_read():
    assert Sequences(column="b").fit(pd.DataFrame({"a": ["x"], "b": ["y"]})).transform(
        pd.DataFrame({"a": ["x"], "b": ["y z"]})
    ).tolist() == [["y z"]]


def test_a_table_that_lost_the_column_is_named_and_a_wrong_parameter_is(version):
    with pytest.raises(ModelError, match="no column 'steps'"):
        version.pipeline.score_samples(TABLE.drop(columns="steps"))
    with pytest.raises(RecipeError, match="Did you mean 'column'"):
        make_detector(RECIPE.model_copy(update={"preparation": {"colum": "steps"}}))


def test_the_odd_sequence_scores_lowest_whichever_rows_are_with_it(version):
    together = version.pipeline.score_samples(TABLE)
    assert together.argmin() == 80
    assert [version.pipeline.score_samples(TABLE.iloc[[i]])[0] for i in range(81)] == together.tolist()


def test_a_model_of_sequences_survives_saving(version):
    import skops.io

    with tempfile.TemporaryDirectory() as folder:
        skops.io.dump(version.pipeline, Path(folder) / "m.skops")
        again = load_trusted(Path(folder) / "m.skops")
    assert np.array_equal(again.score_samples(TABLE), version.pipeline.score_samples(TABLE))


def test_the_explanation_is_the_whole_score_and_names_the_steps_that_surprise(version):
    told = explain(version, TABLE, ["r80", "r0"])
    assert told["feature"].tolist() == ["steps", "steps"]
    assert told["contribution"].to_numpy() == pytest.approx(-version.pipeline.score_samples(TABLE.iloc[[80, 0]]))
    assert told["category"].iloc[0].startswith("open → exec (")
    assert explainer_of(version).exact
    assert told["contribution_error"].isna().all()


def test_what_would_make_a_sequence_normal_is_the_usual_one(version):
    found = what_would_be_normal(version, TABLE.loc[["r80"]], explain(version, TABLE, ["r80"]))
    assert found.features == ["steps"]
    assert found.then < 95 < found.now


def test_the_nearest_normal_sequence_shares_most_tokens(version):
    found = nearest_normal(version, TABLE, "r80")
    assert found.differs.index.tolist() == ["steps"]
    assert found.differs.loc["steps", "there"] in ("open read close", "open write close")


def test_groupings_put_sequences_together_as_often_as_they_share_n_grams():
    detector = Markov(order=1).fit(["a"])
    texts = ["a b c d e f g h i", "a b c d e f g h j", "q r s t", "a b c d e f g h i"]
    groups = detector.leaves(texts)
    assert groups.shape == (GROUPINGS, 4)
    assert groups.dtype == np.uint8
    alike = (groups[:, :1] == groups[:, 1:]).mean(axis=0)
    assert alike[0] == pytest.approx(9 / 11, abs=0.12)  # nine of eleven tokens, the end among them
    assert alike[1] < 0.25  # only the end in common
    assert alike[2] == 1.0
    assert np.array_equal(detector.leaves(texts[1:2]), groups[:, 1:2])
    assert detector.leaves([]).shape == (GROUPINGS, 0)


def test_only_the_explainer_of_sequences_supports_markov():
    kinds = [component("explainers", name) for name in ("tree-shap", "column-contributions", "sampled-shapley")]
    assert not any(kind.supports(Markov().fit(["a"])) for kind in kinds)


def test_a_label_moves_sequences_that_are_like_it(tmp_path):
    init_project(tmp_path / "lab")
    project = read_project(tmp_path / "lab")
    rows = []
    for day in range(40):
        for user in range(5):
            for at, action in enumerate(("login", "read", "logout")):
                rows.append((1440 * day + user + at * 0.1, f"user{user}", "web", action, None))
    for user, action in ((7, "dump"), (8, "dump"), (9, "wipe")):
        for at, step in enumerate(("login", action, action, action, "logout")):
            rows.append((1440 * user + at * 0.1, f"odd{user}", "web", step, None))
    store(project, events(*rows))
    features = build_features("action-sequences", "office", project=project)
    fitted = fit("action-markov", features, project=project)
    run = score_run(fitted, features_path(project, "office", "action-sequences"), project=project)
    triage = Triage(run["run_id"], project=project, by="ann")
    entity = features["entity"].to_dict()
    first = [entity[row] for row in triage.queue(3)["row_id"]]
    assert {name.split(" ")[0] for name in first} == {"odd7", "odd8", "odd9"}
    dump = next(row for row, name in entity.items() if name.startswith("odd7"))
    triage.label(dump, "benign", client_id="c1")
    after = [entity[row].split(" ")[0] for row in triage.queue(300)["row_id"]]
    assert after.index("odd9") < after.index("odd8")


@pytest.mark.slow
def test_the_shell_goes_from_raw_logs_to_a_sequence_in_words(tmp_path):
    socml("init", "lab", cwd=tmp_path)
    lab = tmp_path / "lab"
    socml("simulate", "raw", "--days", "2", "--seed", "7", cwd=lab)
    for path in (lab / "raw").iterdir():
        if path.name not in ("auth.log", "truth.parquet"):
            path.unlink()
    socml("ingest", "raw", "--dataset", "demo", cwd=lab)
    out, _ = socml("features", "action-sequences", "demo", cwd=lab)
    assert "steps in order" in out
    socml("fit", "action-markov", "demo", cwd=lab)
    out, _ = socml("score", "action-markov", "demo", "--top", "5", "--json", cwd=lab)
    run = json.loads(out)
    project = read_project(lab)
    truth = load_row_truth("demo", "action-sequences", project=project)
    scores = load_scores(run["run_id"], project=project).join(truth)
    guessed, benign = scores["family"] == "SSH brute force", scores["family"].isna()
    assert guessed.sum() > 10
    assert roc_auc_score(guessed[guessed | benign], scores.loc[guessed | benign, "anomaly_score"]) > 0.95
    out, _ = socml("queue", "--json", cwd=lab)
    queued = json.loads(out)
    first = (queued if isinstance(queued, list) else queued["rows"])[0]["row_id"]
    out, _ = socml("explain", first, "--language", "fr", cwd=lab)
    assert "étapes dans l’ordre" in out.lower()
    assert "→" in out
