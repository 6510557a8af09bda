"""Names in data are never code: whatever a column, key, dataset, entity or family is called, no SQL of it runs."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from socml.explanations.of_run import explain_run, headlines
from socml.features.build import build_feature_file, build_features, load_features
from socml.ingestion.event_query import events_of_row, load_events
from socml.ingestion.ingestion import ingest
from socml.labels.export import write_labels
from socml.labels.recording import open_labels, read_labels, record_label
from socml.models.fitting import fit
from socml.models.scoring import score_run
from socml.project.engines import quoted, sealed_connection
from socml.project.errors import DataError, SocmlError
from socml.project.project import Project, starter_root
from socml.project.recipes import FeatureRecipe
from socml.project.tables import plain_columns, strange_columns
from socml.review.loop import Triage

HEADER = """event_id" from stored_events; copy (select 1 as a) to 'owned.csv' --"""
PIECES = [
    '"', '""', "'", ";", "--", "/*", "*/", "\n", "\r\n", "\t", "\0", ",", ".", "[0]", "\\", "%", "{", "{{", "$1", "?", "é", "名", "\u202e",
    " ", "row_id", "time", "Entity", "window_start", "raw", "a", "A", "bytes", "x" * 999, "x" * 10_000, "__proto__", "=1+1",
    HEADER, "copy (select 1) to 'owned.csv'", "; copy (select 1) to 'owned.csv'; select ", "select * from read_csv('/etc/passwd')",
]  # fmt: skip
NAMES = st.lists(st.sampled_from(PIECES), min_size=0, max_size=4).map("".join)
HEADERS = st.lists(NAMES, min_size=2, max_size=6)
FEW = settings(suppress_health_check=list(HealthCheck), max_examples=10, deadline=None)
ROWS = 60


class Bench:
    """A project in a folder of its own, where a file that SQL writes would be seen."""

    def __enter__(self) -> Bench:
        self._folder, self._before = tempfile.TemporaryDirectory(), Path.cwd()
        self.root = Path(self._folder.name)
        (self.root / "here").mkdir()
        os.chdir(self.root / "here")
        self.project = Project(starter_root(), self.root / "workspace")
        return self

    def __exit__(self, *_: object) -> None:
        os.chdir(self._before)
        found = [path.name for path in (self.root / "here").iterdir()]
        self._folder.cleanup()
        assert found == []

    def csv(self, names: list[str]) -> Path:
        path = self.root / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([[row * (column + 1) % 17 for column in range(len(names))] for row in range(ROWS)])
        return path

    def parquet(self, names: list[str]) -> Path:
        columns = [[row * (column + 1) % 17 for row in range(ROWS)] for column in range(len(names))]
        path = self.root / "table.parquet"
        pq.write_table(pa.table(columns, names=names), path)
        return path


def one_sentence(error: SocmlError) -> None:
    """An error names what is wrong in one paragraph that a terminal shows, however long a name is."""
    assert 0 < len(str(error)) < 3000
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@given(names=HEADERS)
@example(names=[HEADER, "bytes", 'a"b'])
@example(names=["A", "a", "a_2", "A_2"])
@example(names=["", "", " ", "\0"])
@FEW
def test_names_of_columns_are_kept_or_refused_and_never_run(kind, names):
    with Bench() as bench:
        path = getattr(bench, kind)(names)
        try:
            ingest(path, dataset="odd", format="table", project=bench.project)
        except DataError as error:
            one_sentence(error)
            return
        events = load_events("odd", project=bench.project)
        own = [name for name in events.columns if name in load_features_of(bench)]
        assert len(own) >= 1
        assert strange_columns([name for name in events.columns if name not in event_columns()]) == []
        features = load_features("odd", "table-columns", project=bench.project)
        for name in own:  # each column of the features is that column of the events, and no other
            by_event = events.set_index("event_id")[name].astype(float)
            assert features[name].tolist() == by_event.loc[features.index].tolist()


def load_features_of(bench: Bench) -> list[str]:
    build_feature_file("table-columns", "odd", project=bench.project)
    return list(load_features("odd", "table-columns", project=bench.project).attrs["socml"]["features"])


def event_columns() -> set[str]:
    from socml.project.tables import EVENT

    return set(EVENT)


@given(names=st.lists(NAMES.filter(bool), min_size=1, max_size=4, unique=True))
@example(names=[HEADER])
@FEW
def test_keys_of_json_are_kept_as_data(names):
    flow = {"timestamp": "2026-03-01T10:00:00.000000+0000", "event_type": "flow", "src_ip": "10.0.0.1", "proto": "TCP"}
    with Bench() as bench:
        path = bench.root / "eve.json"
        records = [flow | {"src_port": n} | dict.fromkeys(names, f"v{n}") for n in range(5)]
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        try:
            ingest(path, dataset="keys", format="suricata-eve", project=bench.project)
        except DataError as error:
            one_sentence(error)
            return
        build_feature_file("flow", "keys", project=bench.project)
        first = load_features("keys", "flow", project=bench.project).index[0]
        about = {"entity": [], "window_seconds": 0}
        assert len(events_of_row("keys", row={"row_id": first}, feature_metadata=about, project=bench.project)) == 1


