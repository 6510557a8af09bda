"""The page Runs without a browser: what it draws of a run, and who may change what scores every night."""

from __future__ import annotations

import pytest
from app_pages import opened
from builders import BuiltRun, make_run

from socml.project import Project, words


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
