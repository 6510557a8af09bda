"""Folders of logs that several processes read, a reader that ends its process, and what came of it."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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


def line_of(hour: int, number: int) -> str:
    """Return a line of sshd."""
    time = f"Mar  2 {hour:02}:{number // 60 % 60:02}:{number % 60:02}"
    return f"{time} gate sshd[{number}]: Accepted password for ana from 10.0.0.{number % 250} port 22 ssh2\n"


def lines_of(hour: int, count: int, between: str = "") -> str:
    """Return as many lines of an hour."""
    return between.join(line_of(hour, number) for number in range(count))


def write(folder: Path, name: str, text: str | bytes) -> None:
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
        write(folder, f"auth.log.{hour + 1}", lines_of(hour, 200))
    write(folder, "auth.log", lines_of(9, 2).rstrip())
    write(folder, "half.log", lines_of(7, 150, "no line of a log\n"))
    write(folder, "some-bad.log", lines_of(8, 150) + "\x01\x02 bad\n")
    write(folder, "packed.log.gz", gzip.compress(lines_of(6, 300).encode()))
    write(folder, "cut.log.gz", gzip.compress(lines_of(5, 300).encode())[:900])
    write(folder, "empty.log", "")
    for name in ("one", "two"):
        rows = "".join(f"h{n},2026-03-02T00:00:{n:02}Z,{n}.5\n" for n in range(50))
        write(folder, f"{name}.csv", f"host,when,load\n{rows}")
    write(folder, "zero.csv", "host,when,load\nh1,2026-03-02T00:00:01Z,many\nh2,2026-03-02T00:00:01Z,3\n")
    return folder


def project_at(root: Path) -> Project:
    """Return a project without recipes."""
    return Project(root=root, workspace=root / "workspace")


def stored_in(project: Project, dataset: str = "some") -> dict[str, object]:
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


@pytest.fixture
def deadly(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A project with the deadly reader and six files of it, and the environment that arms it."""
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "deadly.py").write_text(DEADLY)
    (tmp_path / "socml.toml").write_text("")
    for name in ("logs", "seen"):
        (tmp_path / name).mkdir()
    for number in range(6):
        write(tmp_path / "logs", f"{number}.log", f"deadly {number}\nword\n")
    (tmp_path / "armed").touch()
    return tmp_path, {"SEEN": str(tmp_path / "seen"), "ARMED": str(tmp_path / "armed")}


# A runner in the background ignores SIGINT, and what it starts would too
SOCML = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('socml', run_name='__main__', alter_sys=True)"
)


def start_ingest(root: Path, environment: dict[str, str], *more: str) -> subprocess.Popen[str]:
    """Start an ingest of the folder `logs`, from outside."""
    command = [sys.executable, "-c", SOCML, "ingest", "logs", "-d", "some", "--final", *more]
    return subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def runs(pid: int) -> bool:
    """Return whether a process is there and not dead."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
