"""Real sequences beside the project → ranked by the markov detector, from the files as they are published."""

from __future__ import annotations

import csv
import gzip

import pytest

from socml.explanations.of_run import explain_run
from socml.features.build import build_feature_file, build_features, load_row_truth
from socml.ingestion.ingestion import ingest
from socml.models.fitting import fit
from socml.models.scoring import load_scores, score_run
from socml.project.project import Project, init_project, read_project
from socml.project.recipes import ModelRecipe
from socml.project.workspace import features_path

pytestmark = pytest.mark.real
RECIPE = """
about = "OpenStack: a virtual machine's events in order."
format = "table"
[table]
drop = ["id"]
[table.types]
events = "category"
[truth]
column = "label"
malicious = ["abnormal"]
benign = ["normal"]
"""


@pytest.fixture
def project(tmp_path) -> Project:
    init_project(tmp_path / "lab")
    return read_project(tmp_path / "lab")


def published(shared, kind):
    with gzip.open(shared / f"datasets/log-sequences-ait/openstack_parisakalaki/openstack_{kind}.gz", "rt") as lines:
        return [line.strip().split(",", 1) for line in lines if line.strip()]


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "events", "label"), *rows])


def test_openstack_sequences_go_from_a_table_to_a_ranking_with_reasons(shared, project):
    train = [(*row, "normal") for row in published(shared, "train")]
    test = [(*row, "normal") for row in published(shared, "test_normal")[:2000]]
    test += [(*row, "abnormal") for row in published(shared, "test_abnormal")[:100]]
    for name, rows in (("openstack-train", train), ("openstack-test", test)):
        (project.root / "datasets" / f"{name}.toml").write_text(RECIPE, encoding="utf-8")
        write(project.root / f"{name}.csv", rows)
        ingest([project.root / f"{name}.csv"], dataset=name, project=project, final=True)
    recipe = ModelRecipe(
        name="openstack", detector="markov", features="table-columns", preparation={"column": "events"}, hash="o"
    )
    version = fit(recipe, build_features("table-columns", "openstack-train", project=project), project=project)
    path = build_feature_file("table-columns", "openstack-test", project=project)
    run = score_run(
        version, path, project=project, truth=load_row_truth("openstack-test", "table-columns", project=project)
    )
    assert run["rows"] == len(test)
    assert run["metrics"]["auroc"] > 0.8
    told = explain_run(run["run_id"], top=3, project=project)
    assert told["category"].str.contains("→").all()


def test_blocks_of_the_sample_of_hdfs_become_sequences(shared, project):
    ingest([shared / "datasets/loghub-2k/HDFS/HDFS_2k.log.gz"], dataset="hdfs-loghub", project=project, final=True)
    features = build_features("block-sequences", "hdfs-loghub", project=project)
    assert features["step_count"].sum() == 2000  # every line names a block
    version = fit("block-markov", features, project=project)
    run = score_run(version, features_path(project, "hdfs-loghub", "block-sequences"), project=project)
    first = load_scores(run["run_id"], project=project).sort_values("rank").index[0]
    rare = features["steps"].map(features["steps"].value_counts())
    assert rare[first] < 5
