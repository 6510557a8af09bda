"""Sweeps: every combination once, whatever interrupts; the methods compared, and honest about what that says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_lab import known_lab
from patience import wait_until

from socml.evaluate.cells import cell_hash, cells_of
from socml.evaluate.method_ranks import compared, joined_groups, standing_table
from socml.evaluate.sweep import run_sweep
from socml.jobs.experiment import run
from socml.project.errors import RecipeError, UnknownName
from socml.project.recipe_sections import Validation
from socml.project.recipes import ExperimentRecipe, load_experiment_recipe, parse_recipe

SWEEP = """question = "Which is best?"
[sweep]
datasets = ["built", "other", "third"]
models = ["tiny-forest", "tiny-baseline", "tiny-regression"]
seeds = [0, 1]
workers = 1
[validation]
mode = "cross-validation"
folds = 2
replicates = 20
"""


def sweep_lab(root: Path, text: str = SWEEP, rows: int = 300):
    lab = known_lab(root, datasets=("built", "other", "third"), rows=rows)
    (root / "experiments" / "best.toml").write_text(text, encoding="utf-8")
    return lab


def cell_files(lab):
    return sorted((lab.workspace / "cells").glob("*.json"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    lab = sweep_lab(tmp_path_factory.mktemp("sweep"))
    return lab, run_sweep("best", project=lab)


def test_every_combination_is_a_cell_and_is_measured_once(swept):
    lab, result = swept
    assert (result.computed, result.kept, len(result.cells)) == (18, 0, 18)
    written = {path: path.stat().st_mtime_ns for path in cell_files(lab)}
    again = run_sweep("best", project=lab)
    assert (again.computed, again.kept) == (0, 18)
    assert {path: path.stat().st_mtime_ns for path in cell_files(lab)} == written
    assert again.table.equals(result.table)


def test_the_table_is_the_mean_over_datasets_of_the_mean_over_seeds(swept):
    _, result = swept
    for method, line in result.table.iterrows():
        own = result.cells[result.cells["method"] == method]
        wanted = own.groupby("dataset")["average_precision"].mean()
        assert line["mean"] == pytest.approx(wanted.mean())
        assert line["low"] <= line["mean"] <= line["high"]
        assert all(line[d] == pytest.approx(v) for d, v in wanted.items())
    assert result.table.index[0] == "tiny-regression"
    assert result.table["mean_rank"].is_monotonic_increasing


def test_the_sweep_leaves_a_diagram_and_nested_runs(swept):
    lab, result = swept
    assert result.diagram.read_bytes().startswith(b"\x89PNG")
    from socml.models.versions import open_registry

    client = open_registry(lab)
    number = client.get_experiment_by_name("best").experiment_id
    runs = client.search_runs([number])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert len(parents) == 1  # a run in which nothing was measured is not recorded again
    assert len(runs) == 1 + 18
    assert {a.path for a in client.list_artifacts(parents[0].info.run_id)} == {"critical-difference.png", "result.json"}


def test_a_changed_recipe_makes_its_own_cells_anew_and_no_others(tmp_path):
    lab = sweep_lab(tmp_path, SWEEP.replace('"built", "other", "third"', '"built"'))
    run_sweep("best", project=lab)
    recipe = lab.root / "models" / "tiny-baseline.toml"
    recipe.write_text('about = "Only words."\n' + recipe.read_text(encoding="utf-8"), encoding="utf-8")
    assert run_sweep("best", project=lab).computed == 0
    recipe.write_text(recipe.read_text(encoding="utf-8") + "[preparation]\nlog = false\n", encoding="utf-8")
    changed = run_sweep("best", project=lab)
    assert (changed.computed, changed.kept) == (2, 4)


def test_a_cell_depends_on_its_protocol_and_seed(swept):
    lab, _ = swept
    recipe = load_experiment_recipe("best", lab)
    cells = cells_of(recipe, lab)
    hashes = {cell_hash(cell, recipe.validation, lab) for cell in cells}
    assert len(hashes) == len(cells)
    assert cell_hash(cells[0], Validation(mode="cross-validation", folds=4), lab) not in hashes


def test_a_cell_that_cannot_be_measured_is_told_and_the_others_stand(tmp_path):
    text = SWEEP.replace('"built", "other", "third"', '"built"').replace("tiny-baseline", "tiny-learner")
    lab = sweep_lab(tmp_path, text)  # nobody has labelled anything
    result = run_sweep("best", project=lab)
    assert result.computed == 4
    assert any("labels of analysts, and there are none" in notice for notice in result.notices)
    assert set(result.table.index) == {"tiny-forest", "tiny-regression"}
    assert run_sweep("best", project=lab).kept == 4


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_where_it_stopped(tmp_path, swept):
    _, whole = swept
    command = [sys.executable, "-m", "socml", "run", "best", "--json"]
    for attempt in range(20):  # of which one kills it before it is done, however late this process is woken
        root = tmp_path / str(attempt)
        lab = sweep_lab(root, SWEEP.replace("workers = 1", "workers = 2"))
        environment = {**os.environ, "SOCML_PROJECT": str(root)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        begun = subprocess.Popen(command, cwd=root, env=environment, **quiet)
        wait_until(lambda lab=lab, begun=begun: len(cell_files(lab)) >= 3 or begun.poll() is not None)
        begun.send_signal(signal.SIGKILL)
        begun.wait()
        wait_until(lambda begun=begun: not _alive(begun.pid))  # its processes end by themselves
        finished = {path: path.stat().st_mtime_ns for path in cell_files(lab)}
        assert len(finished) >= 3
        if len(finished) < 18:
            break
    assert len(finished) < 18
    resumed = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    result = json.loads(resumed.stdout)
    assert (result["kept"], result["computed"]) == (len(finished), 18 - len(finished))
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())
    means = {line["method"]: line["mean"] for line in result["table"]}
    assert means == pytest.approx(whole.table["mean"].to_dict())


def _alive(session):
    """Return the processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, its = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            found += [stat] if int(its) == session and state != "Z" else []
    return found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('question = "?"', "has no 'dataset'"),
        ('question = "?"\ndataset = "a"\n[sweep]\ndatasets = ["a"]\nmodels = ["b"]', "'dataset' and \\[sweep\\]"),
        ('question = "?"\n[sweep]\ndatasets = ["a", "a"]\nmodels = ["b"]', "names something twice"),
        ('question = "?"\n[sweep]\ndatasets = []\nmodels = ["b"]', "sweep.datasets"),
        ('question = "?"\n[sweep]\ndatasets = ["a"]\nmodel = ["b"]', "Did you mean 'models'"),
    ],
)
def test_a_sweep_recipe_is_strict(text, message):
    with pytest.raises(RecipeError, match=message):
        parse_recipe(ExperimentRecipe, text, path=Path("experiments/e.toml"))