@given(entity=NAMES, family=NAMES, value=NAMES, set_name=NAMES)
@example(entity=HEADER, family=HEADER, value=HEADER, set_name="it's")
@example(entity="time", family="", value="", set_name="")
@example(entity='a"b', family="'; drop table label_event; --", value="", set_name="x")
@FEW
def test_entities_and_families_are_names_and_values(entity, family, value, set_name):
    time = pd.Timestamp("2026-03-01T10:00:00Z")
    with Bench() as bench:
        events = pd.DataFrame({"event_id": ["a", "b"], "time": [time, time], "raw": ["", ""]})
        events[entity] = [value, "other"]
        try:
            column = quoted(entity)
            recipe = FeatureRecipe(
                name=set_name,
                path=Path("x.sql"),
                hash="0",
                entity=[entity],
                window="1 hour",
                blind_to="nothing",
                columns={"n": "events"},
                sql=f"select {column}, window_start, count(*) as n from events group by all",
            )
            features = build_features(recipe, events, project=bench.project)
        except SocmlError as error:
            one_sentence(error)
        else:
            assert sorted(features[entity]) == sorted([value, "other"])
            assert features["n"].tolist() == [1, 1] or value == "other"
        exports = bench.root / "out"
        try:
            record_label("r1", "malicious", family=family, by="ana", dataset="odd", project=bench.project)
        except SocmlError as error:
            one_sentence(error)
            return
        labels = read_labels(dataset="odd", project=bench.project)
        said = labels["family"].fillna("").loc["r1"]
        assert said == family.replace("\0", "\N{REPLACEMENT CHARACTER}")  # what no database stores
        for ending in ("csv", "jsonl", "parquet"):
            write_labels(labels, exports / f"labels.{ending}")
        with open_labels(bench.project) as store:
            assert len(store.history()) == 1


def test_hostile_names_walk_the_whole_line():
    names = [name for name in PIECES if len(name) < 1000]
    with Bench() as bench:
        project = bench.project
        ingest(bench.parquet(names), dataset="odd", format="table", project=project)
        features = build_features("table-columns", "odd", project=project)
        version = fit("table-forest", features, project=project)
        run = score_run(version, build_feature_file("table-columns", "odd", project=project), project=project)
        explained = explain_run(run["run_id"], top=3, project=project)
        assert set(explained["feature"]) <= set(features.columns)
        assert len(headlines(run["run_id"], list(explained["row_id"].unique()), project=project)) > 0
        with Triage(run["run_id"], by="ana", project=project) as triage:
            first = triage.queue(3)["row_id"].iloc[0]
        details = {"run_id": run["run_id"], "dataset": "odd", "family": HEADER}
        record_label(first, "malicious", project=project, **details)
        labels = read_labels(dataset="odd", project=project)
        assert labels["family"].tolist() == [HEADER]
        write_labels(labels, bench.root / "labels.csv")


@given(name=NAMES)
@example(name="a" * 10_000)
@example(name="a\0")
@example(name="../a")
@FEW
def test_a_dataset_is_a_plain_name_or_refused(name):
    with Bench() as bench:
        path = bench.csv(["one", "two"])
        try:
            ingest(path, dataset=name, format="table", project=bench.project)
        except SocmlError as error:
            one_sentence(error)
        else:
            assert [p.name for p in (bench.project.workspace / "events").iterdir()] == [name]


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_a_quoted_name_is_that_column_and_nothing_else(name):
    if "\0" in name:
        with pytest.raises(DataError):
            quoted(name)
        return
    with sealed_connection({"t": pa.table({name: [7]})}) as connection:
        assert connection.sql(f"select {quoted(name)} from t").fetchall() == [(7,)]


@given(HEADERS, st.lists(NAMES, max_size=3))
def test_plain_names_are_told_apart_and_stable(names, stored):
    names, kept = list(dict.fromkeys(names)), list(plain_columns(stored).values())
    plain = plain_columns(names, kept)
    assert list(plain) == names
    assert strange_columns(list(plain.values())) == []
    everything = [*kept, *(name for name in plain.values() if name not in kept)]
    assert strange_columns(everything) == []  # what the dataset has and what comes fit into one table
    assert plain_columns(names, [*plain.values()]) == plain  # the same file again goes into the same columns


def test_a_name_that_differs_in_capitals_alone_is_the_stored_column():
    assert plain_columns(["BYTES", "Extra"], ["bytes"]) == {"BYTES": "bytes", "Extra": "Extra_"}
    assert plain_columns(["Bytes", "bytes"], ["bytes", "Bytes_2"]) == {"Bytes": "Bytes_2", "bytes": "bytes"}


def test_the_shared_header_injection_is_a_plain_name(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = Project(starter_root(), tmp_path / "workspace")
    path = shared / "datasets" / "faults" / "header_injection.csv"
    ingest(path, dataset="injected", format="table", project=project)
    features = build_features("table-columns", "injected", project=project)
    assert features.attrs["socml"]["features"] == [HEADER, "bytes", 'a"b']
    assert sorted(features[HEADER]) == [1.0, 2.0]
    assert list(tmp_path.rglob("owned.csv")) == []
