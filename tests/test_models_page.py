"""The page Runs without a browser: what it draws of a run, and who may change what scores every night."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from app_pages import opened
from builders import BuiltRun, make_run

from socml.jobs import column_effects
from socml.project import Project, run_folder, words


@pytest.fixture
def built(app_project: Project) -> BuiltRun:
    return make_run(app_project)


def test_a_run_is_compared_with_another_over_the_same_rows(built: BuiltRun, app_project: Project) -> None:
    make_run(app_project, run_id="other", seed=0)
    app = opened("run_overview.py")
    assert not app.exception
    app.button(key="compare_do").click().run()
    assert not app.exception
    assert next(metric.label for metric in app.metric) == words("en")("app.runs.rank_correlation")


def test_a_single_run_says_that_there_is_nothing_to_compare_with(built: BuiltRun) -> None:
    app = opened("run_overview.py")
    assert not app.exception
    assert any(caption.value == words("en")("app.runs.compare_none") for caption in app.caption)


def test_runs_of_one_version_show_how_scores_and_features_moved(built: BuiltRun, app_project: Project) -> None:
    say = words("en")
    assert say("app.runs.drift_none") in {caption.value for caption in opened("run_overview.py").caption}
    make_run(app_project, run_id="second", seed=1)
    told = {caption.value for caption in opened("run_overview.py").caption}
    assert say("app.runs.drift_about") in told
    assert say("app.runs.drift_none") not in told


def test_how_far_a_column_moved_does_not_depend_on_how_many_rows_there_are() -> None:
    rng = np.random.default_rng(0)
    sizes = []
    for n in (500, 50_000):
        before, same = (rng.lognormal(3, 1, n) for _ in range(2))
        found = column_effects({"same": same, "louder": before * 4, "new": same}, {"same": before, "louder": before})
        assert [name for name, _, _ in found] == ["louder", "same"]
        assert found[1][1] < 0.2
        assert "higher" in found[0][2]
        sizes.append(found[0][1])
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)
    assert column_effects({"few": before[:29]}, {"few": before}) == []


def test_scores_that_are_all_the_same_are_one_bar_on_an_axis_that_can_be_read(
    built: BuiltRun, app_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_folder(app_project, built.run_id) / "scores.parquet"
    scores = pq.read_table(path)
    at = scores.schema.get_field_index("anomaly_score")
    pq.write_table(
        scores.set_column(at, scores.schema.field(at), pa.array([0.0] * len(scores), scores.schema.field(at).type)),
        path,
    )
    charts: list[Any] = []
    monkeypatch.setattr("streamlit.altair_chart", lambda chart, **_: charts.append(chart.to_dict()))
    opened("run_overview.py", run=built.run_id, lang="fr")
    bars = next(iter(charts[0]["datasets"].values()))
    assert {(bar["from"], bar["to"]) for bar in bars} == {(0.0, 1 / 60)}
    assert sum(bar["rows"] for bar in bars) == len(scores)
    titles = [tip["title"] for tip in charts[0]["encoding"]["tooltip"]]
    assert titles == ["de", "à", "Verdict", "Lignes"]
