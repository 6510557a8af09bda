"""Leaves are kept of the newest runs of a model and of runs that somebody has labelled; a run without them is still one."""

from __future__ import annotations

import pytest
from small_lab import DATASET, MODEL, first_row, make_lab, socml

from socml.jobs.housekeeping import tidy
from socml.jobs.night_state import NightState
from socml.project import (
    Notice,
    Project,
    leaves_file,
    list_runs,
    night_settings,
    read_leaves,
    read_project,
    read_run,
    run_folder,
    run_is_intact,
    write_run,
)
from socml.review.ranking_state import RankingState


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with three runs of one model, of which the first was labelled."""
    project = make_lab(tmp_path_factory.mktemp("lab"))
    for seed in ("1", "2"):
        assert socml(project, "fit", MODEL, DATASET, "--seed", seed, "--promote").code == 0
        assert socml(project, "score", MODEL, DATASET).code == 0
    for number, run in enumerate(sorted(list_runs(project), key=lambda run: run["model_version"])):
        run["finished"] = f"2026-03-0{number + 1}T00:00:00+00:00"  # not all within one second
        write_run(project, run)
    return project


def _tidy(project: Project, newest: int) -> list[str]:
    settings = project.root / "socml.toml"
    settings.write_text(f'workspace = "workspace"\n\n[nightly]\nkeep_leaves_runs = {newest}\n')
    return tidy(DATASET, NightState(), night_settings(read_project(project.root)).nightly, project)


def _bytes_a_row(project: Project, run_id: str) -> float:
    folder = run_folder(project, run_id)
    return sum(path.stat().st_size for path in folder.iterdir()) / int(read_run(project, run_id)["rows"])


def test_only_what_may_still_be_labelled_keeps_its_leaves(lab: Project) -> None:
    runs = sorted(list_runs(lab), key=lambda run: run["model_version"])
    assert first_row(lab)
    ids = [run["run_id"] for run in runs]
    before = {one: _bytes_a_row(lab, one) for one in ids}
    assert _tidy(lab, 0) == []
    (said,) = _tidy(lab, 1)
    assert said.startswith("leaves of 1 runs that nobody labelled (0.0 MB)")
    there = [leaves_file(run_folder(lab, one)) is not None for one in ids]
    assert there == [True, False, True]  # labelled, old, newest
    assert _bytes_a_row(lab, ids[1]) < before[ids[1]]
    assert _tidy(lab, 1) == []
    gone = read_run(lab, ids[1])
    assert run_is_intact(lab, ids[1])
    assert read_leaves(lab, gone) is None
    with pytest.warns(Notice, match="Score again to have them back"):
        assert len(RankingState(lab, gone).candidates) == gone["rows"]
    assert socml(lab, "score", MODEL, DATASET, "--version", "2").code == 0
    again = read_run(lab, ids[1])
    assert read_leaves(lab, again) is not None
    assert "leaves_removed" not in again
