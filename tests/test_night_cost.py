"""What a night costs does not grow with the parts that lie behind it; the same night by another verb."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from night_lab import flows, lab_in
from shell import socml

from socml.ingestion import ingest_files
from socml.project import ConfigurationError, event_parts, find_project, open_events, read_project, starter_root


def write(folder: Path, number: int) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in flows(number))
    (folder / "logs" / f"conn.{number}.log").write_text(lines)


def test_a_log_is_read_without_opening_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = lab_in(tmp_path)
    write(tmp_path, 0)
    ingest_files([tmp_path / "logs"], dataset="office", project=project, final=True)
    write(tmp_path, 1)
    opened: list[object] = []
    monkeypatch.setattr(pq, "read_schema", lambda path, *_, **__: opened.append(path))
    result = ingest_files([tmp_path / "logs"], dataset="office", project=project, final=True)
    stored = [path for path in opened if str(project.workspace) in str(path)]
    assert (result.added, stored) == (len(flows(1)), [])


def test_a_table_keeps_the_types_of_the_columns_that_are_stored(tmp_path: Path) -> None:
    project = lab_in(tmp_path)
    for name, value in (("a", "text"), ("b", "12")):
        (tmp_path / "logs" / f"{name}.csv").write_text(f"time,mine\n2026-03-02T10:00:00Z,{value}\n")
        ingest_files([tmp_path / "logs" / f"{name}.csv"], dataset="t", format="table", project=project, final=True)
    assert sorted(open_events(project, "t").to_table()["mine"].to_pylist()) == ["12", "text"]


def test_run_daily_since_last_is_a_night(tmp_path: Path) -> None:
    lab_in(tmp_path)
    shutil.copy(starter_root() / "experiments" / "daily.toml", tmp_path / "experiments")
    for number in (0, 1):
        write(tmp_path, number)
        out, _ = socml("run", "daily", "office", "--since", "last", "--json", cwd=tmp_path)
        (report,) = [json.loads(out)] if out.startswith("{") else json.loads(out)
        assert (report["added"], report["built"], len(report["listed"])) == (len(flows(number)), 1, 1)
    project = read_project(tmp_path)
    assert sum(part.rows for part in event_parts(project, "office")) == len(flows(0)) + len(flows(1))


@pytest.mark.parametrize(
    "more",
    [["--since", "monday"], ["--since", "last", "--day", "2026-03-02"], ["--since", "last", "--engine", "spark"]],
)
def test_since_is_last_or_a_sentence(more: list[str], tmp_path: Path) -> None:
    lab_in(tmp_path)
    shutil.copy(starter_root() / "experiments" / "daily.toml", tmp_path / "experiments")
    _, err = socml("run", "daily", "office", *more, cwd=tmp_path, code=2)
    assert "--since" in err


def test_an_engine_that_is_none_is_named(tmp_path: Path) -> None:
    lab_in(tmp_path)
    _, err = socml("features", "source-5min", "office", "--engine", "sparc", cwd=tmp_path, code=2)
    assert "Did you mean 'spark'?" in err
    (tmp_path / "socml.toml").write_text('[engine]\nname = "sparc"\n')
    with pytest.raises(ConfigurationError, match="Did you mean 'spark'"):
        find_project(tmp_path)
