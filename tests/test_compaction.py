"""Small parts become few, no event is there twice or gone, and a batch reads no more as the day goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from socml.ingestion import compaction, staging
from socml.ingestion.compaction import FANOUT, compact
from socml.ingestion.event_query import load_events
from socml.ingestion.ingestion import ingest
from socml.ingestion.retention import forget_events
from socml.project.errors import DataError
from socml.project.manifest import Part, read_manifest
from socml.project.project import Project
from socml.project.workspace import event_files, events_folder


@dataclass
class Shelf:
    """Parts in memory, which count how often they are read."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    reads: int = 0

    def write(self, table: pa.Table) -> Part:
        name = str(len(self.tables))
        self.tables[name] = table
        return Part(name, table.nbytes, len(table))

    def read(self, part: Part) -> pa.Table:
        self.reads += 1
        return self.tables[part.file]

    def add(self, *numbers: int) -> Part:
        return self.write(pa.table({"n": list(numbers)}))

    def numbers(self, parts: tuple[Part, ...]) -> list[int]:
        return sorted(n for part in parts for n in self.tables[part.file]["n"].to_pylist())

    def compact(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return compact(parts, read=self.read, write=self.write)


def test_a_day_of_tiny_batches_makes_few_parts_and_reads_a_bounded_number_of_them() -> None:
    shelf, parts, most = Shelf(), (), 0
    for number in range(300):
        before = shelf.reads
        parts = shelf.compact((*parts, shelf.add(number)))
        most = max(most, shelf.reads - before)
        assert len(parts) <= (FANOUT - 1) * 3  # 300 rows fill three sizes
    assert shelf.numbers(parts) == list(range(300))
    assert most <= FANOUT * 3
    assert shelf.reads <= 2 * 300


def test_a_damaged_part_and_parts_whose_columns_do_not_fit_are_left_alone() -> None:
    shelf = Shelf()
    parts = tuple(shelf.add(number) for number in range(FANOUT))

    def damaged(part: Part) -> pa.Table:
        if part == parts[3]:
            raise DataError("damaged")
        return shelf.read(part)

    assert compact(parts, read=damaged, write=shelf.write) == parts
    mixed = (*parts[1:], shelf.write(pa.table({"n": ["text"]})))
    assert set(shelf.compact(mixed)) == set(mixed)


def test_large_parts_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    monkeypatch.setattr(compaction, "LARGEST_ROWS", 5 * FANOUT - 1)
    parts = tuple(shelf.add(*range(start, start + 5)) for start in range(0, 5 * FANOUT, 5))
    assert shelf.compact(parts) == parts
    monkeypatch.setattr(compaction, "LARGEST_ROWS", 5 * FANOUT)
    assert len(shelf.compact(parts)) == 1


@pytest.fixture
def batch(lab: Project, tmp_path: Path) -> Callable[[int], None]:
    def add(number: int) -> None:
        path = tmp_path / f"{number}.log"
        path.write_text(
            f"<86>Nov 30 06:39:{number:02} web1 sshd[1]: Failed password for root from 192.0.2.9 port {number} ssh2\n"
        )
        assert ingest(path, dataset="net", format="syslog", project=lab).added == 1

    return add


def test_ingests_of_tiny_files_keep_every_event_once_in_few_parts(batch: Callable[[int], None], lab: Project) -> None:
    for number in range(20):
        batch(number)
        assert len(event_files(lab, "net")) < 2 * FANOUT
    assert sorted(load_events("net", project=lab)["source_port"]) == list(range(20))


def test_parts_that_were_merged_stay_for_an_hour_for_whoever_has_them_open(
    batch: Callable[[int], None], lab: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FANOUT - 1):
        batch(number)
    parts = event_files(lab, "net")
    assert len(parts) == FANOUT - 1
    for part in parts:
        os.utime(part, (0, time.time() - 2 * staging.GRACE_S))  # written long ago
    batch(FANOUT)
    assert len(event_files(lab, "net")) == 1
    batch(FANOUT + 1)
    assert all(part.is_file() for part in parts)
    monkeypatch.setattr(staging, "GRACE_S", -60)
    batch(FANOUT + 2)
    assert not any(part.is_file() for part in parts)


def named_files(project: Project) -> list[Path]:
    manifest = read_manifest(project.workspace / "events" / "net")
    assert manifest is not None
    assert manifest.segments
    quarantined = [project.workspace / "quarantine" / "net" / part.file for part in manifest.quarantine]
    return [*event_files(project, "net"), events_folder(project, "net") / manifest.segments.file, *quarantined]


def a_bad_line(project: Project, folder: Path) -> None:
    path = folder / "bad.log"
    path.write_text("<86>Nov 30 06:39:00 web1 sshd[1]: good\nno message of syslog\n" * 3)
    ingest(path, dataset="net", format="syslog", project=project, max_bad_share=1.0)


def purge(project: Project, folder: Path) -> None:
    assert forget_events("net", "2100-01-01", project=project) >= 1


def read_anew(project: Project, folder: Path) -> None:
    ingest(folder / "0.log", dataset="net", format="syslog", project=project, anew=True)


@pytest.mark.parametrize("change", [purge, read_anew, a_bad_line])
def test_whatever_a_manifest_names_no_longer_stays_for_an_hour_for_its_readers(
    change: Callable[[Project, Path], None], batch: Callable[[int], None], lab: Project, tmp_path: Path
) -> None:
    batch(0)
    batch(1)
    a_bad_line(lab, tmp_path)
    before = named_files(lab)
    for path in before:
        os.utime(path, (0, time.time() - 2 * staging.GRACE_S))  # written long ago
    (tmp_path / "bad.log").write_text("<86>Nov 30 06:39:00 web1 sshd[1]: other\nnone either\n")
    change(lab, tmp_path)
    batch(3)
    assert all(path.is_file() for path in before)
    for path in before:
        os.utime(path, (0, time.time() - 2 * staging.GRACE_S))
    batch(4)
    assert {path for path in before if path.is_file()} == set(before) & set(named_files(lab))


def test_what_is_replaced_is_dated_before_the_manifest_that_replaces_it(
    batch: Callable[[int], None], lab: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FANOUT - 1):
        batch(number)
    parts = event_files(lab, "net")
    for part in parts:
        os.utime(part, (0, time.time() - 2 * staging.GRACE_S))
    write = staging.write_json

    def killed(*args: object) -> None:
        write(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        batch(FANOUT)
    monkeypatch.undo()
    batch(FANOUT + 1)
    assert all(part.is_file() for part in parts)
