"""A SecuML project: features are a table, and its idents and annotations find their rows."""

from __future__ import annotations

from pathlib import Path

from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.project.project import Project


def _project(folder: Path) -> Path:
    for name in ("features", "annotations"):
        (folder / name).mkdir(parents=True)
    (folder / "idents.csv").write_text(
        'user_instance_id,ident,timestamp\n1,mail one,2024-02-29 13:06:56\n2,"mail, two",\n', encoding="utf-8"
    )
    (folder / "features" / "words.csv").write_text(
        "instance_id,length,links\n2,10,0.5\n1,20,1.5\n3,5,0\n", encoding="utf-8"
    )
    (folder / "annotations" / "ground_truth.csv").write_text(
        "instance_id,label,family\n1,malicious,phishing\n2,benign,newsletter\n", encoding="utf-8"
    )
    (folder / "annotations" / "partial.csv").write_text("instance_id,label\n3,malicious\n", encoding="utf-8")
    return folder


def test_annotations_are_ground_truth_and_the_id_is_no_feature(tmp_path: Path, lab: Project) -> None:
    result = ingest(_project(tmp_path / "mails") / "features", dataset="mails", project=lab)
    assert (result.added, result.quarantined) == (3, 0)
    events = load_events("mails", project=lab).sort_values("source_line")
    assert "instance_id" not in events.columns
    assert events["length"].tolist() == [10, 20, 5]
    assert [dict(extra).get("ident") for extra in events["extra"]] == ["mail, two", "mail one", None]
    assert events["time"].notna().tolist() == [False, True, False]
    truth = load_truth("mails", project=lab).set_index("event_id").loc[events["event_id"]]
    assert truth["family"].fillna("").tolist() == ["newsletter", "phishing", ""]
    assert truth["malicious"].fillna("none").tolist() == [False, True, "none"]


def test_a_table_that_is_in_no_project_is_read_as_it_is(tmp_path: Path, lab: Project) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a.csv").write_text("instance_id,length\n1,10\n2,20\n", encoding="utf-8")
    ingest(tmp_path / "features", dataset="plain", project=lab)
    assert "instance_id" in load_events("plain", project=lab).columns
