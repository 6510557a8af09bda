"""Faults of files, disks and processes: one bad file stops no other, and a dataset is as it was or complete."""

from __future__ import annotations

import errno
import gzip
import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stream_files import OLD, SSHD, raws, sshd, write
from typer.testing import CliRunner

from socml.cli import app
from socml.ingestion import sources
from socml.ingestion.event_query import load_events
from socml.ingestion.ingestion import ingest, ingest_files
from socml.ingestion.peeking import peek
from socml.ingestion.quarantine import Chosen, clear_quarantine, list_quarantine, retry_quarantine
from socml.ingestion.result import IngestResult
from socml.project.project import Project


def recipe(tmp_path: Path, text: str) -> Project:
    write(tmp_path / "datasets" / "d.toml", text)
    return Project(root=tmp_path, workspace=tmp_path / "workspace")


def test_the_same_bytes_on_two_hosts_are_two_streams_and_said_to_be(lab: Project, tmp_path: Path) -> None:
    for host in ("web1", "web2"):
        write(tmp_path / "in" / host / "auth.log", sshd(0, 20))
    first = ingest_files(tmp_path / "in", dataset="d", project=lab)
    assert (first.added, len(first.same_bytes)) == (40, 1)
    assert "copies = true" in str(first)
    for path in (tmp_path / "in").glob("*/auth.log"):
        path.rename(path.with_name("auth.log.1"))
        write(path.with_name("auth.log.1.gz"), gzip.compress(path.with_name("auth.log.1").read_bytes()))
    again = ingest_files(tmp_path / "in", dataset="d", project=lab)
    assert (again.added, again.duplicates, again.same_bytes) == (0, 80, ())


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_changed_in_place_is_read_and_said_to_be(lab: Project, tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "in" / ("auth.log.gz" if packed else "auth.log")

    def put(text: str) -> IngestResult:
        write(path, gzip.compress(text.encode()) if packed else text)
        return ingest_files(tmp_path / "in", dataset="d", project=lab)

    text = sshd(0, 200)
    hurt = text[:15_000] + "\0" * 500 + text[15_500:]
    assert put(hurt).altered == ()
    mended = put(text)
    assert (mended.added, mended.altered) == (200, (mended.per_file[0].file,))
    assert "--anew" in str(mended)
    assert put(text + sshd(200, 20)).altered == (), "it goes on"
    assert put(sshd(500, 200)).altered == (), "another log where it was"


def test_what_begins_with_the_same_banner_is_another_log(lab: Project, tmp_path: Path) -> None:
    banner = "".join(f"# {line} of a banner\n" for line in range(50))
    for begin in (0, 100):
        write(tmp_path / "in" / "auth.log", banner + sshd(begin, 5))
        assert ingest_files(tmp_path / "in", dataset="d", project=lab).altered == ()


def test_a_recipe_says_that_the_same_bytes_are_copies(tmp_path: Path) -> None:
    project = recipe(tmp_path, "[stream]\ncopies = true\n")
    for host in ("web1", "web2"):
        write(tmp_path / "in" / host / "auth.log", sshd(0, 20))
    for added in (20, 0):
        assert ingest_files(tmp_path / "in", dataset="d", project=project).added == added
    write(tmp_path / "late" / "auth.log", sshd(0, 20))
    assert ingest_files(tmp_path / "late", dataset="d", project=project).added == 0


def test_ids_are_the_same_in_another_workspace_and_by_another_folder_of_the_host(tmp_path: Path) -> None:
    ids = []
    for place in ("a", "b"):
        project = recipe(tmp_path / place, "[stream]\nfolder_levels = 1\n")
        write(tmp_path / place / "logs" / place / "web1" / "auth.log", sshd(0, 5))
        ingest(tmp_path / place / "logs", dataset="d", project=project)
        ids.append(sorted(load_events("d", project=project)["event_id"]))
    assert ids[0] == ids[1]


def test_ten_identical_lines_that_a_rotation_splits_are_ten(lab: Project, tmp_path: Path) -> None:
    write(tmp_path / "in" / "app.log.1", SSHD.format(0, 1) * 6)
    write(tmp_path / "in" / "app.log", SSHD.format(0, 1) * 4)
    assert ingest(tmp_path / "in", dataset="d", project=lab).added == 10


def test_a_copy_beside_a_file_of_its_stream_waits_for_the_rotation_to_end(lab: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "app.log", sshd(0, 5))
    ingest(tmp_path / "in", dataset="d", project=lab)
    write(tmp_path / "in" / "app.log.1", path.read_bytes())
    under_way = ingest_files(tmp_path / "in", dataset="d", project=lab)
    assert (under_way.added, len(under_way.waiting), under_way.failed) == (0, 1, ())
    write(path, sshd(5, 3))
    assert ingest_files(tmp_path / "in", dataset="d", project=lab).added == 3
    assert sum(raws(lab).values()) == 8


@pytest.mark.parametrize("final", [False, True])
def test_half_a_line_is_never_left_as_an_event_or_in_quarantine(final: bool, lab: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", SSHD.format(0, 1) + "Mar  2 10:00:01 h1 app[1]: sec")
    first = ingest_files(path, dataset="d", project=lab, final=final)
    assert (first.added, first.pending) == ((2, 0) if final else (1, 1))
    write(path, SSHD.format(0, 1) + "Mar  2 10:00:01 h1 app[1]: second\n")
    second = ingest_files(path, dataset="d", project=lab)
    assert (second.added, second.pending) == ((0, 0) if final else (1, 0))
    assert sorted(raws(lab)) == sorted([SSHD.format(0, 1).rstrip(), "Mar  2 10:00:01 h1 app[1]: second"])
    assert not list_quarantine("d", project=lab)


def test_a_last_line_waits_until_the_file_rests_or_has_a_successor(lab: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.log", sshd(0, 2).rstrip("\n"))
    assert ingest_files(path, dataset="d", project=lab).pending == 1
    assert ingest_files(path, dataset="d", project=lab).pending == 1
    os.utime(path, (OLD, OLD))
    assert ingest_files(path, dataset="d", project=lab).added == 1
    write(tmp_path / "in" / "b.log.1", sshd(2, 2).rstrip("\n"))
    write(tmp_path / "in" / "b.log", sshd(4, 1))
    assert ingest_files(tmp_path / "in", dataset="d", project=lab).added == 3


def test_a_cut_record_lies_in_quarantine_without_refusing_the_file_and_leaves_it(lab: Project, tmp_path: Path) -> None:
    lines = [json.dumps({"ts": 1772445600.0 + i, "uid": f"C{i}", "id.orig_h": "192.0.2.1"}) + "\n" for i in range(10)]
    path = write(tmp_path / "conn.json", "".join(lines)[:-30], old=True)
    assert (
        ingest_files(path, dataset="d", format="zeek-json", project=lab).added,
        len(list_quarantine("d", project=lab)),
    ) == (9, 1)
    write(path, "".join(lines))
    assert ingest_files(path, dataset="d", format="zeek-json", project=lab).added == 1
    assert not list_quarantine("d", project=lab)


def test_a_document_that_is_cut_waits_and_is_taken_whole_once_it_is_complete(lab: Project, tmp_path: Path) -> None:
    members = [{"Id": str(i), "CreationTime": f"2026-03-02T10:00:0{i}", "Operation": "FileRead"} for i in range(4)]
    document = json.dumps(members, indent=1)
    path = write(tmp_path / "all.json", document[: len(document) - 20])
    first = ingest_files(path, dataset="d", format="nginx-json", project=lab, max_bad_share=1.0)
    write(path, document)
    second = ingest_files(path, dataset="d", format="nginx-json", project=lab, max_bad_share=1.0)
    assert first.pending or first.waiting
    assert second.pending == 0


@pytest.mark.parametrize("text", ["time,user\r2026-03-02T10:00:00Z,bob\r2026-03-02T10:00:01Z,ann\r", "time,user"])
def test_a_file_whose_first_line_has_no_end_yet_waits(text: str, lab: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text)
    first = ingest_files(path, dataset="d", format="table", project=lab)
    assert (len(first.waiting), len(first.failed), first.added) == (1, 0, 0)
    write(path, text if "\r" in text else f"{text}\n2026-03-02T10:00:00Z,bob\n", old=True)
    second = ingest_files(path, dataset="d", format="table", project=lab)
    assert (len(second.waiting), len(second.failed), second.added) == (0, 0, 2 if "\r" in text else 1)


def test_whatever_is_wrong_with_a_file_the_others_are_read(
    lab: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    for name, first in (
        ("a.log", 0),
        ("c.log", 20),
        (os.fsdecode(b"caf\xe9.log"), 40),
        ("gone.log", 60),
        ("locked.log", 80),
    ):
        write(folder / name, sshd(first, 20))
    write(folder / "b.log", "  not a log at all\n" * 9)
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "nothing").symlink_to(tmp_path / "nowhere")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "s"))
    opened = sources.open_file

    def failing(self: Path) -> object:
        if self.name == "gone.log":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if self.name == "locked.log":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self)

    monkeypatch.setattr(sources, "open_file", failing)
    result = ingest_files(folder, dataset="d", project=lab)
    listener.close()
    assert result.added == 60
    failed = {Path(f.file).name: f.reason for f in result.failed}
    assert set(failed) == {"b.log", "pipe", "loop", "nothing", "s", "gone.log", "locked.log"}
    assert "FIFO" in failed["pipe"]
    assert "loop" in failed["loop"]
    assert "Permission denied" in failed["locked.log"]
    assert json.dumps(result.to_dict()["failed"]).isascii()
    assert any(f.file.endswith("caf\\xe9.log") for f in result.per_file)
    str(result).encode()


