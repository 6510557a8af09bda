"""Labels in and out: our own files come back as they went; other tools' words are ours afterwards, and nothing is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from builders import make_project, make_rows, make_run

from socml.labels.export import write_labels
from socml.labels.intake import import_labels, verdict_of
from socml.labels.recording import open_labels
from socml.labels.verdicts import NewLabel
from socml.project.errors import DataError, FormatError, UnknownName


@pytest.fixture
def project(tmp_path):
    made = make_project(tmp_path / "lab")
    make_rows(made, "r1", "r2", "r3", "r4", "r5", "e1", "e2", "e3")
    return made


@pytest.fixture
def store(project):
    with open_labels(project) as opened:
        yield opened


@pytest.fixture
def bring(project, store, tmp_path):
    """Write text into a file and import it."""

    def imported(name: str, text: str, **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return import_labels(path, project=project, store=store, **options)

    return imported


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_our_own_export_comes_back_with_who_when_and_why(store, project, tmp_path, ending):
    given = NewLabel(
        "r1", "malicious", client_id="c1", by="ana", reason="attack", family="scan", technique="T1046", dataset="d",
        note="=1+1 é", queue_reason="random-audit", strategy="mixed", inclusion_probability=0.25, seen_ms=900,
    )  # fmt: skip
    store.record([given, NewLabel("r2", "benign", client_id="c2", by="bob", suggested=True, weight=0.3, batch_id="b")])
    path = write_labels(store.by_analyst(), tmp_path / f"labels.{ending}")
    before = store.by_analyst()
    assert import_labels(path, project=project, store=store).to_dict()["known_before"] == 2
    pd.testing.assert_frame_equal(store.by_analyst(), before)
    other = make_project(tmp_path / "other")
    make_rows(other, "r1", "r2")
    with open_labels(other) as elsewhere:
        told = import_labels(path, project=other, store=elsewhere)
        assert (told.kind, told.imported, told.known_before) == ("socml", 2, 0)
        after = elsewhere.by_analyst()
    same = [c for c in before.columns if c not in {"label_id", "time", "how", "given_at"}]
    pd.testing.assert_frame_equal(after[same], before[same])
    assert (abs(after["given_at"] - before["time"]) < pd.Timedelta("1s")).all()
    assert set(after["how"]) == {"import"}


def test_a_history_with_undone_labels_brings_those_that_stand(store, project, tmp_path):
    store.record([NewLabel("r1", "benign", client_id="c1"), NewLabel("r2", "malicious", client_id="c2")])
    store.undo(by="analyst", client_id="z")
    path = write_labels(store.history(), tmp_path / "labels.csv")
    other = make_project(tmp_path / "other")
    make_rows(other, "r1", "r2")
    with open_labels(other) as elsewhere:
        told = import_labels(path, project=other, store=elsewhere)
        assert elsewhere.current()["verdict"].to_dict() == {"r1": "benign"}
    assert (told.records, told.imported, sum(told.without_verdict.values())) == (3, 1, 2)


def test_annotations_of_secuml_are_the_rows_of_the_dataset_in_order(bring, store, project):
    run = make_run(project, hostile=False)
    told = bring(
        "annotations.csv",
        "instance_id,label,family\n0,malicious,neptune\n3,BENIGN,normal\n9999,benign,x\n",
        dataset="built",
    )
    assert (told.kind, told.imported, list(told.refused)) == (
        "secuml", 2, ["there is no such event in dataset built"]
    )  # fmt: skip
    labels = store.current(dataset="built")
    assert list(labels.index) == [run.scores.index[0], run.scores.index[3]]
    assert labels["verdict"].to_list() == ["malicious", "benign"]
    assert labels["family"].to_list() == ["neptune", "normal"]


def test_numbers_need_a_dataset(bring):
    with pytest.raises(DataError, match="name the dataset"):
        bring("annotations.csv", "instance_id,label\n0,malicious\n")


def test_the_same_file_twice_adds_nothing_nor_does_a_copy(bring, store):
    text = "event_id,label,analyst,time\ne1,attack,ana,2026-01-02T03:04:05Z\ne2,normal,,\n"
    assert bring("a.csv", text).imported == 2
    again = bring("a.csv", text)
    assert (again.imported, again.known_before) == (0, 2)
    assert bring("b.csv", text + "e3,normal,,\n").imported == 1
    assert len(store.history()) == 3
    first = store.current().loc["e1"]
    assert (first["by"], first["given_at"]) == ("ana", pd.Timestamp("2026-01-02T03:04:05Z"))
    assert store.current().loc["e2", "by"] == "import"


def test_unknown_words_are_counted_and_kept_and_can_be_mapped_later(bring, store):
    text = "id;label\nr1;neptune\nr2;normal\nr3;neptune\nr4;smurf\nr5;open\n"
    told = bring("kdd.csv", text)
    assert told.unknown == {"neptune": 2, "smurf": 1}
    assert told.without_verdict == {"open": 1}
    kept = [json.loads(line) for line in told.kept.read_text().splitlines()]
    assert [(k["record"], k["raw"]["id"], k["reason"]) for k in kept] == [
        (1, "r1", "unknown word 'neptune'"), (3, "r3", "unknown word 'neptune'"), (4, "r4", "unknown word 'smurf'")
    ]  # fmt: skip
    later = bring("kdd.csv", text, words={"neptune": "malicious", "smurf": "malicious"})
    assert (later.imported, later.known_before, later.unknown) == (3, 1, {})
    assert len(store.current()) == 4


def test_records_add_up(bring):
    told = bring("x.csv", "row_id,verdict,technique\nr1,benign,\nr2,what,\n,benign,\nr3,new,\nr4,benign,nonsense\n")
    parts = told.imported + told.known_before
    parts += sum(sum(c.values()) for c in (told.without_verdict, told.unknown, told.refused))
    assert parts == told.records == 5
    assert told.refused["no row"] == 1


CASES = [
    {"_type": "Case", "status": "TruePositive", "tags": ["socml:r1", "family:scan", "T1046"], "pap": 2,
     "assignee": "ana@soc", "endDate": 1_767_323_045_000, "summary": "it was a scan", "caseTemplate": None},
    {"_type": "Case", "status": "Resolved", "resolutionStatus": "FalsePositive", "tags": ["socml:r2"], "pap": 2},
    {"_type": "Alert", "type": "socml", "sourceRef": "first-look:r3", "status": "Indeterminate", "pap": 2},
    {"_type": "Alert", "type": "socml", "sourceRef": "first-look:r4", "status": "New", "pap": 2},
    {"_type": "Case", "status": "TruePositive", "tags": [], "pap": 2, "caseTemplate": None},
]  # fmt: skip


def test_dispositions_of_thehive_are_verdicts(bring, store):
    told = bring("cases.json", json.dumps(CASES))
    assert (told.kind, told.imported, told.without_verdict, told.refused) == (
        "thehive", 3, {"New": 1}, {"no row": 1}
    )  # fmt: skip
    labels = store.current()
    assert labels["verdict"].to_dict() == {"r1": "malicious", "r2": "false_alarm", "r3": "unsure"}
    first = labels.loc["r1"]
    assert (first["by"], first["family"], first["technique"], first["note"]) == (
        "ana@soc", "scan", "T1046", "it was a scan"
    )  # fmt: skip
    assert first["given_at"] == pd.Timestamp("2026-01-02T03:04:05Z")


def test_reasons_of_elastic_alerts_are_verdicts(bring, store):
    hits = [
        {"_id": "a1", "_source": {"event": {"id": "r1"}, "kibana.alert.workflow_status": "closed",
                                  "kibana.alert.workflow_reason": "benign_positive",
                                  "kibana.alert.workflow_user": "bob"}},
        {"_id": "a2", "_source": {"kibana": {"alert": {"workflow_status": "closed", "workflow_reason": "true_positive",
                                                       "original_event": {"id": "r2"},
                                                       "workflow_status_updated_at": "2026-01-02T03:04:05.000Z"}}}},
        {"_id": "r3", "_source": {"kibana.alert.workflow_status": "open"}},
        {"_id": "r4", "_source": {"kibana.alert.workflow_status": "closed",
                                  "kibana.alert.workflow_reason": "false_positive"}},
    ]  # fmt: skip
    told = bring("alerts.json", json.dumps({"hits": {"total": 4, "hits": hits}}))
    assert (told.kind, told.imported, told.without_verdict) == ("elastic", 3, {"open": 1})
    assert store.current()["verdict"].to_dict() == {"r1": "benign", "r2": "malicious", "r4": "false_alarm"}
    assert store.current().loc["r1", "by"] == "bob"
    lines = "\n".join(json.dumps({**hit["_source"], "_id": hit["_id"]}) for hit in hits)
    assert bring("alerts.ndjson", lines).known_before == 3


@pytest.mark.parametrize(
    ("word", "verdict"),
    [("TruePositive", "malicious"), ("true positive", "malicious"), ("TP", "malicious"), ("1", "malicious"),
     (True, "malicious"), (1.0, "malicious"), ("Anomaly", "malicious"), ("BENIGN", "benign"), ("normal", "benign"),
     (0, "benign"), ("False-Positive", "false_alarm"), ("falsePositive", "false_alarm"), ("bénin", "benign"),
     ("Indeterminate", "unsure"), ("InProgress", ""), ("", ""), ("Duplicated", ""), ("neptune", None)],
)  # fmt: skip
def test_words_of_other_tools(word, verdict):
    assert verdict_of(word) == verdict


def test_columns_can_be_named(bring, store):
    text = "flow,outcome\nr1,attack\n"
    with pytest.raises(DataError, match=r"no column for the row: name one of 'flow', 'outcome'"):
        bring("x.csv", text)
    with pytest.raises(UnknownName, match="Did you mean 'outcome'"):
        bring("x.csv", text, row_column="flow", label_column="outcom")
    assert bring("x.csv", text, row_column="flow", label_column="outcome").imported == 1


@pytest.mark.parametrize(("name", "text"), [("x.json", "{broken"), ("x.jsonl", '{"a": 1}\n[1]\n'), ("x.json", "[3]")])
def test_a_file_that_is_not_what_it_says_is_one_error(bring, name, text):
    with pytest.raises(FormatError, match="cannot be read"):
        bring(name, text)


def test_a_label_of_a_row_that_does_not_exist_is_reported_kept_and_never_stored(bring, store):
    text = "row_id,verdict\nr1,benign\nnobody,malicious\nr2,benign\n"
    told = bring("x.csv", text, dataset="d")
    assert (told.imported, told.refused) == (2, {"there is no such row in dataset d": 1})
    kept = [json.loads(line) for line in told.kept.read_text().splitlines()]
    assert [(k["record"], k["reason"]) for k in kept] == [(2, "there is no such row in dataset d: nobody")]
    assert list(store.current().index) == ["r1", "r2"]
    other = bring("x.csv", text, dataset="elsewhere")
    assert (other.imported, other.refused) == (0, {"there is no such row in dataset elsewhere": 3})


def test_what_is_stored_already_is_known_though_its_row_is_gone(bring, store, project):
    text = "row_id,verdict\nr1,benign\n"
    bring("x.csv", text)
    make_rows(project, "r2")
    again = bring("x.csv", text)
    assert (again.imported, again.known_before, again.refused) == (0, 1, {})


@pytest.mark.parametrize("dataset", ["*", "../features/d", "d\0", "x" * 400])
def test_a_datasets_name_in_a_file_of_labels_reaches_no_other_dataset(bring, dataset):
    told = bring(
        "x.jsonl", json.dumps({"row_id": "r1", "verdict": "benign", "by": "a", "client_id": "c", "dataset": dataset})
    )
    assert (told.imported, sum(told.refused.values())) == (0, 1)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"row_id":"r1","verdict":"benign","x":'])
def test_a_file_that_is_nested_deeply_is_one_error(bring, opening):
    closing = {"[": "]", "{": "}"}
    for levels in (60, 100_000):
        text = opening * levels + "1" + "".join(closing[c] for c in reversed(opening) if c in closing) * levels
        with pytest.raises(FormatError, match="nested"):
            bring("x.json", text)


def test_an_empty_file_has_no_labels(bring):
    assert bring("x.csv", "row_id,verdict\n").records == 0


def test_a_file_that_is_not_there_is_said_so(project, store, tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        import_labels(tmp_path / "none.csv", project=project, store=store)
    with pytest.raises(UnknownName, match="kind of label file"):
        import_labels(tmp_path / "none.csv", project=project, store=store, kind="hive")


def test_hostile_text_is_stored_and_acts_nowhere(bring, store):
    bring("x.csv", "row_id,verdict,note\nr1,benign,\"=cmd|' /C calc'!A0 \x1b[31m\"\n")
    assert store.current().loc["r1", "note"] == "=cmd|' /C calc'!A0 \x1b[31m"


@pytest.mark.real
@pytest.mark.parametrize("name", ["v4_test_Case.json", "v4_test_Alert.json"])
def test_cases_of_thehive_4_are_read_and_none_is_lost(shared: Path, project, store, name):
    path = shared / "samples" / "thehive" / name
    if not path.is_file():
        pytest.skip(f"no sample of TheHive at {path.parent}")
    told = import_labels(path, project=project, store=store)
    assert told.kind == "thehive"
    assert told.imported == 0, "the samples are open: nobody has decided them"
    assert sum(told.without_verdict.values()) == told.records == len(json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("separator", "encoding", "end"),
    [
        (";", "cp1252", "\r\n"),
        ("\t", "utf-16", "\r\n"),
        (";", "utf-8-sig", "\r\n"),
        (",", "utf-8", "\n"),
        (";", "cp1252", "\r"),
    ],
)
def test_what_a_spreadsheet_saved_comes_back(separator: str, encoding: str, end: str, store, project, tmp_path) -> None:
    store.record([NewLabel("r1", "benign", by="ana", client_id="1", note='vérifié ; "à" voir, 3 €')])
    write_labels(store.by_analyst(), tmp_path / "ours.csv")
    with (tmp_path / "ours.csv").open(encoding="utf-8", newline="") as ours:
        rows = list(csv.reader(ours))
    with (tmp_path / "theirs.csv").open("w", encoding=encoding, newline="") as theirs:
        csv.writer(theirs, delimiter=separator, lineterminator=end).writerows(rows)
    other = make_project(tmp_path / "other")
    make_rows(other, "r1")
    with open_labels(other) as labels:
        assert import_labels(tmp_path / "theirs.csv", project=other, store=labels).imported == 1
        assert labels.current().loc["r1", "note"] == 'vérifié ; "à" voir, 3 €'


def test_a_damaged_file_is_refused_and_not_read_as_another_encoding(store, project, tmp_path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes("row_id,verdict,note\nr1,benign,é".encode() + b"\xe9\n")
    with pytest.raises(FormatError, match="cannot be read"):
        import_labels(path, project=project, store=store)
