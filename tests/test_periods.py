"""Fit on a stated time, score another, judge day by day: command line, recipe and Python."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from daily_events import flow, project_in, store
from typer.testing import CliRunner

from socml.cli import app
from socml.evaluate.validation.splits import Rows, make_folds
from socml.features import build_feature_file, build_features, features_of_period, rows_of_period
from socml.models import fit
from socml.project import ConfigurationError, DataError, ModelRecipe, Period, Project, Validation, open_table

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = project_in(tmp_path_factory.mktemp("periods"))
    rng = np.random.default_rng(0)
    events = [
        flow(
            f"{day}T{hour:02}:10:00Z",
            f"10.0.0.{host}",
            "203.0.113.5",
            source_bytes=int(rng.integers(100, 900)),
            duration_s=1.0,
        )
        for day in DAYS
        for hour in range(8, 18)
        for host in range(1, 5)
    ]
    store(project, events)
    return project


def test_a_day_as_the_end_is_part_of_the_period_and_a_moment_is_not(project: Project) -> None:
    table = build_features("source-5min", "office", project=project)
    by_day = table["time"].dt.date.astype(str).value_counts()
    assert len(rows_of_period(table, Period.of("2026-03-02", "2026-03-02"))) == by_day["2026-03-02"]
    assert len(rows_of_period(table, Period.of("", "2026-03-02T00:00"))) == by_day["2026-03-01"]
    assert len(rows_of_period(table, Period.of("2026-03-02"))) == by_day["2026-03-02"] + by_day["2026-03-03"]
    assert rows_of_period(table, Period()) is table


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    assert Period.of("2026-03-02T01:00+01:00").begin == Period.of("2026-03-02").begin


@pytest.mark.parametrize(
    ("begin", "until", "says"),
    [("yesterday", "", "'yesterday' is neither"), ("2026-03-03", "2026-03-02", "must be later")],
)
def test_a_period_that_is_none_is_named(begin: str, until: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Period.of(begin, until)


def test_a_period_without_rows_says_when_the_rows_are(project: Project) -> None:
    table = build_features("source-5min", "office", project=project)
    with pytest.raises(DataError, match="The rows are from 2026-03-01 08:10 to 2026-03-03"):
        rows_of_period(table, Period.of("2027-01-01"))
    with pytest.raises(DataError, match="The rows are from"):
        features_of_period(build_feature_file("source-5min", "office", project=project), Period.of("2027-01-01"))


def test_a_file_of_a_period_holds_the_rows_of_the_table_of_that_period(project: Project) -> None:
    whole = build_feature_file("source-5min", "office", project=project)
    period = Period.of("2026-03-02", "2026-03-02")
    with open_table(features_of_period(whole, period)) as file:
        ids = file.read(["row_id"])["row_id"].to_pylist()
    table = rows_of_period(build_features("source-5min", "office", project=project), period)
    assert ids == table.index.tolist()
    assert features_of_period(whole, Period()) == whole


def test_a_recipe_states_the_period_and_the_version_remembers_it(project: Project) -> None:
    table = build_features("source-5min", "office", project=project)
    recipe = ModelRecipe.model_validate(
        {"detector": "robust-z", "features": "source-5min", "period": {"from": "2026-03-01", "until": "2026-03-01"}}
    )
    version = fit(recipe, table, project=project)
    assert version.metadata["rows"] == 40
    assert version.metadata["period"].startswith("from 2026-03-01")


def test_the_command_line_fits_on_clean_days_and_scores_a_later_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    monkeypatch.setenv("SOCML_WORKSPACE", str(project.workspace))
    fitted = CliRunner().invoke(app, ["fit", "source-forest", "office", "--until", "2026-03-02", "--json"])
    assert fitted.exit_code == 0, fitted.output
    assert json.loads(fitted.stdout)["rows"] == 80
    scored = CliRunner().invoke(
        app, ["score", "source-forest", "office", "--from", "2026-03-03", "--top", "2", "--json"]
    )
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.stdout)["rows"] == 40
    refused = CliRunner().invoke(app, ["score", "online-gaussian", "office", "--online", "--from", "2026-03-03"])
    assert refused.exit_code != 0


def test_by_day_judges_each_day_by_the_days_before_it() -> None:
    time = pd.to_datetime([f"{day}T{hour}:00Z" for day in DAYS for hour in ("00", "23")]).as_unit("us").astype("int64")
    rows = Rows(time.to_numpy(np.float64), np.array(["a"] * 6), np.zeros(6))
    folds = [(f.name, f.train.tolist(), f.test.tolist()) for f in make_folds(rows, Validation(mode="by-day"))]
    assert folds == [("2026-03-02", [0, 1], [2, 3]), ("2026-03-03", [0, 1, 2, 3], [4, 5])]
    with pytest.raises(DataError, match="no rows to fit on"):
        make_folds(Rows(rows.time_us[:2], rows.entity[:2], rows.malicious[:2]), Validation(mode="by-day"))
