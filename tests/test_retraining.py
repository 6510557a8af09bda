"""Models over time: fitted again when it is time, in the shadow, promoted by a person and taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from small_lab import DATASET, MODEL, make_lab, socml

from socml.jobs import compare_shadow, promote_version, retrain, roll_back
from socml.jobs.day_checks import Problem
from socml.jobs.day_profile import DayProfile
from socml.jobs.night_state import DayChecks, nights_folder
from socml.models import load_model, standing_of
from socml.models.scoring import load_scores
from socml.project import ConfigurationError, Project, UnknownName


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_lab(tmp_path_factory.mktemp("models") / "lab")


def test_a_condition_that_does_not_hold_fits_nothing_and_says_how_far_it_is(lab: Project) -> None:
    done = retrain(MODEL, DATASET, conditions=["age>30d", "labels>=2", "drift"], project=lab)
    assert (done.fitted, done.beside) == (False, None)
    assert (
        done.why
        == f"age: 0 of 30 days; labels: 1 of 2 since {MODEL}/1 was fitted; drift: 0 columns or scores in the last seven days"
    )
    with pytest.raises(ConfigurationError, match="no condition"):
        retrain(MODEL, DATASET, conditions=["moon=full"], project=lab)
    with pytest.raises(UnknownName):
        compare_shadow(MODEL, DATASET, project=lab)


def test_drift_that_a_night_found_is_a_reason(lab: Project) -> None:
    problem = Problem("feature-drift", "2026-03-02", "flows", "higher", 200, 1.2)
    DayChecks(DayProfile("2026-03-02", "v", {}), (problem,)).write(nights_folder(lab, DATASET))
    assert retrain(MODEL, DATASET, conditions=["age>9999d"], project=lab).fitted is False
    assert "drift: 1" in retrain(MODEL, DATASET, conditions=["age>9999d", "drift"], project=lab).why


def test_the_new_version_is_in_the_shadow_until_a_person_promotes_it_and_can_be_taken_back(lab: Project) -> None:
    late = datetime.now(UTC) + timedelta(days=31)
    done = retrain(MODEL, DATASET, conditions=["age>30d"], project=lab, now=late)
    assert done.fitted
    before = standing_of(MODEL, lab)
    assert (before.champion, before.previous) == ("1", "")
    assert load_model(MODEL, project=lab).version == "1"
    assert done.beside == compare_shadow(MODEL, DATASET, project=lab)
    assert (done.beside.churn, done.beside.correlation) == (0.0, pytest.approx(1.0))  # the same rows, the same seed
    assert promote_version(MODEL, "shadow", project=lab) == before.shadow
    run = json.loads(socml(lab, "score", MODEL, DATASET, "--json").out)
    assert run["model_version"] == f"{MODEL}/{before.shadow}"
    assert set(load_scores(run["run_id"], project=lab)["model_version"]) == {
        f"{MODEL}/{before.shadow}"
    }  # every row says it
    assert roll_back(MODEL, project=lab) == "1"
    assert standing_of(MODEL, lab).previous == before.shadow
    audited = [json.loads(line)["what"] for line in (lab.workspace / "audit.jsonl").read_text().splitlines()]
    by_a_person = [what for what in audited if what in {"retrained", "promoted", "rolled back"}]
    assert by_a_person[-3:] == ["retrained", "promoted", "rolled back"]
    assert {"features built", "fitted", "scored"} <= set(audited)


def test_a_timer_fits_no_other_version_each_night_until_somebody_promotes_one(lab: Project) -> None:
    late = datetime.now(UTC) + timedelta(days=31)
    conditions = ["age>30d", "labels>=1", "drift"]
    assert retrain(MODEL, DATASET, conditions=["always"], project=lab).fitted
    shadow = standing_of(MODEL, lab).shadow
    again = retrain(MODEL, DATASET, conditions=conditions, project=lab)
    assert (again.fitted, standing_of(MODEL, lab).shadow) == (False, shadow)
    assert again.why == (
        f"age: 0 of 30 days; labels: 0 of 1 since {MODEL}/{shadow} was fitted; "
        "drift: 0 columns or scores in the last seven days"
    )
    assert retrain(MODEL, DATASET, conditions=["age>30d"], project=lab, now=late).fitted  # it is old itself


def test_labelled_rows_that_change_sides_are_told() -> None:
    import numpy as np
    import pandas as pd

    from socml.jobs.retraining import beside

    rows = [f"r{i}" for i in range(40)]
    then = pd.Series(np.arange(40.0, 0, -1), rows)  # the first four: r0 to r3
    now = then.copy()
    now["r2"], now["r9"] = 0.5, 99.0
    found = beside(
        "m/1",
        "m/2",
        then,
        now,
        {"r2": "malicious", "r9": "benign", "r0": "malicious", "gone": "benign", "r3": "unsure"},
    )
    assert (found.top, found.churn) == (4, 0.25)
    assert found.flipped == (("r2", "malicious", 3, 40), ("r9", "benign", 10, 1))
    assert 0.5 < found.correlation < 1


def test_promoting_what_is_the_champion_already_is_said_so(lab: Project) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        promote_version(MODEL, "champion", project=lab)
    assert socml(lab, "promote", MODEL, "99").code == 2
