"""Files read by several processes at once give the dataset that one gives; what goes wrong with one stops no other."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from patience import wait_until

from socml.ingestion import ingest_files, reading_pool
from socml.project import Project, events_folder, quarantine_files, read_manifest

# A reader that tells which process it is in, ends it at one line, and waits for a file's end at another.
DEADLY = '''
import os, signal, time
from pathlib import Path
import pyarrow as pa
from socml.formats import Parsed

class Deadly:
    """Lines of words."""
    name = "deadly"
    about = "lines that may kill their reader"
    specification = "https://example.org/deadly"
    examples = ["word"]

    def sniff(self, head, file_name):
        return 0.9 if head.startswith(b"deadly") else 0.0

    def read(self, source, options):
        Path(os.environ["SEEN"], f"{os.getpid()}-{source.path.name}").touch()
        for block in source.blocks():
            if b"kill" in block.data and Path(os.environ["ARMED"]).exists():
                os.kill(os.getpid(), signal.SIGKILL)
            while b"wait" in block.data and Path(os.environ["ARMED"]).exists():
                time.sleep(0.01)
            lines = block.data.decode().splitlines()
            numbers = pa.array(range(block.first_line, block.first_line + len(lines)), pa.int64())
            events = {"time": pa.nulls(len(lines), pa.timestamp("us", "UTC")), "raw": lines, "source_line": numbers}
            yield Parsed(pa.table(events), block.lines())

__all__ = ["Deadly"]
'''


def _line(hour: int, number: int) -> str:
    time = f"Mar  2 {hour:02}:{number // 60 % 60:02}:{number % 60:02}"
    return f"{time} gate sshd[{number}]: Accepted password for ana from 10.0.0.{number % 250} port 22 ssh2\n"


def _lines(hour: int, count: int, between: str = "") -> str:
    return between.join(_line(hour, number) for number in range(count))


def _write(folder: Path, name: str, text: str | bytes) -> None:
    """Write a file that has not changed since, whenever it is written again."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (1_772_400_000, 1_772_400_000))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Logs of several formats: with bad lines, packed, empty, refused, damaged, tables that go by each other, no line end."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for hour in range(4):
        _write(folder, f"auth.log.{hour + 1}", _lines(hour, 200))
    _write(folder, "auth.log", _lines(9, 2).rstrip())
    _write(folder, "half.log", _lines(7, 150, "no line of a log\n"))
    _write(folder, "some-bad.log", _lines(8, 150) + "\x01\x02 bad\n")
    _write(folder, "packed.log.gz", gzip.compress(_lines(6, 300).encode()))
    _write(folder, "cut.log.gz", gzip.compress(_lines(5, 300).encode())[:900])
    _write(folder, "empty.log", "")
    for name in ("one", "two"):
        rows = "".join(f"h{n},2026-03-02T00:00:{n:02}Z,{n}.5\n" for n in range(50))
        _write(folder, f"{name}.csv", f"host,when,load\n{rows}")
    _write(folder, "zero.csv", "host,when,load\nh1,2026-03-02T00:00:01Z,many\nh2,2026-03-02T00:00:01Z,3\n")
    return folder


def _project(root: Path) -> Project:
    return Project(root=root, workspace=root / "workspace")


def _stored(project: Project, dataset: str = "some") -> dict[str, object]:
    """Return what a dataset consists of; when a record came into quarantine is another time in each run."""
    folder = events_folder(project, dataset)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.segments is not None
    bad = [pq.read_table(path).drop_columns(["put_at"]) for path in quarantine_files(project, dataset)]
    return {
        "parts": manifest.parts,
        "bytes": [(folder / part.file).read_bytes() for part in manifest.parts],
        "segments": (folder / manifest.segments.file).read_bytes(),
        "quarantine": pa.concat_tables(bad).to_pylist() if bad else [],
    }


