"""Small parts become few, no event is there twice or gone at any step, and a batch reads no more as the day goes on."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socml.datasets import compaction, ingest, load_events, staging
from socml.datasets.compaction import FANOUT, GRACE_S, compact
from socml.datasets.known import read_part
from socml.errors import DataError
from socml.project import Project
from socml.workspace import parts_in_use, replaced_parts


class Killed(BaseException):
    """Stands for the end of the process."""


def _add(folder: Path, *numbers: int) -> Path:
    return staging._write_part(pa.table({"n": list(numbers)}), folder)


def _compact(folder: Path, now: float = 0.0) -> int:
    return compact(folder, write=staging._write_part, content_hash=staging._content_hash, now=now)


def _numbers(folder: Path) -> list[int]:
    return sorted(n for part in parts_in_use(folder) for n in pq.read_table(part)["n"].to_pylist())


def test_a_day_of_tiny_batches_makes_few_parts_and_reads_a_bounded_number_of_them(tmp_path: Path) -> None:
    read, most = 0, 0
    for number in range(300):
        _add(tmp_path, number)
        now = _compact(tmp_path, now=60.0 * number)
        read, most = read + now, max(most, now)
        assert len(parts_in_use(tmp_path)) <= (FANOUT - 1) * 3  # 300 rows fill three sizes
    assert _numbers(tmp_path) == list(range(300))
    assert most <= FANOUT * 3
    assert read <= 2 * 300
    assert len(list(tmp_path.glob("*.parquet"))) < 150, "what was replaced an hour ago is deleted"


def test_ingests_of_tiny_files_keep_every_event_once_and_read_few_parts(lab: Project, tmp_path: Path) -> None:
    footers: list[int] = []
    for number in range(20):
        path = tmp_path / f"{number}.log"
        path.write_text(
            f"<86>Nov 30 06:39:{number:02} web1 sshd[1]: Failed password for root from 192.0.2.9 port {number} ssh2\n"
        )
        with patch("socml.datasets.known.read_part", side_effect=read_part) as asked:
            assert ingest(path, dataset="net", format="syslog", project=lab).added == 1
        footers.append(asked.call_count)
    assert max(footers) <= 2 * FANOUT
    events = load_events("net", project=lab)
    assert sorted(events["source_port"]) == list(range(20))
    assert ingest(str(tmp_path / "*.log"), dataset="net", format="syslog", project=lab).added == 0


@pytest.mark.parametrize("step", range(12))
def test_killed_at_any_step_no_event_is_twice_there_or_gone(tmp_path: Path, step: int) -> None:
    for number in range(FANOUT):
        _add(tmp_path, number)
    left = [step]

    def counted(call: object) -> object:
        def run(*args: object, **more: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            done = call(*args, **more)  # type: ignore[operator]
            assert _numbers(tmp_path) == list(range(FANOUT)), "what a reader sees in between"
            return done

        return run

    changes = [(Path, name) for name in ("rename", "replace", "unlink", "mkdir")]
    with pytest.MonkeyPatch.context() as patched:
        for where, name in changes:
            patched.setattr(where, name, counted(getattr(where, name)))
        try:
            _compact(tmp_path)
            _compact(tmp_path, now=GRACE_S + 1)
        except Killed:
            pass
    assert _numbers(tmp_path) == list(range(FANOUT))
    _compact(tmp_path, now=2 * GRACE_S + 2)
    _compact(tmp_path, now=5 * GRACE_S)
    _compact(tmp_path, now=8 * GRACE_S)
    assert _numbers(tmp_path) == list(range(FANOUT))
    assert len(list(tmp_path.glob("*.parquet"))) == 1
    assert replaced_parts(tmp_path) == []


def test_parts_that_were_merged_stay_for_an_hour_for_whoever_has_them_open(tmp_path: Path) -> None:
    parts = [_add(tmp_path, number) for number in range(FANOUT)]
    _compact(tmp_path, now=0)
    _compact(tmp_path, now=GRACE_S)
    assert all(part.is_file() for part in parts)
    _compact(tmp_path, now=GRACE_S + 1)
    assert not any(part.is_file() for part in parts)


def test_a_damaged_part_and_one_whose_columns_do_not_fit_are_left_alone(tmp_path: Path) -> None:
    damaged = _add(tmp_path, 99)
    damaged.write_bytes(damaged.read_bytes() + b"x")
    broken = tmp_path / f"{'0' * 32}.parquet"
    broken.write_bytes(b"PAR1")
    for number in range(FANOUT):
        _add(tmp_path, number)
    _compact(tmp_path)
    assert {damaged, broken} < set(parts_in_use(tmp_path))
    other = tmp_path / "other"
    other.mkdir()
    for number in range(FANOUT - 1):
        _add(other, number)
    staging._write_part(pa.table({"n": ["text"]}), other)
    _compact(other)
    assert len(parts_in_use(other)) == FANOUT


def test_large_parts_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "LARGEST_ROWS", 4 * FANOUT)
    for start in range(0, 5 * 2 * FANOUT, 5):
        _add(tmp_path, *range(start, start + 5))
    assert _compact(tmp_path) == 0
    monkeypatch.setattr(compaction, "LARGEST_ROWS", 5 * FANOUT)
    assert _compact(tmp_path) == 2 * FANOUT


def test_a_damaged_note_of_merged_parts_is_one_sentence(tmp_path: Path) -> None:
    for number in range(FANOUT):
        _add(tmp_path, number)
    _compact(tmp_path)
    for text in ("[{", '{"a": 1}', '[{"merged": "a"}]', "[1]", "\udcff"):
        (tmp_path / "replaced.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(DataError, match=r"replaced\.json is damaged"):
            parts_in_use(tmp_path)


def test_a_full_disk_does_not_fail_an_ingest_whose_events_are_stored(lab: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("<86>Nov 30 06:39:00 web1 sshd[1]: Failed password for root from 192.0.2.9 port 1 ssh2\n")
    with patch("socml.datasets.staging.compact", side_effect=OSError(28, "No space left on device")):
        assert ingest(path, dataset="net", format="syslog", project=lab).added == 1
    assert len(load_events("net", project=lab)) == 1
