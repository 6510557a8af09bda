"""What lies in the workspace after alterations, full disks, kills and two ingests at once."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stream_files import raws, sshd, write

from socml.ingestion import parts as parts_module
from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest, ingest_files
from socml.ingestion.quarantine import list_quarantine
from socml.ingestion.staging import staging
from socml.project.errors import ConfigurationError, DataError, TryLater, UnknownName
from socml.project.manifest import MANIFEST, read_manifest
from socml.project.project import Project
from socml.project.stored import write_table
from socml.project.workspace import dataset_names, event_files, events_folder, truth_path


def test_a_part_that_was_altered_anywhere_is_told_when_it_is_read(lab: Project, tmp_path: Path) -> None:
    ingest(write(tmp_path / "a.log", sshd(0, 50)), dataset="d", project=lab)
    part = event_files(lab, "d")[0]
    whole = part.read_bytes()
    for at in random.Random(0).sample(range(len(whole)), 12):
        write(part, whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(DataError, match=r"is damaged: its content.*--anew"):
            load_events("d", project=lab)
    write(part, whole[:-9])
    with pytest.raises(DataError, match="is damaged: it has"):
        load_events("d", project=lab)
    part.unlink()
    with pytest.raises(DataError, match="is damaged: it is missing"):
        load_events("d", project=lab)
    write(events_folder(lab, "d") / MANIFEST, "{")
    with pytest.raises(DataError, match=r"manifest.json is damaged"):
        load_events("d", project=lab)


def test_a_table_of_truth_is_never_read_as_events(lab: Project, tmp_path: Path) -> None:
    labelled = "#path\tconn\n#fields\tts\tid.orig_h\tlabel\n1.0\t10.0.0.1\tMalicious\n"
    ingest(write(tmp_path / "conn.log", labelled), dataset="truth", project=lab)
    assert (dataset_names(lab), len(load_events("truth", project=lab))) == (["truth"], 1)
    write(tmp_path / "in" / "conn.log", labelled)
    pq.write_table(pq.read_table(truth_path(lab, "truth")), tmp_path / "in" / "truth.parquet")
    result = ingest_files(tmp_path / "in", dataset="d", project=lab)
    assert result.added == 1
    assert "is a table of ground truth, not of records" in result.failed[0].reason


def test_a_dataset_of_an_earlier_socml_is_read_and_taken_anew_but_not_added_to(
    lab: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.log", sshd(0, 5))
    ingest(path, dataset="now", project=lab)
    old = pq.read_table(event_files(lab, "now")[0])
    write_table(lab.workspace / "events" / "d" / "0123456789abcdef0123456789abcdef.parquet", old)
    truth = {"event_id": ["e"], "malicious": [True], "family": ["f"], "technique": [None]}
    write_table(lab.workspace / "truth" / "d.parquet", pa.table({**truth, "technique": pa.array([None], pa.string())}))
    assert "d" in dataset_names(lab)
    assert (len(load_events("d", project=lab)), len(load_truth("d", project=lab))) == (5, 1)
    with pytest.raises(DataError, match=r"by an earlier socml.*--anew"):
        ingest(path, dataset="d", project=lab)
    assert ingest(path, dataset="d", project=lab, anew=True).added == 5
    assert (sum(raws(lab).values()), len(load_truth("d", project=lab))) == (5, 0)
    monkeypatch.setattr("socml.ingestion.staging.GRACE_S", -60)
    assert ingest(path, dataset="d", project=lab).added == 0
    assert [p.name for p in events_folder(lab, "d").glob("*.parquet")] == [p.name for p in event_files(lab, "d")]


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [(errno.ENOSPC, TryLater, "is full"), (errno.EROFS, ConfigurationError, "cannot be written to")],
)
def test_a_disk_that_is_full_or_read_only_leaves_the_dataset_as_it_was(
    number: int, error: type[Exception], words: str, lab: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(write(tmp_path / "in" / "a.log", sshd(0, 5)), dataset="d", project=lab)
    before = (events_folder(lab, "d") / MANIFEST).read_bytes()
    write(tmp_path / "in" / "b.log", sshd(5, 5))

    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(parts_module.pq, "write_table", failing)
        with pytest.raises(error, match=words):
            ingest(tmp_path / "in", dataset="d", project=lab)
    assert (events_folder(lab, "d") / MANIFEST).read_bytes() == before
    assert ingest(tmp_path / "in", dataset="d", project=lab).added == 5


@pytest.mark.parametrize("at", range(9))
def test_a_commit_that_is_killed_before_any_of_its_renames_changed_nothing(
    at: int, lab: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = "#path\tconn\n#fields\tts\tid.orig_h\tlabel\n"
    rows = "".join(f"{i}.0\t10.0.0.1\tMalicious\n" for i in range(40))
    path = write(tmp_path / "in" / "a.log", labelled + rows + "bad\n")
    if at % 2:
        ingest(path, dataset="d", project=lab)
    stored = 40 if at % 2 else 0
    write(path, labelled + rows + "bad\n" + rows)
    moved, count = Path.replace, 0

    def break_off(self: Path, target: Path) -> Path:
        nonlocal count
        count += "writing" not in self.name
        if count > at:
            raise KeyboardInterrupt
        return moved(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", break_off)
        try:
            ingest(path, dataset="d", project=lab)
            stored = 80
        except KeyboardInterrupt:
            pass
    try:
        assert len(load_events("d", project=lab)) == len(load_truth("d", project=lab)) == stored
    except UnknownName:
        assert stored == 0
    ingest(path, dataset="d", project=lab)
    assert len(load_events("d", project=lab)) == len(load_truth("d", project=lab)) == 80
    assert len(list_quarantine("d", project=lab)) == 1
    manifest = read_manifest(events_folder(lab, "d"))
    ingest(path, dataset="d", project=lab)  # clears what was replaced
    assert manifest == read_manifest(events_folder(lab, "d"))
    assert {p.name for p in events_folder(lab, "d").glob("*.parquet")} == {p.name for p in event_files(lab, "d")}


_LOOP = "import sys; from pathlib import Path; from socml.project.project import Project; from socml.ingestion import ingest_files\np = Project(root=Path(sys.argv[1]), workspace=Path(sys.argv[1]) / 'workspace')\nprint('go', flush=True)\ningest_files(sys.argv[2], dataset='d', format='syslog', project=p)"


def test_an_ingest_that_is_killed_at_a_random_moment_leaves_all_or_nothing(tmp_path: Path) -> None:
    rng, project = random.Random(5), Project(root=tmp_path, workspace=tmp_path / "workspace")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    whole: list[int] = [0]
    for number in range(6):
        write(tmp_path / "in" / f"{number}.log", sshd(1000 * number, 4000))
        command = [sys.executable, "-c", _LOOP, str(tmp_path), str(tmp_path / "in")]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0, 1.5))
        child.send_signal(signal.SIGKILL)
        child.wait()
        whole.append(4000 * (number + 1))
        assert (len(load_events("d", project=project)) if dataset_names(project) else 0) in whole
    ingest(tmp_path / "in", dataset="d", format="syslog", project=project)
    assert len(load_events("d", project=project)) == whole[-1]


def test_two_ingests_at_once_do_not_mix(lab: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", sshd(0, 5))
    with staging(lab, "d"), pytest.raises(TryLater, match="Another ingest of 'd' is running"):
        ingest(path, dataset="d", project=lab)
    assert ingest(path, dataset="d", project=lab).added == 5
