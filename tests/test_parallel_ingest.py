"""Files read by several processes or by Spark give the dataset that one process gives; what goes wrong with one stops no other."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from log_folders import line_of, lines_of, project_at, runs, start_ingest, stored_in, write
from patience import wait_until

from socml.ingestion import ingest_files, reading_pool

PROCESSES = ("--workers", "2")
SPARK = ("--engine", "spark", "--master", "local[2]")


@pytest.fixture(params=[PROCESSES, pytest.param(SPARK, marks=pytest.mark.slow)], ids=["processes", "spark"])
def by(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Who reads: options of the command."""
    if request.param == SPARK:
        pytest.importorskip("pyspark", reason="the extra spark is not installed: make spark")
        if shutil.which("java") is None:
            pytest.skip("Java is not installed: make spark")
    return tuple(request.param)


def test_any_number_of_workers_gives_the_same_bytes_and_says_the_same(logs: Path, tmp_path: Path) -> None:
    projects = {workers: project_at(tmp_path / f"with-{workers}") for workers in (1, 3)}
    said: dict[int, list[str]] = {workers: [] for workers in projects}
    for files in ({}, {"auth.log": lines_of(9, 4), "auth.log.0": lines_of(10, 3)}):
        for name, text in files.items():
            write(logs, name, text)
        for workers, project in projects.items():
            result = ingest_files([logs], dataset="some", project=project, workers=workers, final=True)
            said[workers].append(str(result))
    alone = stored_in(projects[1])
    assert alone["quarantine"]
    assert "NOT READ" in said[1][0]
    assert said[3] == said[1]
    assert stored_in(projects[3]) == alone


@pytest.mark.parametrize("held", [reading_pool.MOST_HELD, 0])
def test_files_of_one_first_line_have_the_same_ids_though_one_of_them_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(reading_pool, "MOST_HELD", held)  # bytes that may wait for their turn
    folder = tmp_path / "logs"
    folder.mkdir()
    for day in range(4):  # one stream, one first line: they are told by their order
        write(folder, f"auth-2026030{day}.log", lines_of(1, 150) if day else line_of(1, 0) + "no log\n" * 200)
    stored = []
    for workers in (1, 3):
        project = project_at(tmp_path / f"with-{workers}")
        result = ingest_files([folder], dataset="some", format="syslog", project=project, workers=workers, final=True)
        assert len(result.failed) == 1
        stored.append(stored_in(project))
    assert stored[0] == stored[1]


def test_a_file_whose_reader_dies_stops_no_other(deadly: tuple[Path, dict[str, str]], by: tuple[str, ...]) -> None:
    root, environment = deadly
    write(root / "logs", "2.log", "deadly 2\nkill\n")
    run = start_ingest(root, environment, *by, "-f", "deadly")
    said, noted = run.communicate()
    assert run.returncode == 3, noted
    assert "10 events added from 5 files" in said
    assert f"2.log: the process that read it {'was killed by SIGKILL' if by == PROCESSES else 'ended'}" in said
    assert "\n" not in said[said.index("2.log: ") :].strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_ingest_that_is_ended_leaves_no_process_and_can_be_done_again(
    deadly: tuple[Path, dict[str, str]], number: signal.Signals, by: tuple[str, ...]
) -> None:
    root, environment = deadly
    write(root / "logs", "0.log", "deadly 0\nwait\n")
    write(root / "logs", "3.log", "deadly 3\nwait\n")
    seen = root / "seen"
    run = start_ingest(root, environment, *by, "-f", "deadly")
    wait_until(lambda: {path.name.split("-")[1] for path in seen.iterdir()} >= {"0.log", "3.log"})
    readers = {int(path.name.split("-")[0]) for path in seen.iterdir()}
    assert run.pid not in readers
    run.send_signal(number) if number != signal.SIGINT else os.killpg(run.pid, number)
    run.communicate(timeout=60)
    assert run.returncode != 0
    wait_until(lambda: not any(runs(pid) for pid in readers))
    (root / "armed").unlink()
    again = start_ingest(root, environment, *by, "-f", "deadly")
    said, noted = again.communicate()
    assert again.returncode == 0, noted
    assert "12 events added from 6 files" in said