def test_any_number_of_workers_gives_the_same_bytes_and_says_the_same(logs: Path, tmp_path: Path) -> None:
    projects = {workers: _project(tmp_path / f"with-{workers}") for workers in (1, 3)}
    said: dict[int, list[str]] = {workers: [] for workers in projects}
    for files in ({}, {"auth.log": _lines(9, 4), "auth.log.0": _lines(10, 3)}):
        for name, text in files.items():
            _write(logs, name, text)
        for workers, project in projects.items():
            result = ingest_files([logs], dataset="some", project=project, workers=workers, final=True)
            said[workers].append(str(result))
    alone = _stored(projects[1])
    assert alone["quarantine"]
    assert "NOT READ" in said[1][0]
    assert said[3] == said[1]
    assert _stored(projects[3]) == alone


@pytest.mark.parametrize("held", [reading_pool.MOST_HELD, 0])
def test_files_of_one_first_line_have_the_same_ids_though_one_of_them_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(reading_pool, "MOST_HELD", held)  # bytes that may wait for their turn
    folder = tmp_path / "logs"
    folder.mkdir()
    for day in range(4):  # one stream, one first line: they are told by their order
        _write(folder, f"auth-2026030{day}.log", _lines(1, 150) if day else _line(1, 0) + "no log\n" * 200)
    stored = []
    for workers in (1, 3):
        project = _project(tmp_path / f"with-{workers}")
        result = ingest_files([folder], dataset="some", format="syslog", project=project, workers=workers, final=True)
        assert len(result.failed) == 1
        stored.append(_stored(project))
    assert stored[0] == stored[1]


@pytest.fixture
def deadly(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A project with the deadly reader and six files of it, and the environment that arms it."""
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "deadly.py").write_text(DEADLY)
    (tmp_path / "socml.toml").write_text("")
    for name in ("logs", "seen"):
        (tmp_path / name).mkdir()
    for number in range(6):
        _write(tmp_path / "logs", f"{number}.log", f"deadly {number}\nword\n")
    (tmp_path / "armed").touch()
    return tmp_path, {"SEEN": str(tmp_path / "seen"), "ARMED": str(tmp_path / "armed")}


# A runner in the background ignores SIGINT, and what it starts would too
SOCML = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('socml', run_name='__main__', alter_sys=True)"
)


def _ingest(root: Path, environment: dict[str, str], *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SOCML, "ingest", "logs", "-d", "some", "--final", "--workers", "2", *more]
    return subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_file_whose_reader_dies_stops_no_other(deadly: tuple[Path, dict[str, str]]) -> None:
    root, environment = deadly
    _write(root / "logs", "2.log", "deadly 2\nkill\n")
    run = _ingest(root, environment, "-f", "deadly")
    said, noted = run.communicate()
    assert run.returncode == 3, noted
    assert "10 events added from 5 files" in said
    assert "2.log: the process that read it was killed by SIGKILL" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_ingest_that_is_ended_leaves_no_process_and_can_be_done_again(
    deadly: tuple[Path, dict[str, str]], number: signal.Signals
) -> None:
    root, environment = deadly
    _write(root / "logs", "0.log", "deadly 0\nwait\n")
    _write(root / "logs", "3.log", "deadly 3\nwait\n")
    seen = root / "seen"
    run = _ingest(root, environment, "-f", "deadly")
    wait_until(lambda: {path.name.split("-")[1] for path in seen.iterdir()} >= {"0.log", "3.log"})
    readers = {int(path.name.split("-")[0]) for path in seen.iterdir()}
    assert run.pid not in readers
    run.send_signal(number) if number != signal.SIGINT else os.killpg(run.pid, number)
    run.communicate(timeout=60)
    assert run.returncode != 0
    wait_until(lambda: not any(_runs(pid) for pid in readers))
    (root / "armed").unlink()
    again = _ingest(root, environment, "-f", "deadly")
    said, noted = again.communicate()
    assert again.returncode == 0, noted
    assert "12 events added from 6 files" in said


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