def test_a_name_that_does_not_exist_stops_a_sweep_before_it_begins(tmp_path):
    lab = sweep_lab(tmp_path, SWEEP.replace("tiny-baseline", "tiny-basline"))
    with pytest.raises(UnknownName, match="Did you mean 'tiny-baseline'"):
        run_sweep("best", project=lab)
    assert not cell_files(lab)


def test_a_sweep_has_no_queue(swept):
    lab, _ = swept
    with pytest.raises(RecipeError, match="is a sweep"):
        run("best", project=lab)


def test_few_datasets_are_tested_over_seeds_and_say_so():
    cells = pd.DataFrame(
        [
            {"dataset": "d", "seed": seed, "method": method, "m": value + seed / 100}
            for seed in range(6)
            for method, value in (("a", 0.5), ("b", 0.4), ("c", 0.1))
        ]
    )
    found, notices = compared(cells, "m")
    assert found.blocks == 6
    assert "nothing of other data" in notices[0]
    lacking = cells.drop(index=0)
    assert "1 of 6 blocks lack a method" in compared(lacking, "m")[1][0]
    assert compared(cells[cells["method"] == "a"], "m")[0] is None
    assert standing_table(cells, "m").loc["a", "cells"] == 6


@given(st.lists(st.floats(1, 9), min_size=1, max_size=8), st.floats(0, 5))
def test_bars_of_the_diagram_join_what_is_within_the_difference_and_no_more(ranks, difference):
    ranks = sorted(ranks)
    bars = joined_groups(ranks, difference)
    for first, last in bars:
        assert ranks[last] - ranks[first] <= difference
    joined = {(a, b) for first, last in bars for a in range(first, last + 1) for b in range(a + 1, last + 1)}
    wanted = {(a, b) for a in range(len(ranks)) for b in range(a + 1, len(ranks)) if ranks[b] - ranks[a] <= difference}
    assert joined == wanted
    assert np.unique(bars, axis=0).shape[0] == len(bars) if bars else True