def test_the_command_says_which_file_failed_and_ends_with_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "socml.toml", "")
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in" / "a.log", sshd(0, 20))
    write(tmp_path / "in" / "b.log", sshd(0, 50) + "x\n" * 50)
    done = CliRunner().invoke(app, ["ingest", "in", "-d", "d", "-f", "syslog", "--json"])
    said = json.loads(done.stdout)
    assert done.exit_code == 3
    assert (said["added"], [f["file"] for f in said["failed"]]) == (20, ["in/b.log"])
    assert "--max-bad-share" in said["failed"][0]["reason"]
    looked = CliRunner().invoke(app, ["peek", "in/b.log", "-f", "syslog"])
    assert looked.exit_code == 3
    assert "50 of 100 records" in looked.stderr
    assert CliRunner().invoke(app, ["ingest", "in", "-d", "d", "-f", "syslog", "--max-bad-share", "0.5"]).exit_code == 0
    assert not peek(tmp_path / "in" / "a.log").problem


def test_a_reader_that_breaks_costs_its_file_alone(
    lab: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socml.formats.host.syslog import Syslog

    read = Syslog.read

    def breaking(self: Syslog, source: object, options: object) -> object:
        if source.name.endswith("b.log"):  # type: ignore[attr-defined]
            raise KeyError("oops")
        return read(self, source, options)  # type: ignore[arg-type]

    monkeypatch.setattr(Syslog, "read", breaking)
    for name in ("a.log", "b.log", "c.log"):
        write(tmp_path / "in" / name, sshd(ord(name[0]), 5))
    result = ingest_files(tmp_path / "in", dataset="d", format="syslog", project=lab)
    assert (result.added, [Path(f.file).name for f in result.failed]) == (10, ["b.log"])
    assert "KeyError: 'oops'" in result.failed[0].reason


def test_quarantine_is_filtered_retried_and_given_up(tmp_path: Path) -> None:
    project = recipe(tmp_path, "max_bad_share = 1.0\n")
    write(tmp_path / "in" / "a.log", sshd(0, 5) + "odd\n" + sshd(5, 5))
    write(tmp_path / "in" / "b.log", "odd\n" + sshd(10, 5))
    assert ingest(tmp_path / "in", dataset="d", format="syslog", project=project).quarantined == 2
    assert len(list_quarantine("d", Chosen(file="a.log"), project=project)) == 1
    assert len(list_quarantine("d", Chosen(file="*/b.log"), project=project)) == 1
    assert not list_quarantine("d", Chosen(reason="no such reason"), project=project)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert len(list_quarantine("d", Chosen(until=tomorrow), project=project)) == 2
    assert not list_quarantine("d", Chosen(since=tomorrow), project=project)
    again = retry_quarantine("d", Chosen(file="a.log"), format="text-lines", project=project)
    assert (again.files, again.quarantined) == (1, 0)
    assert [record.file for record in list_quarantine("d", project=project)] == ["in/b.log"]
    assert sum(raws(project).values()) == 15  # the odd line goes on with the record above it
    assert clear_quarantine("d", project=project) == 1
    assert not list_quarantine("d", project=project)
    assert ingest(tmp_path / "in", dataset="d", project=project).quarantined == 0
