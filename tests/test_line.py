"""The golden line: raw logs to a re-ranked queue, on the smallest logs that have an attack in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from scanned_office import SCANNER, zeek_log

from socml.explanations.of_run import explain_run, headlines
from socml.features.build import build_feature_file, load_features, load_row_truth
from socml.ingestion.event_query import load_events
from socml.ingestion.ingestion import ingest
from socml.jobs.experiment import whom
from socml.models.fitting import fit
from socml.models.scoring import load_scores, score_run
from socml.project.project import init_project, read_project
from socml.review.loop import Triage


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("line") / "lab"
    init_project(root)
    zeek_log(root / "conn.log")
    project = read_project(root)
    ingest([root / "conn.log"], dataset="office", project=project)
    path = build_feature_file("source-5min", "office", project=project)
    features = load_features("office", "source-5min", project=project)
    truth = load_row_truth("office", "source-5min", project=project)
    version = fit("source-forest", features, project=project, truth=truth)
    run = score_run(version, path, project=project, truth=truth)
    explain_run(run["run_id"], project=project, top=20)
    return project, run, version, path


def test_the_known_host_comes_first(lab):
    project, run, *_ = lab
    scores = load_scores(run["run_id"], project=project)
    assert scores.sort_values("rank")["entity"].iloc[0] == SCANNER
    assert run["metrics"]["auroc"] > 0.99


def test_the_words_say_who_did_what_in_both_languages(lab):
    project, run, *_ = lab
    first = Triage(run["run_id"], project=project).queue(1)
    (english,) = headlines(run["run_id"], list(first["row_id"]), project=project, language="en")
    (french,) = headlines(run["run_id"], list(first["row_id"]), project=project, language="fr")
    assert whom(next(first.itertuples())).startswith(f"{SCANNER}, 2026-03-02 12:")
    assert any(words in english.lower() for words in ("refused or not answered", "ports", "destination addresses"))
    assert any(words in french.lower() for words in ("sans réponse", "ports", "adresses de destination"))
    for sentence in (english, french):
        assert len(sentence.split()) <= 30
        assert "_" not in sentence


def test_every_event_keeps_its_record(lab):
    project, *_ = lab
    events = load_events("office", project=project)
    lines = [x for x in (Path(project.root) / "conn.log").read_text().splitlines() if not x.startswith("#")]
    assert sorted(events["raw"]) == sorted(lines)


def test_the_same_model_over_the_same_events_is_the_same_run_to_the_byte(lab):
    project, run, version, path = lab
    folder = project.workspace / "scores" / run["run_id"]
    before = (folder / "scores.parquet").read_bytes()
    (folder / "scores.parquet").unlink()
    again = score_run(version, path, project=project)
    assert again["run_id"] == run["run_id"]
    assert (folder / "scores.parquet").read_bytes() == before


def test_a_label_moves_the_ranking_and_undo_moves_it_back(lab):
    project, run, *_ = lab
    triage = Triage(run["run_id"], project=project, by="ana")
    before = list(triage.queue(50)["row_id"])
    done = triage.label(before[0], "benign", client_id="line-1")
    assert before[0] not in list(triage.queue(50)["row_id"])
    assert done.moved_up + done.moved_down > 0
    triage.undo()
    assert list(Triage(run["run_id"], project=project, by="ana").queue(50)["row_id"]) == before
